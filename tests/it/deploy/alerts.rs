//! The alerts: they fire for what they are about and for nothing else, and a real Prometheus has everything that they ask for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshdns::yaml;
use serde_json::Value;

use crate::support::dig::dig;
use crate::support::kube::until;
use crate::support::peer::prometheus;
use crate::support::process::{Meshdns, written};
use crate::support::prometheus::Prometheus;

const METRICS: &str = include_str!("../../../docs/metrics.md");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus")
}

/// All rules, recording ones included.
fn rules() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("meshdns.rules.yaml")).unwrap();
    let file = yaml::documents(&text).next().unwrap().parse().unwrap().to_json();
    let groups = file["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

#[test]
fn rules_do_what_their_tests_say() {
    let promtool = prometheus().join("promtool");
    let output = Command::new(promtool)
        .current_dir(folder())
        .args(["test", "rules", "meshdns.rules.test.yaml"])
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tests = std::fs::read_to_string(folder().join("meshdns.rules.test.yaml")).unwrap();
    for alert in rules().iter().filter_map(|rule| rule["alert"].as_str()) {
        let silent = tests.contains(&format!("{{eval_time: 20h, alertname: {alert}}}"));
        assert!(silent && tests.contains(&format!("- name: {alert}\n")), "{alert} is not tested");
    }
}

#[test]
fn every_alert_has_a_page_and_every_page_an_alert() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = BTreeSet::new();
    for rule in rules().iter().filter(|rule| rule["alert"].is_string()) {
        let (alert, url) =
            (rule["alert"].as_str().unwrap(), rule["annotations"]["runbook_url"].as_str().unwrap());
        let text = std::fs::read_to_string(root.join(url)).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(text.starts_with(&format!("# {alert}\n")), "{url}");
        pages.insert(root.join(url));
    }
    let found = std::fs::read_dir(root.join("docs/runbooks")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(found.collect::<BTreeSet<_>>(), pages);
}

#[test]
fn a_real_prometheus_has_what_alerts_ask_for() {
    let objects = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";
    let objects = written("objects.yaml", objects).display().to_string();
    let meshdns = Meshdns::start(&format!("zones: [cluster.local]\nsources: {{manifests: ['{objects}']}}\n"));
    let prometheus = Prometheus::start(&[("dns-0", meshdns.admin)], &folder().join("meshdns.rules.yaml"));
    assert_eq!(dig(meshdns.dns, ["missing.shop.svc.cluster.local", "A"]).status, "NXDOMAIN");
    until("the query is counted", || {
        let found = prometheus.instant("sum(meshdns_queries_total{rcode='NXDOMAIN'})");
        (found.first()?.samples[0].1 >= 1.0).then_some(())
    });
    until("every rule is evaluated", || {
        let groups = prometheus.asked("/api/v1/rules")?["data"]["groups"].take();
        let rules: Vec<Value> =
            groups.as_array()?.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
        assert!(rules.iter().all(|rule| rule["health"] != "err"), "{rules:#?}");
        (!rules.is_empty() && rules.iter().all(|rule| rule["health"] == "ok")).then_some(())
    });
    // Whatever a rule asks for is a metric of ours, a rule's result, or Prometheus's own.
    let recorded: BTreeSet<String> =
        rules().iter().filter_map(|rule| rule["record"].as_str()).map(str::to_owned).collect();
    for rule in rules() {
        let expr = rule["expr"].as_str().unwrap();
        for word in expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':') {
            let name = word.strip_suffix("_bucket").or(word.strip_suffix("_count")).unwrap_or(word);
            let known = recorded.contains(word) || METRICS.contains(&format!("| `{name}` |"));
            let ours = word.starts_with("meshdns_") || word.starts_with("meshdns:");
            assert!(!ours || known, "{word} in {expr}");
        }
    }
}
