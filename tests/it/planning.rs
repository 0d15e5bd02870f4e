//! `conflicts` and `plan` as people run them.

use super::commands::{path, run};
use super::support::process::written;

const ENTRIES: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.20, clusterIPs: [10.96.0.20], ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: decorates, namespace: shop}
spec: {hosts: [web.shop.svc.cluster.local], addresses: [192.0.2.9], ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay, namespace: shop, creationTimestamp: "2025-01-01T00:00:00Z"}
spec: {hosts: [pay.example], addresses: [192.0.2.1], ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay-too, namespace: shop, creationTimestamp: "2025-02-01T00:00:00Z"}
spec: {hosts: [pay.example], addresses: [192.0.2.2], ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: private, namespace: secret}
spec: {hosts: [pay.example], addresses: [192.0.2.3], exportTo: ["."], ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay, namespace: young, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {hosts: [pay.example, alone.example], addresses: [192.0.2.4], ports: [{name: tcp, number: 1, protocol: TCP}]}
"#;

const CHANGE: &str = r#"
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: alone, namespace: other, creationTimestamp: "2024-01-01T00:00:00Z"}
spec: {hosts: [alone.example, "*"], addresses: [192.0.2.7], ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: other}
spec: {hosts: [db.example], resolution: DNS, ports: [{name: tcp, number: 1, protocol: TCP}]}
"#;

#[test]
fn conflicts_say_who_answers_and_why() {
    let manifests = written("entries.yaml", ENTRIES);
    let found = run(&["conflicts", "--zone", "cluster.local", "--manifests", path(&manifests)]);
    assert_eq!(found.code, 1, "{}", found.stderr);
    assert_eq!(
        found.stdout,
        "\
pay.example.
  answered by  ServiceEntry shop/pay      what entries of one namespace give is answered together
  answered by  ServiceEntry shop/pay-too  what entries of one namespace give is answered together
  not by       ServiceEntry young/pay     an older entry in another namespace declares the host
web.shop.svc.cluster.local.
  answered by  Service shop/web             Services of Kubernetes go first
  not by       ServiceEntry shop/decorates  a Service of Kubernetes has the name
"
    );
    let json =
        run(&["conflicts", "--zone", "cluster.local", "--manifests", path(&manifests), "--output", "json"]);
    assert_eq!(json.json()[1]["losers"][0]["object"], "ServiceEntry shop/decorates");
}

#[test]
fn no_conflict_is_no_finding() {
    let manifests = written("change.yaml", CHANGE);
    let found = run(&["conflicts", "--zone", "cluster.local", "--manifests", path(&manifests)]);
    assert_eq!((found.code, &*found.stdout), (0, "no host is declared more than once\n"));
}

#[test]
fn a_plan_tells_what_a_change_brings() {
    let (manifests, change) = (written("entries.yaml", ENTRIES), written("change.yaml", CHANGE));
    let arguments = ["plan", "--zone", "cluster.local", "--manifests", path(&manifests), "-f", path(&change)];
    let found = run(&[&arguments[..], &["--delete", "serviceentry/shop/pay-too"]].concat());
    assert_eq!(found.code, 1, "{}", found.stderr);
    let place = format!("{}:5 (document 1)", path(&change));
    assert_eq!(
        found.stdout,
        format!(
            "\
- alone.example.  5  A  192.0.2.4  serviceEntry  ttl.default  ServiceEntry young/pay
- pay.example.    5  A  192.0.2.2  serviceEntry  ttl.default  ServiceEntry shop/pay, ServiceEntry shop/pay-too
+ alone.example.  5  A  192.0.2.7  serviceEntry  ttl.default  ServiceEntry other/alone
not answered: db.example.: proxies look the host itself up to find its endpoint, and would dial its automatic address

conflicts
alone.example.
  answered by  ServiceEntry other/alone  it is the one that gives an answer
  not by       ServiceEntry young/pay    an older entry in another namespace declares the host
pay.example.
  answered by  ServiceEntry shop/pay   it is the one that gives an answer
  not by       ServiceEntry young/pay  an older entry in another namespace declares the host

defects
  {place}: ServiceEntry other/alone: spec.hosts[1]: `*` alone is refused: a wildcard host names the domain below which it applies, as in `*.example.com`
"
        )
    );
}

#[test]
fn a_plan_without_findings_is_fine() {
    let manifests = written("entries.yaml", ENTRIES);
    let new = ENTRIES.replace("192.0.2.1]", "192.0.2.11]");
    let change = written("new.yaml", &new);
    let arguments = [
        "plan",
        "--zone",
        "cluster.local",
        "--manifests",
        path(&manifests),
        "-f",
        path(&change),
        "--output",
        "json",
    ];
    let found = run(&arguments);
    assert_eq!(found.code, 0, "{}{}", found.stdout, found.stderr);
    let plan = found.json();
    assert_eq!(plan["added"][0]["data"], "192.0.2.11");
    assert_eq!(plan["removed"][0]["data"], "192.0.2.1");
    assert_eq!(run(&["plan", "--zone", "cluster.local", "--manifests", path(&manifests)]).code, 2);
    let bad = run(&["plan", "--zone", "a", "--manifests", path(&manifests), "--delete", "Service/web"]);
    assert!(bad.stderr.contains("`Service/web` is not of the form Kind/namespace/name"), "{}", bad.stderr);
    assert_eq!(bad.code, 2);
}
