//! The dashboard: Grafana knows everything in it, and a real Prometheus that scrapes real replicas has what its panels ask for.

mod load;
mod panels;
mod story;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::dig::{dig, dig_all};
use crate::support::peer::Peer;
use crate::support::process::written;
use crate::support::prometheus::{Prometheus, Series};
use panels::Dashboard;
use world::World;

/// Grafana's own definition of a dashboard, or what `MESHDNS_GRAFANA` names.
static GRAFANA: Peer = Peer::new("grafana", "MESHDNS_GRAFANA");

const METRICS: &str = include_str!("../../../docs/metrics.md");

/// How long panels may stay empty.
const PATIENCE: Duration = Duration::from_secs(90);

/// Metrics that are on no panel, and why.
const LEFT_OUT: [(&str, &str); 1] = [("meshdns_stale", "meshdns_stale_age_seconds is above 0 just as long")];

/// What Grafana says of a dashboard.
fn told(dashboard: &str) -> Result<(), String> {
    let file = std::fs::File::open(written("dashboard.json", dashboard)).unwrap();
    let output = Command::new(GRAFANA.path()).stdin(Stdio::from(file)).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[test]
fn grafana_knows_every_field() {
    let text = std::fs::read_to_string(panels::path()).unwrap();
    told(&text).unwrap_or_else(|error| panic!("{error}"));
    for (right, wrong, named) in [
        ("\"legendFormat\"", "\"legend\"", "legend"),
        ("\"unit\": \"reqps\"", "\"unit\": \"queries\"", "unit queries is not known"),
        ("\"type\": \"stat\"", "\"type\": \"number\"", "type number is not known"),
        ("\"graphMode\"", "\"graph\"", "unexpected field 'graph'"),
        ("\"drawStyle\"", "\"style\"", "unexpected field 'style'"),
        ("\"thresholds\": {", "\"limits\": {", "unexpected field 'limits'"),
        ("\"schemaVersion\": 42", "\"schemaVersion\": 1", "schemaVersion is 1"),
    ] {
        assert!(text.contains(right), "{right}");
        let refused = told(&text.replacen(right, wrong, 1)).unwrap_err();
        assert!(refused.contains(named), "{wrong}: {refused}");
    }
}

#[test]
fn panels_say_what_they_are_about_and_lie_beside_each_other() {
    let dashboard = Dashboard::read();
    let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard.all() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel:#}");
    }
    let data = serde_json::json!({"type": "prometheus", "uid": "${datasource}"});
    for panel in dashboard.panels() {
        let title = panel.title();
        assert!(titles.insert(title), "two panels are called {title}");
        let description = panel.json["description"].as_str().unwrap_or_default();
        assert!(description.len() > 80 && description.ends_with('.'), "{title} does not say what is normal");
        assert!(!panel.unit().is_empty());
        assert_eq!(panel.json["datasource"], data, "{title}");
        let mut refs = BTreeSet::new();
        for target in panel.targets() {
            assert!(refs.insert(target.json["refId"].as_str().unwrap()), "{title}");
            assert_eq!(target.json["datasource"], data, "{title}");
            assert_ne!(target.json["legendFormat"], "", "{title}");
        }
    }
    overlap(dashboard.0["panels"].as_array().unwrap());
    for row in dashboard.all().iter().filter(|panel| panel["type"] == "row" && panel["collapsed"] == true) {
        overlap(row["panels"].as_array().unwrap());
    }
}

/// Fails where panels lie over each other, or reach out of the 24 columns of Grafana's grid.
fn overlap(panels: &[Value]) {
    let mut taken: BTreeMap<(u64, u64), &Value> = BTreeMap::new();
    for panel in panels {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= 24, "{} is too wide", panel["title"]);
        for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))) {
            let other = taken.insert(cell, &panel["title"]);
            assert!(other.is_none(), "{} lies over {other:?}", panel["title"]);
        }
    }
}

#[test]
fn every_alert_is_linked_from_a_panel() {
    let dashboard = Dashboard::read();
    let linked: BTreeSet<String> = dashboard
        .panels()
        .iter()
        .flat_map(|panel| panel.links())
        .map(|url| url.strip_prefix("${runbooks:raw}").unwrap_or_else(|| panic!("{url}")).to_owned())
        .collect();
    let runbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks");
    let pages =
        std::fs::read_dir(runbooks).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(linked, pages.collect());
}

#[test]
fn every_metric_is_on_a_panel_and_every_name_on_a_panel_is_a_metric() {
    let rows = METRICS.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let ours = |name: &&str| name.starts_with("meshdns_") || name.starts_with("process_");
    let documented: BTreeSet<&str> = rows.map(|(name, _)| name).filter(ours).collect();
    let dashboard = Dashboard::read();
    let queries: Vec<String> = dashboard
        .panels()
        .iter()
        .flat_map(|panel| {
            panel.targets().into_iter().map(|target| target.expr().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let words =
        queries.iter().flat_map(|query| query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let histogram = |word| ["_bucket", "_count", "_sum"].iter().find_map(|end| str::strip_suffix(word, end));
    let asked: BTreeSet<&str> = words.filter(ours).map(|word| histogram(word).unwrap_or(word)).collect();
    let mut expected = documented;
    for (name, why) in LEFT_OUT {
        assert!(expected.remove(name), "{name}, left out because {why}, is no metric");
    }
    assert_eq!(asked, expected);
}

fn has_data(series: &[Series]) -> bool {
    series.iter().any(|series| series.samples.iter().any(|(_, value)| value.is_finite()))
}

#[test]
fn a_real_prometheus_has_what_panels_and_variables_ask_for() {
    let (world, dashboard) = (World::start(), Dashboard::read());
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/meshdns.rules.yaml");
    let prometheus = Prometheus::start(&world.instances(), &rules);
    world.break_watches_off();
    let mut empty: Vec<_> = dashboard
        .panels()
        .iter()
        .flat_map(|panel| {
            panel.targets().into_iter().map(|target| (panel.title(), target)).collect::<Vec<_>>()
        })
        .collect();
    assert!(empty.len() > 80, "{}", empty.len());
    let (begin, mut changes) = (Instant::now(), 0);
    let [web, away, missing] = ["web", "away", "missing"].map(|service| world.name(service));
    while !empty.is_empty() && begin.elapsed() < PATIENCE {
        // More often the controller of slices would only be behind.
        if begin.elapsed().as_secs() >= changes {
            world.change();
            changes += 1;
        }
        let questions =
            [format!("{web} A"), format!("{away} A"), format!("{missing} A"), "example.net HTTPS".to_owned()];
        dig_all(world.first.dns, questions.iter().map(String::as_str));
        dig_all(world.mesh.dns, ["saas.internal A"]);
        dig(world.second.dns, ["+tcp", &web, "A"]);
        dig(world.front, [web.as_str(), "A"]);
        // An error of a query is one of the test.
        empty.retain(|(_, target)| !has_data(&target.asked(&prometheus)));
    }
    let empty: Vec<String> =
        empty.iter().map(|(title, target)| format!("{title}: {}", target.expr())).collect();
    assert!(empty.is_empty(), "these show nothing:\n{}", empty.join("\n"));

    let values = |name: &str| {
        let variable = dashboard.variables().iter().find(|variable| variable["name"] == name).unwrap();
        let query = variable["query"]["query"].as_str().unwrap();
        let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        let (selector, label) = inside.rsplit_once(", ").unwrap();
        prometheus.label_values(label, &dashboard.filled(selector, &prometheus))
    };
    assert_eq!(values("namespace"), ["mesh"]);
    assert_eq!(values("job"), ["meshdns"]);
    assert_eq!(values("instance"), ["dns-0", "dns-1", "dns-2"]);
    let queries = dashboard.variables().iter().filter(|variable| variable["type"] == "query").count();
    assert_eq!(queries, 3, "a variable that is not tested");
}
