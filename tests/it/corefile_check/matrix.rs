//! Classes, annotations, rules and caches in every combination: the TTL that `dig` sees is the one that `check` tells.

use std::net::SocketAddr;

use serde_json::Value;

use crate::commands::{path, run};
use crate::support::coredns::CoreDns;
use crate::support::dig::dig_all;
use crate::support::process::{Meshdns, free_address, written};

/// What objects ask for, by the end of their names. The settings allow 1 to 600 s.
const ANNOTATIONS: [(&str, &str); 4] = [
    ("plain", ""),
    ("small", ", annotations: {meshdns.io/ttl: '2'}"),
    ("large", ", annotations: {meshdns.io/ttl: '400'}"),
    ("beyond", ", annotations: {meshdns.io/ttl: '3000'}"),
];

/// Rules for a part of the objects, and the classes without objects of which they take the names that are asked here.
const POLICIES: [(&str, &[&str]); 5] = [
    ("", &[]),
    ("{namespaces: [shop], ttl: 3}", &["pod"]),
    ("{selector: 'tier in (fast)', ttl: 700}", &["pod"]),
    (
        "{name: below, hosts: ['*.shop.svc.cluster.local', .internal, '*.cluster.local'], ttl: 4}",
        &["pod", "default", "negative"],
    ),
    ("{classes: [clusterIP, srv, externalName, vip, ptr, negative], ttl: 1}", &["negative"]),
];

/// Caches, each in a server block of its own.
const CACHES: [&str; 6] = [
    "",
    "cache",
    "cache 30",
    "cache {\n success 9984 3600 0\n denial 9984 1800 0\n }",
    "cache {\n success 9984 60 20\n denial 9984 2 0\n }",
    "cache {\n success 9984 10 3\n denial 9984 30 10\n }",
];

/// A question, and where its TTL is told.
struct Cell {
    class: &'static str,
    zone: &'static str,
    question: String,
    /// The object that is answered; without one the rule or the class gives the TTL.
    object: Option<String>,
}

impl Cell {
    fn of(class: &'static str, zone: &'static str, question: String, object: String) -> Self {
        Self { class, zone, question, object: Some(object) }
    }

    fn without_object(class: &'static str, question: &str) -> Self {
        Self { class, zone: "cluster.local", question: question.to_owned(), object: None }
    }
}

fn objects() -> String {
    let mut text = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: data}
---
apiVersion: v1
kind: Pod
metadata: {name: pod, namespace: shop, labels: {tier: fast}}
status: {phase: Running, podIP: 10.1.2.3, podIPs: [{ip: 10.1.2.3}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: data}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
"
    .to_owned();
    for (number, (end, annotation)) in ANNOTATIONS.into_iter().enumerate() {
        text += &format!(
            "---
apiVersion: v1
kind: Service
metadata: {{name: ip-{end}, namespace: shop, labels: {{tier: fast}}{annotation}}}
spec: {{clusterIP: 10.96.0.{number}, ports: [{{name: http, port: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: set-{end}, namespace: data, labels: {{tier: fast}}{annotation}}}
spec: {{clusterIP: None, ports: [{{name: http, port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: set-{end}, namespace: data, labels: {{kubernetes.io/service-name: set-{end}}}}}
addressType: IPv4
endpoints: [{{addresses: [10.96.1.{number}], hostname: set-0}}]
ports: [{{name: http, port: 80}}]
---
apiVersion: v1
kind: Service
metadata: {{name: inside-{end}, namespace: shop{annotation}}}
spec: {{type: ExternalName, externalName: ip-small.shop.svc.cluster.local}}
---
apiVersion: v1
kind: Service
metadata: {{name: outside-{end}, namespace: shop{annotation}}}
spec: {{type: ExternalName, externalName: payments.example.com}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: literal-{end}, namespace: shop{annotation}}}
spec: {{hosts: [literal-{end}.internal], addresses: [192.0.2.{number}], resolution: STATIC, ports: [{{number: 80, name: http, protocol: HTTP}}]}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: vip-{end}, namespace: data, labels: {{tier: fast}}{annotation}}}
spec: {{hosts: [vip-{end}.internal], resolution: STATIC, ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: [{{address: 192.0.2.9}}]}}
status: {{addresses: [{{value: 240.240.0.{number}, host: vip-{end}.internal}}]}}
"
        );
    }
    text
}

fn cells() -> Vec<Cell> {
    let mut cells = vec![
        Cell::without_object("pod", "10-1-2-3.shop.pod.cluster.local A"),
        Cell::without_object("default", "ns.dns.cluster.local A"),
        Cell::without_object("negative", "none.shop.svc.cluster.local A"),
        Cell::without_object("negativePending", "nobody.data.svc.cluster.local A"),
    ];
    let (cluster, mesh) = ("cluster.local", "internal");
    for (number, (end, _)) in ANNOTATIONS.into_iter().enumerate() {
        let service = |name: &str| format!("Service {name}-{end}");
        let entry = |name: &str| format!("ServiceEntry {name}-{end}");
        let asked = |name: &str, rest: &str| format!("{name}-{end}.{rest}");
        let shop = "shop.svc.cluster.local";
        cells.extend([
            Cell::of("clusterIP", cluster, asked("ip", &format!("{shop} A")), service("shop/ip")),
            Cell::of("srv", cluster, asked("_http._tcp.ip", &format!("{shop} SRV")), service("shop/ip")),
            Cell::of("ptr", "10.96.0.0/16", format!("-x 10.96.0.{number}"), service("shop/ip")),
            Cell::of("headless", cluster, asked("set", "data.svc.cluster.local A"), service("data/set")),
            Cell::of(
                "headless",
                cluster,
                asked("set-0.set", "data.svc.cluster.local A"),
                service("data/set"),
            ),
            Cell::of("srv", cluster, asked("set", "data.svc.cluster.local SRV"), service("data/set")),
            Cell::of("ptr", "10.96.0.0/16", format!("-x 10.96.1.{number}"), service("data/set")),
            Cell::of(
                "externalName",
                cluster,
                asked("inside", &format!("{shop} CNAME")),
                service("shop/inside"),
            ),
            Cell::of("externalName", cluster, asked("inside", &format!("{shop} A")), service("shop/inside")),
            Cell::of(
                "externalName, target elsewhere",
                cluster,
                asked("outside", &format!("{shop} A")),
                service("shop/outside"),
            ),
            Cell::of("serviceEntry", mesh, asked("literal", "internal A"), entry("shop/literal")),
            Cell::of("vip", mesh, asked("vip", "internal A"), entry("data/vip")),
            Cell::of("ptr", "240.240.0.0/16", format!("-x 240.240.0.{number}"), entry("data/vip")),
        ]);
    }
    cells
}

/// What is told for a cell on a port: smallest and largest.
fn told(report: &Value, port: u16, cell: &Cell, taken: &[&str]) -> (u64, u64) {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let route = list(&report["corefile"]["routes"]).into_iter().find(|route| {
        let here = route["server"].as_str().unwrap().ends_with(&format!(":{port}"));
        here && list(&route["zones"]).iter().any(|known| known == cell.zone)
    });
    let route = route.unwrap_or_else(|| panic!("{} is not on port {port}: {report}", cell.zone));
    let of_class = list(&route["ttls"]).into_iter().filter(|ttl| ttl["class"] == cell.class);
    let rows: Vec<Value> = match &cell.object {
        Some(object) => of_class
            .filter(|ttl| list(&ttl["objects"]["first"]).iter().any(|known| known == object.as_str()))
            // An alias by itself, and with the target before it.
            .filter(|ttl| {
                let of_target = ttl["from"].as_str().unwrap().ends_with(", of the target");
                !(of_target && cell.question.ends_with("CNAME"))
            })
            .collect(),
        None => {
            let by_rule = taken.contains(&cell.class);
            of_class.filter(|ttl| ttl["from"].as_str().unwrap().contains("rules") == by_rule).collect()
        }
    };
    let row = rows.iter().min_by_key(|ttl| ttl["meshdns"]["largest"].as_u64().unwrap());
    let row = row.unwrap_or_else(|| panic!("nothing is told for {}: {route}", cell.question));
    let end = |name: &str| row["client"][name].as_u64().unwrap();
    (end("smallest"), end("largest"))
}

#[test]
fn every_combination_is_seen_as_it_is_told() {
    let manifests = written("objects.yaml", &objects());
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    let cells = cells();
    let mut compared = 0;
    let mut changed = 0;
    for (rule, taken) in POLICIES {
        let rules = if rule.is_empty() { String::new() } else { format!(", rules: [{rule}]") };
        let settings = format!(
            "zones: [cluster.local, internal, 10.96.0.0/16, 240.240.0.0/16]\nsources: {{manifests: [{}]}}\n\
             kubernetes: {{pods: verified, serverAddresses: [192.0.2.10]}}\nserviceEntries: {{addresses: status}}\n\
             upstreams: [\"{resolver}\"]\nttl: {{default: 40, negative: 6, negativePending: 3, headless: 1, ptr: 50, \
             externalName: 20, annotations: {{min: 1, max: 600}}{rules}}}\n",
            manifests.display()
        );
        let meshdns = Meshdns::start(&settings);
        let servers = CACHES.map(|cache| (free_address(), cache));
        let block = |(server, cache): &(SocketAddr, &str)| {
            format!(".:{} {{\n bind 127.0.0.1\n {cache}\n grpc . {}\n}}\n", server.port(), meshdns.grpc)
        };
        let text: String = servers.iter().map(block).collect();
        let _coredns = CoreDns::start(&text);
        let (config, corefile) = (written("meshdns.yaml", &settings), written("Corefile", &text));
        let arguments =
            ["check", "--config", path(&config), "--corefile", path(&corefile), "--output", "json"];
        let report = run(&arguments).json();
        for (server, cache) in servers {
            let replies = dig_all(server, cells.iter().map(|cell| &*cell.question));
            assert_eq!(replies.len(), cells.len(), "not every question was answered through `{cache}`");
            for (cell, reply) in cells.iter().zip(&replies) {
                let (smallest, largest) = told(&report, server.port(), cell, taken);
                let record = reply.answer.first().or(reply.authority.first());
                let record = record.unwrap_or_else(|| panic!("{}: {}", cell.question, reply.text));
                let seen = u64::from(record.ttl);
                assert!(
                    (smallest..=largest).contains(&seen)
                        && (smallest == largest || cell.class.ends_with("elsewhere")),
                    "rule `{rule}`, `{cache}`, {}: {seen} s, and {smallest} to {largest} were told",
                    cell.question
                );
                compared += 1;
                changed += usize::from(seen == 2 || seen == 400);
            }
        }
    }
    assert_eq!(compared, POLICIES.len() * CACHES.len() * cells.len());
    assert!(changed > 100, "annotations gave only {changed} TTLs");
}
