//! What this istiod does that a comparison has to know. Where its sources and its documentation leave room, these tests
//! say what it does.

use std::net::{IpAddr, TcpStream};

use serde_json::Value;

use crate::support::istiod::{Istiod, Mode, Sent};

const IPV4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 255, 1));
const IPV6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1));

/// A ServiceEntry in namespace `shop`; `spec` is what it has beside its one host and a port.
fn entry(name: &str, host: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'}}
spec:
  hosts: ['{host}']
  ports: [{{number: 9000, name: tcp, protocol: TCP}}]
  {spec}
"
    )
}

/// A ready pod in namespace `shop`.
fn pod(name: &str, address: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: vm}}}}
spec: {{containers: [{{name: main, image: example}}]{spec}}}
status:
  phase: Running
  podIP: {address}
  podIPs: [{{ip: {address}}}]
  conditions: [{{type: Ready, status: 'True'}}]
"
    )
}

fn addresses(sent: &Sent, host: &str) -> Vec<String> {
    let mut addresses: Vec<String> =
        sent.name_table.get(host).into_iter().flatten().map(IpAddr::to_string).collect();
    addresses.sort_unstable();
    addresses
}

/// `status.addresses` of an entry, values only.
fn assigned(objects: &str, name: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(objects).unwrap();
    let entry = list["items"].as_array().unwrap().iter().find(|entry| entry["metadata"]["name"] == name);
    let addresses = entry.unwrap()["status"]["addresses"].as_array().into_iter().flatten();
    addresses.map(|address| address["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_status_allocator_writes_and_tables_and_listeners_use_it() {
    let mut istiod = Istiod::start();
    let loaded = istiod.load(&entry("one", "one.example", "resolution: STATIC"), Mode::Status).unwrap();
    assert_eq!(assigned(&loaded.objects, "one"), ["240.240.0.1", "2001:2::1"]);
    TcpStream::connect(loaded.address).expect("others can ask it too");
    let sent = istiod.sent_to("shop", IPV4).unwrap();
    assert_eq!(addresses(&sent, "one.example"), ["240.240.0.1"]);
    assert!(
        sent.listeners.values().flatten().any(|socket| socket.to_string() == "240.240.0.1:9000"),
        "{sent:?}"
    );
    assert_eq!(addresses(&istiod.sent_to("shop", IPV6).unwrap(), "one.example"), ["2001:2::1"]);
}

#[test]
fn changes_are_in_effect_when_they_are_answered() {
    let mut istiod = Istiod::start();
    istiod.load(&entry("one", "one.example", "resolution: STATIC"), Mode::Status).unwrap();
    let two = entry("two", "two.example", "resolution: DNS");
    assert_eq!(assigned(&istiod.apply(&two).unwrap().objects, "two"), ["240.240.0.2", "2001:2::2"]);
    assert_eq!(addresses(&istiod.sent_to("shop", IPV4).unwrap(), "two.example"), ["240.240.0.2"]);
    // Its author takes the address that the other one has: the other one moves.
    let literal = entry("two", "two.example", "resolution: DNS\n  addresses: [240.240.0.1]");
    let moved = istiod.apply(&literal).unwrap();
    assert_eq!(assigned(&moved.objects, "two"), [""; 0]);
    assert_ne!(assigned(&moved.objects, "one")[0], "240.240.0.1");
    istiod.delete(&literal).unwrap();
    assert!(!istiod.sent_to("shop", IPV4).unwrap().name_table.contains_key("two.example"));
}

#[test]
fn the_hash_allocator_computes_and_leaves_the_status_alone() {
    let mut istiod = Istiod::start();
    let text = entry("pay", "pay.example.com", "resolution: DNS");
    let loaded = istiod.load(&text, Mode::Hash).unwrap();
    assert_eq!(assigned(&loaded.objects, "pay"), [""; 0]);
    // 32-bit FNV-1a of `shop/pay.example.com`: slot 43555, 43556 = 170 * 255 + 206.
    assert_eq!(addresses(&istiod.sent_to("shop", IPV4).unwrap(), "pay.example.com"), ["240.240.170.206"]);
    assert_eq!(addresses(&istiod.sent_to("shop", IPV6).unwrap(), "pay.example.com"), ["2001:2::f0f0:aace"]);
}

#[test]
fn what_admission_refuses_is_refused_by_name() {
    let mut istiod = Istiod::start();
    let cases = [
        ("resolution: DNS\n  addresses: [10.0.0.0/8]", "CIDR addresses are allowed only for NONE/STATIC"),
        ("resolution: STATIC\n  endpoints: [{address: db.example}]", "not a valid IP address"),
        ("exportTo: ['*', data]", "cannot have both public (*) and non-public"),
        ("resolution: SOMETIMES", "SOMETIMES"),
    ];
    for (spec, reason) in cases {
        let refusal =
            istiod.load(&entry("wrong", "wrong.example", spec), Mode::Status).unwrap_err().to_string();
        assert!(refusal.contains("ServiceEntry shop/wrong") && refusal.contains(reason), "{refusal}");
    }
    let refusal = istiod.apply("").unwrap_err().to_string();
    assert!(refusal.contains("nothing is loaded"), "{refusal}");
}

#[test]
fn a_host_or_an_address_twice_in_one_entry_counts_once() {
    let mut istiod = Istiod::start();
    let twice = entry("twice", "twice.example", "addresses: [10.0.0.1, 10.0.0.1, 10.0.0.2]")
        .replace("['twice.example']", "['twice.example', 'twice.example']");
    istiod.load(&twice, Mode::Status).unwrap();
    assert_eq!(addresses(&istiod.sent_to("shop", IPV4).unwrap(), "twice.example"), ["10.0.0.1", "10.0.0.2"]);
}

/// Endpoints of WorkloadEntries have no health at all, and only healthy ones get into a name table.
#[test]
fn workload_entries_are_in_no_name_table() {
    let mut istiod = Istiod::start();
    let workload = "---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: shop, labels: {app: vm}}
spec: {address: 10.247.0.1}
";
    let selecting = entry("vms", "vms.example", "workloadSelector: {labels: {app: vm}}");
    istiod.load(&(workload.to_owned() + &selecting), Mode::Status).unwrap();
    assert_eq!(addresses(&istiod.sent_to("shop", IPV4).unwrap(), "vms.example"), [""; 0]);
    istiod.apply(&pod("p-0", "10.244.0.1", "")).unwrap();
    assert_eq!(addresses(&istiod.sent_to("shop", IPV4).unwrap(), "vms.example"), ["10.244.0.1"]);
}

/// Endpoints are kept by namespace, host and port, and not by entry.
#[test]
fn an_entry_without_selector_shares_the_workloads_of_its_host() {
    let mut istiod = Istiod::start();
    let hidden = entry("hidden", "vms.example", "workloadSelector: {labels: {app: vm}}\n  exportTo: ['.']");
    let public = entry("public", "vms.example", "exportTo: ['*']");
    istiod.load(&(pod("p-0", "10.244.0.1", "") + &hidden + &public), Mode::Status).unwrap();
    assert_eq!(addresses(&istiod.sent_to("elsewhere", IPV4).unwrap(), "vms.example"), ["10.244.0.1"]);
}

#[test]
fn pods_with_a_subdomain_have_names_below_the_host_that_selects_them() {
    let mut istiod = Istiod::start();
    let selecting = entry("vms", "vms.example.com", "workloadSelector: {labels: {app: vm}}");
    let named = pod("p-0", "10.244.0.1", ", hostname: first, subdomain: inner");
    istiod.load(&(named + &selecting), Mode::Status).unwrap();
    assert_eq!(addresses(&istiod.sent_to("shop", IPV4).unwrap(), "first.inner.example.com"), ["10.244.0.1"]);
}

#[test]
fn ipv6_sidecars_know_no_headless_services() {
    let mut istiod = Istiod::start();
    let headless = "---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, clusterIPs: [None], ports: [{name: tcp, port: 9000, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-0, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv6
ports: [{name: tcp, port: 9000, protocol: TCP}]
endpoints: [{addresses: ['fd00:245::1']}]
";
    istiod.load(headless, Mode::Status).unwrap();
    let host = "db.shop.svc.cluster.local";
    assert_eq!(addresses(&istiod.sent_to("shop", IPV4).unwrap(), host), ["fd00:245::1"]);
    assert_eq!(addresses(&istiod.sent_to("shop", IPV6).unwrap(), host), [""; 0]);
}
