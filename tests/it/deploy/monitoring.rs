//! Alerts and dashboard in the chart: they are those of `deploy/prometheus` and `deploy/grafana`, and nothing that Helm does to them.

use std::path::Path;

use meshdns::yaml;
use serde_json::Value;

use super::chart::Release;

const ALL: &str = "{prometheusRule: {enabled: true}, dashboard: {enabled: true}";

/// The rules and the dashboard, as whoever has a checkout takes them.
fn files() -> [String; 2] {
    ["prometheus/meshdns.rules.yaml", "grafana/meshdns.json"].map(|file| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    })
}

/// The same in a release.
fn rendered(release: &Release) -> [Value; 2] {
    let dashboard = release.file("dns-meshdns-dashboard", "meshdns.json");
    [release.the("PrometheusRule")["spec"].clone(), serde_json::from_str(dashboard).unwrap()]
}

fn parsed([rules, dashboard]: [String; 2]) -> [Value; 2] {
    let rules = yaml::documents(&rules).next().unwrap().parse().unwrap().to_json();
    [rules, serde_json::from_str(&dashboard).unwrap()]
}

#[test]
fn the_chart_has_the_same_rules_and_dashboard() {
    let release = Release::new("mesh", &format!("metrics: {ALL}}}"));
    assert_eq!(rendered(&release), parsed(files()));
    let labels = |object: &Value| object["metadata"]["labels"].clone();
    let map =
        release.all("ConfigMap").find(|map| map["metadata"]["name"] == "dns-meshdns-dashboard").unwrap();
    assert_eq!(labels(map)["grafana_dashboard"], "1");
    let none = Release::new("mesh", "{}");
    assert!(none.all("PrometheusRule").next().is_none() && !none.text.contains("grafana_dashboard"));
}

#[test]
fn links_lead_to_where_the_runbooks_are() {
    let url = "https://pages.example/meshdns/runbooks";
    for runbooks in [url, "https://pages.example/meshdns/runbooks/"] {
        let release = Release::new("mesh", &format!("metrics: {ALL}, runbooks: '{runbooks}'}}"));
        let elsewhere = files().map(|text| text.replace("docs/runbooks/", &format!("{url}/")));
        assert_eq!(rendered(&release), parsed(elsewhere));
        let rule = release.the("PrometheusRule").to_string();
        assert!(rule.contains(&format!("\"{url}/MeshdnsStale.md\"")), "{rule}");
        let variable = format!("\"query\":\"{url}/\"");
        assert!(release.file("dns-meshdns-dashboard", "meshdns.json").contains(&variable));
    }
}
