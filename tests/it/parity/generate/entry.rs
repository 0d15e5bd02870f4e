//! ServiceEntries, within what Istio's admission takes (`pkg/config/validation`, and the rules in the definition).

use serde_json::{Value, json};

use super::Builder;
use super::kubernetes::APPS;
use crate::support::random::Random;

/// Protocols with which several hosts can share a port.
const WITH_HOST: [&str; 5] = ["HTTP", "HTTPS", "TLS", "GRPC", "HTTP2"];
const ANY: [&str; 6] = ["TCP", "HTTP", "TLS", "GRPC", "MONGO", "TCP"];
/// Those that a proxy can take a name from at each request.
const DYNAMIC: [&str; 4] = ["HTTP", "TLS", "GRPC", "HTTP2"];
/// Values of the label that opts out; only `false`, in any letter case, does.
const OPT_OUT: [&str; 6] = ["false", "False", "FALSE", "true", "no", ""];

/// A ServiceEntry of some of the set's hosts.
pub(super) fn entry(builder: &mut Builder, namespace: &str) {
    let count = builder.random.pick(&[1, 1, 1, 2, 3]);
    let mut hosts: Vec<String> =
        builder.random.sample(&builder.hosts, count).into_iter().map(str::to_owned).collect();
    if builder.random.percent(8) {
        hosts.push(hosts[0].clone());
    }
    let resolution = resolution(builder, &hosts);
    let mut spec = json!({"hosts": hosts});
    if let Some(written) = resolution.or_else(|| builder.random.percent(50).then_some("NONE")) {
        spec["resolution"] = json!(written);
    }
    let resolution = resolution.unwrap_or("NONE");
    spec["ports"] = ports(&mut builder.random, resolution, hosts.len());
    if resolution != "DYNAMIC_DNS" && builder.random.percent(45) {
        spec["addresses"] = addresses(builder, resolution);
    }
    workloads(builder, resolution, &mut spec);
    if let Some(exports) = exports(builder, namespace) {
        spec["exportTo"] = exports;
    }
    add(builder, namespace, &spec);
}

/// A ServiceEntry whose only point is the automatic address of this host.
pub(super) fn bare(builder: &mut Builder, namespace: &str, host: &str) {
    let resolution = builder.random.pick(&["STATIC", "DNS", "DNS_ROUND_ROBIN"]);
    let spec = json!({
        "hosts": [host],
        "resolution": resolution,
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
    });
    add(builder, namespace, &spec);
}

fn add(builder: &mut Builder, namespace: &str, spec: &Value) {
    let name = builder.fresh("e", namespace);
    let version = builder.random.pick(&["v1", "v1", "v1beta1", "v1alpha3"]);
    let mut object = json!({
        "apiVersion": format!("networking.istio.io/{version}"),
        "kind": "ServiceEntry",
        "metadata": {},
        "spec": spec,
    });
    if builder.random.percent(15) {
        let value = builder.random.pick(&OPT_OUT);
        object["metadata"]["labels"] = json!({"networking.istio.io/enable-autoallocate-ip": value});
    }
    if builder.random.percent(12) {
        object["status"] = status(builder, &object["spec"]["hosts"]);
    }
    builder.add(object, namespace, &name);
}

/// One that these hosts can have; nothing is `NONE`.
fn resolution(builder: &mut Builder, hosts: &[String]) -> Option<&'static str> {
    let wildcards = hosts.iter().filter(|host| host.starts_with('*')).count();
    if wildcards == hosts.len() && builder.random.percent(40) {
        return Some("DYNAMIC_DNS");
    }
    builder.random.pick(&[
        None,
        None,
        Some("STATIC"),
        Some("STATIC"),
        Some("DNS"),
        Some("DNS"),
        Some("DNS_ROUND_ROBIN"),
    ])
}

fn ports(random: &mut Random, resolution: &str, hosts: usize) -> Value {
    let protocols: &[&str] = match resolution {
        "DYNAMIC_DNS" => &DYNAMIC,
        "NONE" => &ANY,
        _ if hosts > 1 => &WITH_HOST,
        _ => &ANY,
    };
    let count = random.pick(&[0, 1, 1, 1, 1, 1, 2, 2]);
    let numbers = random.sample(&[80, 443, 5432, 9000], count);
    let port = |number: i32| json!({"number": number, "name": format!("p{number}"), "protocol": random.pick(protocols)});
    numbers.into_iter().map(port).collect()
}

/// Literal addresses, some in the range of automatic ones. Only `NONE` and `STATIC` may have ranges.
fn addresses(builder: &mut Builder, resolution: &str) -> Value {
    let kinds = if matches!(resolution, "NONE" | "STATIC") { 9 } else { 4 };
    let mut addresses: Vec<String> = Vec::new();
    for _ in 0..builder.random.between(1, 3) {
        let low = builder.random.between(1, 8);
        let address = match builder.random.between(0, kinds) {
            0 | 1 => builder.address("10.20"),
            2 => builder.address("fd00:20:"),
            3 => builder.random.pick(&[format!("240.240.0.{low}"), format!("2001:2::{low}")]),
            4 => addresses.last().cloned().unwrap_or_else(|| "FD00:20::AB".to_owned()),
            5 => format!("10.21.{low}.0/24"),
            6 => format!("10.21.{low}.7/16"),
            7 => format!("fd00:21:{low}::/64"),
            8 => builder.address("10.22") + "/32",
            _ => builder.address("fd00:22:") + "/128",
        };
        addresses.push(address);
    }
    json!(addresses)
}

/// Endpoints or a selector, or neither.
fn workloads(builder: &mut Builder, resolution: &str, spec: &mut Value) {
    let most = match resolution {
        "NONE" | "DYNAMIC_DNS" => 0,
        "DNS_ROUND_ROBIN" => 1,
        _ => 2,
    };
    let by_name = resolution.starts_with("DNS");
    let wildcard = spec["hosts"].as_array().is_some_and(|hosts| hosts.iter().any(is_wildcard));
    // The proxy cannot resolve a wildcard: it needs to be told what to resolve.
    let least = usize::from(by_name && wildcard);
    if resolution != "DYNAMIC_DNS" && least == 0 && builder.random.percent(30) {
        let labels = match builder.random.percent(10) {
            true => json!({"app": builder.random.pick(&APPS), "tier": "old"}),
            false => json!({"app": builder.random.pick(&APPS)}),
        };
        spec["workloadSelector"] = json!({"labels": labels});
        return;
    }
    let count = builder.random.between(least, most.max(least));
    let endpoints: Vec<Value> = (0..count)
        .map(|_| match builder.random.between(0, 3) {
            // A host that resolves to itself.
            0 if by_name && !wildcard => json!({"address": spec["hosts"][0]}),
            1 if by_name => json!({"address": "backend.example.net"}),
            2 => json!({"address": builder.address("fd00:30:")}),
            _ => json!({"address": builder.address("10.30")}),
        })
        .collect();
    if !endpoints.is_empty() {
        spec["endpoints"] = json!(endpoints);
    }
}

fn is_wildcard(host: &Value) -> bool {
    host.as_str().is_some_and(|host| host.starts_with('*'))
}

/// Who may see it; nothing is everyone. A star and a tilde must stand alone, and nobody may be named twice.
fn exports(builder: &mut Builder, namespace: &str) -> Option<Value> {
    let others: Vec<&str> =
        builder.namespaces.iter().copied().chain(["elsewhere"]).filter(|name| *name != namespace).collect();
    Some(match builder.random.between(0, 19) {
        0..=10 => return None,
        11 | 12 => json!(["*"]),
        13 | 14 => json!(["."]),
        15 => json!(["~"]),
        16 => json!([namespace]),
        17 => json!([".", builder.random.pick(&others)]),
        18 => json!([builder.random.pick(&others)]),
        _ => json!(builder.random.sample(&others, 2)),
    })
}

/// Automatic addresses of earlier times: of all hosts or some, of one family or both, of a host that is gone, perhaps
/// of an entry that gets none any more. Never those of another entry: over these, istiod's allocator can crash, or leave
/// them as they are.
fn status(builder: &mut Builder, hosts: &Value) -> Value {
    let mut addresses = Vec::new();
    for host in hosts.as_array().into_iter().flatten().chain([&json!("gone.example.com")]) {
        let number = 100 + builder.next("status");
        let pair = [format!("240.240.0.{number}"), format!("2001:2::{number:x}")];
        let count = builder.random.pick(&[0, 1, 2, 2]);
        addresses.extend(pair.iter().take(count).map(|value| json!({"value": value, "host": host})));
    }
    json!({"addresses": addresses})
}
