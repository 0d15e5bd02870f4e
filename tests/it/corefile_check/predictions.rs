//! TTLs as a real CoreDNS hands them out, and as they were predicted.

use std::net::SocketAddr;

use serde_json::Value;

use crate::commands::{path, run};
use crate::support::coredns::CoreDns;
use crate::support::dig::dig;
use crate::support::process::{Meshdns, free_address, written};

/// Caches, each in a server block of its own.
const CACHES: [&str; 9] = [
    "",
    "cache",
    "cache 30",
    "cache 3",
    "cache {\n success 9984 30 0\n denial 9984 30 0\n }",
    "cache {\n success 9984 60 20\n denial 9984 4 0\n }",
    "cache {\n success 9984 10 20\n denial 9984 30 10\n keepttl\n }",
    "cache 30 {\n disable success\n disable denial cluster.local\n }",
    "cache 30 in-addr.arpa",
];

/// A question of each class.
const QUESTIONS: [(&str, &str, &str); 10] = [
    ("clusterIP", "cluster.local", "web.shop.svc.cluster.local A"),
    ("headless", "cluster.local", "redis.redis.svc.cluster.local A"),
    ("pod", "cluster.local", "10-1-2-3.shop.pod.cluster.local A"),
    ("externalName", "cluster.local", "checkout.shop.svc.cluster.local CNAME"),
    ("externalName, target elsewhere", "cluster.local", "payments.shop.svc.cluster.local A"),
    ("srv", "cluster.local", "_http._tcp.web.shop.svc.cluster.local SRV"),
    ("serviceEntry", "internal", "address.internal A"),
    ("vip", "internal", "auto.internal A"),
    ("ptr", "10.96.0.0/16", "-x 10.96.0.20"),
    ("negative", "cluster.local", "none.shop.svc.cluster.local A"),
];

fn settings(more: &str, resolver: SocketAddr) -> String {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/manifests");
    format!(
        "zones: [cluster.local, internal, 10.96.0.0/16]\nsources: {{manifests: [\"{examples}\"]}}\n\
         kubernetes: {{pods: insecure}}\nupstreams: [\"{resolver}\"]\n{more}"
    )
}

/// What was predicted for a class of a zone on a port: smallest and largest.
fn predicted(report: &Value, port: u16, zone: &str, class: &str) -> (u64, u64) {
    let routes = report["corefile"]["routes"].as_array().unwrap();
    let route = routes.iter().find(|route| {
        let here = route["server"].as_str().unwrap().ends_with(&format!(":{port}"));
        here && route["zones"].as_array().unwrap().iter().any(|known| known == zone)
    });
    let route = route.unwrap_or_else(|| panic!("{zone} is not on port {port}: {report}"));
    let ttls = route["ttls"].as_array().unwrap();
    let ttl = ttls.iter().find(|ttl| ttl["class"] == class).unwrap_or_else(|| panic!("no {class}: {route}"));
    let end = |name: &str| ttl["client"][name].as_u64().unwrap();
    (end("smallest"), end("largest"))
}

/// The TTL of the first record in the first section that has one.
fn seen(server: SocketAddr, question: &str) -> u64 {
    let reply = dig(server, question.split(' ').chain(["+notcp"]));
    let record = reply.answer.first().or(reply.authority.first());
    u64::from(record.unwrap_or_else(|| panic!("{question}: {}", reply.text)).ttl)
}

#[test]
fn clients_see_the_ttls_that_were_predicted() {
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    for ttl in [
        "ttl: {default: 2, negative: 1}\n",
        "ttl: {default: 7, negative: 40}\n",
        "ttl: {default: 400, negative: 900}\n",
    ] {
        let settings = settings(ttl, resolver);
        let meshdns = Meshdns::start(&settings);
        let block = |server: SocketAddr, plugins: &str| {
            format!(".:{} {{\n bind 127.0.0.1\n {plugins}\n}}\n", server.port())
        };
        let servers = CACHES.map(|cache| (free_address(), cache));
        let mut text: String = servers
            .iter()
            .map(|(server, cache)| block(*server, &format!("{cache}\n grpc . {}", meshdns.grpc)))
            .collect();
        // Two in series, by a block that others ask.
        let (outer, inner) = (free_address(), free_address());
        text += &block(
            outer,
            &format!("cache {{\n success 9984 100 3\n denial 9984 100 0\n }}\n forward . {inner}"),
        );
        text += &block(
            inner,
            &format!("cache {{\n success 9984 50 0\n denial 9984 20 2\n }}\n grpc . {}", meshdns.grpc),
        );
        let corefile = written("Corefile", &text);
        let _coredns = CoreDns::start(&text);
        let config = written("meshdns.yaml", &settings);
        let found =
            run(&["check", "--config", path(&config), "--corefile", path(&corefile), "--output", "json"]);
        let report = found.json();
        for server in servers.iter().map(|(server, _)| *server).chain([outer]) {
            for (class, zone, question) in QUESTIONS {
                let (smallest, largest) = predicted(&report, server.port(), zone, class);
                let seen = seen(server, question);
                assert!(
                    (smallest..=largest).contains(&seen)
                        && (smallest == largest || class.contains("elsewhere")),
                    "{ttl}{class}: {seen} s, and {smallest} to {largest} were predicted\n{text}"
                );
            }
        }
    }
}
