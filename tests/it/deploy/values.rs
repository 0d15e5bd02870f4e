//! Values: every one is described, and those that are wrong are named.

use std::collections::BTreeSet;
use std::path::Path;

use meshdns::yaml;
use serde_json::Value;

use super::chart::{Release, folder, helm};
use crate::support::process::written;

fn read(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

fn defaults() -> Value {
    let text = read("values.yaml");
    yaml::documents(&text).next().unwrap().parse().unwrap().to_json()
}

/// Values below which everybody writes what they like.
const OPEN: [&str; 2] = ["coredns.resources", "metrics.dashboard.labels"];

/// The paths of all values, and what they are by default. What is empty has nothing below it.
fn leaves(value: &Value, path: &str, all: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(entries) if !entries.is_empty() && !OPEN.contains(&path) => {
            for (key, value) in entries {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(value, &path, all);
            }
        }
        _ => all.push((path.to_owned(), value.clone())),
    }
}

/// The paths of all properties of a schema.
fn described(schema: &Value, path: &str, all: &mut BTreeSet<String>) {
    assert!(schema["description"].is_string(), "{path} has no description");
    match schema["properties"].as_object() {
        Some(properties) => {
            assert_eq!(schema["additionalProperties"], false, "{path} takes anything");
            for (key, schema) in properties {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                described(schema, &path, all);
            }
        }
        None => drop(all.insert(path.to_owned())),
    }
}

#[test]
fn every_value_is_in_the_schema_and_in_the_table() {
    let mut all = Vec::new();
    leaves(&defaults(), "", &mut all);
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let mut in_schema = BTreeSet::new();
    described(&schema, "", &mut in_schema);
    // What Helm itself gives to every chart.
    in_schema.remove("global");
    let paths: BTreeSet<String> = all.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths, in_schema);
    let readme = read("README.md");
    let (_, table) = readme.split_once("\n## Values\n").unwrap();
    let row = |(path, default): &(String, Value)| format!("| `{path}` | `{default}` |");
    let missing: Vec<String> = all.iter().map(row).filter(|row| !table.contains(row)).collect();
    assert!(missing.is_empty(), "not in the table of README.md:\n{}", missing.join("\n"));
    let rows = table.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, all.len(), "rows of values that are no more");
}

#[test]
fn the_chart_is_sound() {
    let beside = written("lint", "");
    let output = helm(&beside).args(["lint", "--strict"]).arg(folder()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let version = &defaults()["image"]["tag"];
    assert_eq!(version, "", "the tag is that of the chart");
    let chart = yaml::documents(&read("Chart.yaml")).next().unwrap().parse().unwrap().to_json();
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn values_that_are_wrong_are_named() {
    for (values, named) in [
        ("mode: gateway", "at '/mode': value must be one of 'sidecar', 'deployment', 'daemonset'"),
        ("replica: 3", "additional properties 'replica' not allowed"),
        ("replicas: two", "at '/replicas': got string, want integer"),
        ("replicas: 0", "at '/replicas': minimum: got 0, want 1"),
        ("zones: []", "at '/zones': minItems: got 0, want 1"),
        ("zones: cluster.local", "at '/zones': got string, want array"),
        ("image: {digest: abc}", "at '/image/digest': 'abc' does not match pattern"),
        ("image: {pullPolicy: Sometimes}", "at '/image/pullPolicy': value must be one of"),
        ("bindAddress: 127.0.0.1", "at '/bindAddress': value must be one of '0.0.0.0', '::'"),
        ("rbac: {namespaces: [Shop]}", "at '/rbac/namespaces/0': 'Shop' does not match pattern"),
        ("service: {clusterIP: None}", "at '/service/clusterIP': 'None' does not match pattern"),
        ("coredns: {cacheSeconds: 0}", "at '/coredns/cacheSeconds': minimum: got 0, want 1"),
        (
            "networkPolicy: {apiServer: [10.0.0.1]}",
            "at '/networkPolicy/apiServer/0': '10.0.0.1' does not match pattern",
        ),
        (
            "metrics: {runbooks: docs/runbooks}",
            "at '/metrics/runbooks': 'docs/runbooks' does not match pattern",
        ),
        ("podDisruptionBudget: {maxUnavailable: half}", "at '/podDisruptionBudget/maxUnavailable'"),
        ("lameduckSeconds: 301", "at '/lameduckSeconds': maximum: got 301, want 300"),
        (
            "lameduckSeconds: 25",
            "terminationGracePeriodSeconds: 30 is too short: lameduckSeconds and 11 more are needed, 36",
        ),
        (
            "{mode: sidecar, lameduckSeconds: 18}",
            "terminationGracePeriodSeconds: 30 is too short: lameduckSeconds and 13 more are needed, 31",
        ),
        (
            "{mode: sidecar, tls: {secretName: dns}}",
            "tls.secretName: gRPC of mode sidecar is a Unix socket, which has no TLS",
        ),
        (
            "tls: {clientNames: [coredns.kube-system.svc]}",
            "tls.clientNames: without tls.secretName there is no TLS, and everybody may ask",
        ),
        (
            "tls: {secretName: dns, clientNames: [coredns.kube-system.svc], clientCertificates: false}",
            "tls.clientNames: with tls.clientCertificates: false clients show no certificate, and have no names",
        ),
        (
            "{mode: daemonset, autoscaling: {enabled: true}}",
            "autoscaling.enabled: mode daemonset has one pod on every node",
        ),
        (
            "settings: {listen: {admin: 127.0.0.1:8081}}",
            "settings.listen.admin: write bindAddress: probes ask port 8081",
        ),
        (
            "settings: {listen: {lameduck: 60}}",
            "settings.listen.lameduck: write lameduckSeconds: pods end after it",
        ),
        (
            "networkPolicy: {apiServerPorts: []}",
            "at '/networkPolicy/apiServerPorts': minItems: got 0, want 1",
        ),
        ("extraVolumes: [{emptyDir: {}}]", "at '/extraVolumes/0': missing property 'name'"),
        ("settings: {telemetry: }", "at '/settings/telemetry': got null, want object"),
        ("settings: {telemetry: all}", "at '/settings/telemetry': got string, want object"),
        ("settings: {telemetry: {dnstap: all}}", "at '/settings/telemetry/dnstap': got string, want object"),
        (
            "settings: {sources: {kubernetes: [all]}}",
            "at '/settings/sources/kubernetes': got array, want object",
        ),
        (
            "{networkPolicy: {enabled: true}, settings: {telemetry: {traces: {endpoint: otel}}}}",
            "at '/settings/telemetry/traces/endpoint': 'otel' does not match pattern",
        ),
        // CoreDNS takes no such key.
        ("zones: ['::ffff:0:0/96']", "at '/zones/0': '::ffff:0:0/96' does not match pattern"),
        ("settings: {zones: [a.example]}", "settings.zones: write zones, which Corefiles are made of too"),
        (
            "settings: {sources: {kubernetes: {namespaces: [a]}}}",
            "settings.sources.kubernetes.namespaces: write rbac.namespaces, so that there are Roles in them",
        ),
        (
            "autoscaling: {enabled: true, minReplicas: 5, maxReplicas: 2}",
            "autoscaling.maxReplicas: 2 is below minReplicas, which is 5",
        ),
    ] {
        match Release::try_new("mesh", values) {
            Ok(release) => panic!("{values} is taken:\n{}", release.text),
            Err(told) => assert!(told.contains(named), "{values}: {told}"),
        }
    }
}

#[test]
fn settings_of_every_mode_are_good_settings() {
    for values in super::manifests::VARIANTS {
        let release = Release::new("mesh", values);
        let file = written("meshdns.yaml", release.file("dns-meshdns", "meshdns.yaml"));
        let read =
            meshdns::config::Settings::load(Some(Path::new(&file)), &meshdns::config::Overrides::default());
        read.unwrap_or_else(|problems| panic!("{values}:\n{problems}"));
    }
}
