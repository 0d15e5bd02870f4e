//! EndpointSlices, as controllers write them and as people may.

use std::ops::Range;

use serde_json::{Value, json};

use super::{Builder, LONGEST};
use crate::support::kube::{ENDPOINT_SLICES, ENDPOINTS};

const HOSTNAMES: [&str; 8] = ["db-0", "db-1", "db-2", "tcp", "http", "10-244-0-9", "a", LONGEST];
const PODS: [&str; 5] = ["web-7d4b9", "web-5c8f2", "db-0", "web.v1", "10-244-0-7"];
const ZONES: [&str; 4] = ["eu-1", "eu-2", "EU-1", "eu.central-2"];

/// The slices of a service with these ports: none, one or several.
pub(super) fn some(builder: &mut Builder, namespace: &str, service: &str, ports: &Value) {
    for number in 0..builder.random.pick(&[0, 1, 1, 1, 2, 3]) {
        let kind = builder.random.pick(&["IPv4", "IPv4", "IPv4", "IPv4", "IPv6", "IPv6", "IPv6", "FQDN"]);
        let kind = if kind == "FQDN" && builder.random.percent(60) { "IPv4" } else { kind };
        let mut slice = slice(builder, kind, ports);
        slice["metadata"]["labels"]["kubernetes.io/service-name"] = json!(service);
        let name = format!("slice-{number}-of-{}", &service[service.len().saturating_sub(50)..]);
        if number == 0 && kind != "FQDN" && builder.random.percent(15) {
            slice["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] =
                json!("endpointslicemirroring-controller.k8s.io");
            endpoints(builder, namespace, service, &slice);
        }
        builder.add(ENDPOINT_SLICES, namespace, &name, slice);
    }
}

/// A slice with an endpoint for each of these numbers.
pub(super) fn large(
    builder: &mut Builder,
    namespace: &str,
    service: &str,
    family: &str,
    numbers: Range<usize>,
) {
    let name = format!("{service}-{}", numbers.start);
    let endpoints: Vec<Value> = numbers
        .map(|number| match family {
            "IPv4" => format!("10.245.{}.{}", number / 250, number % 250 + 1),
            _ => format!("fd00:10:245::{:x}", number + 1),
        })
        .map(|address| json!({"addresses": [address], "conditions": {"ready": true}}))
        .collect();
    let mut slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
        "ports": [{"name": "http", "port": 8080}, {"name": "grpc", "port": 8081}], "endpoints": endpoints,
    });
    slice["metadata"]["labels"]["kubernetes.io/service-name"] = json!(service);
    builder.add(ENDPOINT_SLICES, namespace, &name, slice);
}

/// A slice that belongs to nobody yet.
pub(super) fn slice(builder: &mut Builder, kind: &str, ports: &Value) -> Value {
    let endpoints: Vec<Value> =
        (0..builder.random.pick(&[0, 1, 1, 2, 3, 4])).map(|_| endpoint(builder, kind)).collect();
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "addressType": kind, "endpoints": endpoints, "ports": slice_ports(builder, ports),
    })
}

/// Ports of a slice: those of the service with numbers of their own, without numbers, one without a name, or none.
fn slice_ports(builder: &mut Builder, ports: &Value) -> Value {
    match builder.random.between(0, 19) {
        0 => Value::Null,
        1 => json!([]),
        2 => json!([{"name": "", "port": 9090}]),
        3 => json!([{"name": "http", "port": 9090}, {"name": "http-udp", "port": 9090, "protocol": "UDP"}]),
        4 => json!([{"name": "grpc", "protocol": "TCP"}]),
        _ => {
            let ports = ports.as_array().into_iter().flatten().map(|port| {
                json!({
                    "name": port["name"].as_str().unwrap_or_default(), "protocol": port["protocol"].as_str().unwrap_or("TCP"),
                    "port": builder.random.between(8000, 8005),
                })
            });
            ports.collect()
        }
    }
}

fn endpoint(builder: &mut Builder, kind: &str) -> Value {
    let mut endpoint = json!({"addresses": [builder.address(kind)]});
    if builder.random.percent(6) {
        endpoint["addresses"] = json!([endpoint["addresses"][0], builder.address(kind)]);
    }
    endpoint["conditions"] = match builder.random.between(0, 19) {
        0..12 => json!({"ready": true, "serving": true, "terminating": false}),
        12 | 13 => json!({}),
        14..17 => json!({"ready": false}),
        // Published all the same: it terminates, and the service says so.
        17 => json!({"ready": true, "serving": false, "terminating": true}),
        _ => json!({"ready": false, "serving": true, "terminating": true}),
    };
    if builder.random.percent(30) {
        endpoint["hostname"] = json!(builder.random.pick(&HOSTNAMES));
    }
    if builder.random.percent(60) {
        let name = match builder.random.percent(10) {
            true => format!("{LONGEST}-and-more"),
            false => builder.random.pick(&PODS).to_owned(),
        };
        endpoint["targetRef"] = json!({"kind": "Pod", "name": name});
    }
    if builder.random.percent(70) {
        endpoint["zone"] = json!(builder.random.pick(&ZONES));
    }
    endpoint
}

/// The Endpoints that a slice was mirrored from. Whoever reads both would answer twice.
fn endpoints(builder: &mut Builder, namespace: &str, service: &str, slice: &Value) {
    let addresses: Vec<Value> = slice["endpoints"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|endpoint| json!({"ip": endpoint["addresses"][0]}))
        .collect();
    if !addresses.is_empty() {
        let subset = json!({"addresses": addresses, "ports": [{"name": "mirrored", "port": 7070}]});
        let object = json!({"apiVersion": "v1", "kind": "Endpoints", "subsets": [subset]});
        builder.add(ENDPOINTS, namespace, service, object);
    }
}
