//! TTLs that follow churn: what the API server says of an object's last change is as good as having seen it.

use std::time::Instant;

use serde_json::json;

use super::Served;
use crate::support::dig::dig;
use crate::support::kube::{ControlPlane, PODS, until};

/// As many seconds as the weight lets be.
const SETTINGS: &str = "ttl: {default: churn, churn: {min: 0, max: 3600, weight: 1}}\n";

fn ttl(server: &Served, name: &str) -> u32 {
    let reply = dig(server.meshdns.dns, [name, "A"]);
    reply.answer.first().unwrap_or_else(|| panic!("{}", reply.text)).ttl
}

/// The TTL of what changed so many seconds ago, by clocks that differ by two.
fn most(since: u64) -> u32 {
    (2 * (since as u32 + 2)).isqrt()
}

#[test]
fn a_restart_and_another_replica_know_how_long_nothing_has_changed() {
    let plane = ControlPlane::shared();
    let shop = plane.namespace("churn");
    shop.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: db}, \
         spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}}",
    );
    let addresses = ["10.244.8.10", "10.244.8.11"];
    for (number, address) in addresses.iter().enumerate() {
        shop.run_pod(&format!("db-{number}"), &json!({"app": "db"}), &[address]);
    }
    let name = format!("db.{}.svc.cluster.local", shop.name);
    let first = Served::start(plane, SETTINGS);
    first.becomes(&name, "A", "NOERROR", &addresses);
    until("eight seconds without a change", || (ttl(&first, &name) >= 4).then_some(()));
    let second = Served::start(plane, SETTINGS);
    let (of_first, of_second) = (ttl(&first, &name), ttl(&second, &name));
    assert!(of_first.abs_diff(of_second) <= 1, "{of_first} s and {of_second} s");
    // The slice that is left is written when a pod goes, so those who come later know of that too.
    let before = Instant::now();
    shop.delete(PODS, "db-1");
    for server in [&first, &second] {
        server.becomes(&name, "A", "NOERROR", &addresses[..1]);
        let (ttl, since) = (ttl(server, &name), before.elapsed().as_secs());
        assert!(ttl <= most(since), "{ttl} s, and it changed {since} s ago");
    }
    drop(first);
    let third = Served::start(plane, SETTINGS);
    third.becomes(&name, "A", "NOERROR", &addresses[..1]);
    let (ttl, since) = (ttl(&third, &name), before.elapsed().as_secs());
    assert!(ttl <= most(since), "{ttl} s, and it changed {since} s ago");
    let told = third.meshdns.page(&format!("/explain?name={name}&type=A"));
    assert!(told.contains("ttl.default, unchanged for "), "{told}");
}
