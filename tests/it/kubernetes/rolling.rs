//! Pods that leave, with slices as the controllers of Kubernetes write them: no address outlives its pod's readiness.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Served;
use crate::support::coredns::CoreDns;
use crate::support::dig::{Reply, data, dig};
use crate::support::kube::{ControlPlane, ENDPOINT_SLICES, Namespace, PODS, until};
use crate::support::process::free_address;

const ADDRESSES: [&str; 3] = ["10.244.7.10", "10.244.7.11", "10.244.7.12"];

/// A namespace with a headless service and its pods.
struct Shop<'p> {
    namespace: Namespace<'p>,
    markers: u8,
}

impl<'p> Shop<'p> {
    /// With three pods that run, and further fields of the service.
    fn open(plane: &'p ControlPlane, fields: &str) -> Self {
        let namespace = plane.namespace("rolling");
        namespace.apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: db}}, \
             spec: {{clusterIP: None, selector: {{app: db}}, ports: [{{name: sql, port: 5432}}], {fields}}}}}\n---\n\
             {{apiVersion: v1, kind: Service, metadata: {{name: marker}}, spec: {{clusterIP: None}}}}\n"
        ));
        for (number, address) in ADDRESSES.iter().enumerate() {
            namespace.run_pod(&format!("db-{number}"), &json!({"app": "db"}), &[address]);
        }
        Self { namespace, markers: 0 }
    }

    fn name(&self, service: &str) -> String {
        format!("{service}.{}.svc.cluster.local", self.namespace.name)
    }

    /// Waits until the slices say this of an address.
    fn is_said(&self, address: &str, conditions: &Value) {
        until(&format!("{address} is {conditions}"), || {
            let slices = self.namespace.list(ENDPOINT_SLICES);
            let endpoints = slices.iter().filter_map(|slice| slice["endpoints"].as_array()).flatten();
            let mut at = endpoints.filter(|endpoint| endpoint["addresses"][0] == address);
            at.any(|endpoint| endpoint["conditions"] == *conditions).then_some(())
        });
    }

    /// Waits until a server knows everything that slices say now: it answers with one that was written later.
    fn is_known_to(&mut self, server: &Served) {
        self.markers += 1;
        let address = format!("10.245.0.{}", self.markers);
        self.namespace.apply(&format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, ports: [], \
             metadata: {{name: marker, labels: {{kubernetes.io/service-name: marker}}}}, \
             endpoints: [{{addresses: [{address}]}}]}}"
        ));
        server.becomes(&self.name("marker"), "A", "NOERROR", &[&address]);
    }

    /// Lets a pod begin to leave, as a rolling restart does, and waits until the slices say so.
    fn let_leave(&self, number: usize, ready: bool) {
        self.namespace.let_leave(PODS, &format!("db-{number}"));
        let conditions = json!({"ready": ready, "serving": true, "terminating": true});
        self.is_said(ADDRESSES[number], &conditions);
    }
}

/// CoreDNS before a server, with a cache that keeps what is as small as it is.
fn cached(server: &Served) -> (CoreDns, SocketAddr) {
    let address = free_address();
    let (port, ip, grpc) = (address.port(), address.ip(), server.meshdns.grpc);
    let cache = "cache {\n  success 9984 30 0\n  denial 9984 30 0\n }";
    (CoreDns::start(&format!(".:{port} {{\n bind {ip}\n errors\n {cache}\n grpc . {grpc}\n}}\n")), address)
}

fn has(reply: &Reply, address: &str) -> bool {
    data(&reply.answer).contains(&address)
}

#[test]
fn a_rolling_restart_leaves_no_dead_address() {
    let plane = ControlPlane::shared();
    let mut shop = Shop::open(plane, "");
    let server = Served::start(plane, "ttl: {default: 2}\n");
    let (_coredns, cache) = cached(&server);
    let name = shop.name("db");
    server.becomes(&name, "A", "NOERROR", &ADDRESSES);
    for (number, dead) in ADDRESSES.iter().enumerate() {
        assert!(has(&dig(cache, [&name, "A"]), dead));
        shop.let_leave(number, false);
        shop.is_known_to(&server);
        let reply = dig(server.meshdns.dns, [&name, "A"]);
        assert!(!has(&reply, dead), "{}", reply.text);
        // What a cache has, it has as long as it was told.
        let mut kept_until = None;
        until("the cache has forgotten it", || {
            let asked = Instant::now();
            let reply = dig(cache, [&name, "A"]);
            if !has(&reply, dead) {
                return Some(());
            }
            let shown = Duration::from_secs(u64::from(reply.answer[0].ttl) + 1);
            let end = *kept_until.get_or_insert(Instant::now() + shown);
            assert!(asked < end, "kept for longer than it was told: {}", reply.text);
            None
        });
        shop.namespace.delete(PODS, &format!("db-{number}"));
        let new = dead.replace(".7.", ".8.");
        shop.namespace.run_pod(&format!("db-{number}"), &json!({"app": "db"}), &[&new]);
        until("the new pod is answered", || has(&dig(server.meshdns.dns, [&name, "A"]), &new).then_some(()));
    }
}

#[test]
fn terminating_pods_stand_in_only_where_that_is_asked_for() {
    let plane = ControlPlane::shared();
    let mut shop = Shop::open(plane, "");
    let by_default = Served::start(plane, "");
    let standing_in = Served::start(plane, "kubernetes: {terminatingEndpoints: whenAlone}\n");
    let name = shop.name("db");
    for server in [&by_default, &standing_in] {
        server.becomes(&name, "A", "NOERROR", &ADDRESSES);
    }
    shop.let_leave(0, false);
    shop.let_leave(1, false);
    for server in [&by_default, &standing_in] {
        shop.is_known_to(server);
        assert_eq!(data(&dig(server.meshdns.dns, [&name, "A"]).answer), ADDRESSES[2..]);
    }
    shop.let_leave(2, false);
    shop.is_known_to(&by_default);
    assert_eq!(dig(by_default.meshdns.dns, [&name, "A"]).status, "NXDOMAIN");
    shop.is_known_to(&standing_in);
    assert_eq!(data(&dig(standing_in.meshdns.dns, [&name, "A"]).answer), ADDRESSES);
    let told = standing_in.meshdns.page(&format!("/explain?name={name}&type=A"));
    assert!(told.contains("3 endpoints (none is ready, terminating ones stand in)"), "{told}");
}

#[test]
fn published_pods_that_are_not_ready_may_keep_to_their_own_names() {
    let plane = ControlPlane::shared();
    let mut shop = Shop::open(plane, "publishNotReadyAddresses: true");
    let by_default = Served::start(plane, "");
    let limited = Served::start(plane, "kubernetes: {notReadyAddresses: ownNamesOnly}\n");
    let name = shop.name("db");
    for server in [&by_default, &limited] {
        server.becomes(&name, "A", "NOERROR", &ADDRESSES);
    }
    shop.let_leave(0, true);
    let not_ready = json!({"conditions": [{"type": "Ready", "status": "False"}]});
    shop.namespace.merge_status(PODS, "db-1", &not_ready);
    shop.is_said(ADDRESSES[1], &json!({"ready": true, "serving": false, "terminating": false}));
    shop.is_known_to(&by_default);
    assert_eq!(data(&dig(by_default.meshdns.dns, [&name, "A"]).answer), ADDRESSES);
    shop.is_known_to(&limited);
    assert_eq!(data(&dig(limited.meshdns.dns, [&name, "A"]).answer), ADDRESSES[2..]);
    for address in ADDRESSES {
        let own = format!("{}.{name}", address.replace('.', "-"));
        assert_eq!(data(&dig(limited.meshdns.dns, [&own, "A"]).answer), [address]);
    }
    let told = limited.meshdns.page(&format!("/explain?name={name}&type=A"));
    // In the order of the slice, which is its controller's.
    for part in [
        "only under their own names: 10-244-7-1",
        "10-244-7-10 at 10.244.7.10 is terminating",
        "10-244-7-11 at 10.244.7.11 is not ready",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
