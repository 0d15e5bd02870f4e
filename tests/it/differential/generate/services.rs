//! Services that have addresses or endpoints.

use serde_json::{Value, json};

use super::{Builder, aliases, slices};
use crate::support::kube::{ENDPOINT_SLICES, SERVICES};

const STEMS: [&str; 14] =
    ["web", "db", "api", "tcp", "udp", "http", "svc", "pod", "any", "dns", "ns", "a", "dns-version", "zone"];
/// Families and their policy.
const FAMILIES: [&[&str]; 4] = [&["IPv4"], &["IPv6"], &["IPv4", "IPv6"], &["IPv6", "IPv4"]];
const PORT_NAMES: [&str; 7] = ["http", "grpc", "dns", "metrics", "a", "tcp", "fifteen-is-most"];
const PROTOCOLS: [&str; 5] = ["TCP", "TCP", "TCP", "UDP", "SCTP"];

/// A service that other objects name: both families, two ports.
pub(super) const WEB: [&str; 2] = ["shop", "web"];

/// What every cluster has.
pub(super) fn special(builder: &mut Builder) {
    let ports = json!([{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]);
    let ips = [builder.cluster_ip("IPv4"), builder.cluster_ip("IPv6")];
    let spec = json!({
        "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack",
        "clusterIP": ips[0], "clusterIPs": ips, "ports": ports,
    });
    add(builder, WEB[0], WEB[1], &spec);
    slices::some(builder, WEB[0], WEB[1], &ports);
    for (name, family, endpoints, slices) in [
        ("few", "IPv4", 12, 1),
        ("many", "IPv4", 90, 2),
        ("many-six", "IPv6", 90, 2),
        ("crowd", "IPv4", 250, 4),
    ] {
        let ports = json!([{"name": "http", "port": 80}, {"name": "grpc", "port": 81}]);
        add(builder, "data", name, &json!({"clusterIP": "None", "ipFamilies": [family], "ports": ports}));
        for slice in 0..slices {
            slices::large(builder, "data", name, family, slice * endpoints..(slice + 1) * endpoints);
        }
    }
    // A slice of no service.
    let none = slices::slice(builder, "IPv4", &json!([]));
    builder.add(ENDPOINT_SLICES, "data", "of-none", none);
}

/// A service of any type, with what belongs to it.
pub(super) fn any(builder: &mut Builder, namespace: &str) {
    let stem = builder.random.pick(&STEMS);
    let name = builder.name(stem);
    match builder.random.between(0, 19) {
        0..8 => cluster_ip(builder, namespace, &name),
        8..16 => headless(builder, namespace, &name),
        16..19 => aliases::alias(builder, namespace, &name),
        _ => {
            // Slices without their service.
            let ports = ports(builder, 1);
            slices::some(builder, namespace, &name, &ports);
        }
    }
}

fn cluster_ip(builder: &mut Builder, namespace: &str, name: &str) {
    let families = builder.random.pick(&FAMILIES);
    let ips: Vec<String> = families.iter().map(|family| builder.cluster_ip(family)).collect();
    let kind = builder.random.pick(&["ClusterIP", "ClusterIP", "NodePort", "LoadBalancer"]);
    let ports = ports(builder, 1);
    let spec = json!({
        "type": kind, "ports": ports, "clusterIP": ips[0], "clusterIPs": ips, "ipFamilies": families,
        "ipFamilyPolicy": if families.len() > 1 { "RequireDualStack" } else { "SingleStack" },
        "publishNotReadyAddresses": builder.random.percent(10),
    });
    add(builder, namespace, name, &spec);
    slices::some(builder, namespace, name, &ports);
}

fn headless(builder: &mut Builder, namespace: &str, name: &str) {
    let families = builder.random.pick(&FAMILIES);
    let ports = ports(builder, 0);
    let spec = json!({
        "clusterIP": "None", "ports": ports, "ipFamilies": families,
        "ipFamilyPolicy": if families.len() > 1 { "RequireDualStack" } else { "SingleStack" },
        "publishNotReadyAddresses": builder.random.percent(20),
    });
    add(builder, namespace, name, &spec);
    slices::some(builder, namespace, name, &ports);
}

pub(super) fn add(builder: &mut Builder, namespace: &str, name: &str, spec: &Value) {
    let mut spec = spec.clone();
    if builder.random.percent(50) {
        spec["selector"] = json!({"app": name.get(..63).unwrap_or(name)});
    }
    builder.add(SERVICES, namespace, name, json!({"apiVersion": "v1", "kind": "Service", "spec": spec}));
}

/// Ports of a service; only one may be without a name.
pub(super) fn ports(builder: &mut Builder, least: usize) -> Value {
    let count = builder.random.between(least, 4);
    if count == 1 && builder.random.percent(40) {
        let protocol = builder.random.pick(&PROTOCOLS);
        return json!([{"port": builder.random.between(1, 65_535), "protocol": protocol}]);
    }
    let mut ports: Vec<Value> = Vec::new();
    for name in builder.random.sample(&PORT_NAMES, count) {
        // Two names may share a number if the protocol differs.
        let number = match ports.last() {
            Some(last) if builder.random.percent(25) => last["port"].as_u64().unwrap() as usize,
            _ => builder.random.between(1, 65_535),
        };
        let mut protocols = PROTOCOLS.to_vec();
        protocols.retain(|protocol| {
            ports.iter().all(|port| port["port"] != json!(number) || port["protocol"] != json!(protocol))
        });
        if let Some(protocol) = builder.random.sample(&protocols, 1).first() {
            ports.push(json!({"name": name, "port": number, "protocol": protocol}));
        }
    }
    if ports.is_empty() && least > 0 {
        ports.push(json!({"name": "http", "port": 80, "protocol": "TCP"}));
    }
    json!(ports)
}
