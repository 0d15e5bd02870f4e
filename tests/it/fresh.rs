//! Names that are about to exist, through real CoreDNS with its stock cache, and with a second one that stands for NodeLocal
//! DNSCache: nothing on the way keeps that they are not there yet. What cannot exist is kept.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::support::coredns::CoreDns;
use crate::support::dig::{data, dig};
use crate::support::kube::until;
use crate::support::process::{Meshdns, free_address, written};

/// Long enough to outlast every test.
const KEPT: &str = "ttl: {negative: 600}\n";

const SERVICES: &str = "
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.20, ports: [{name: http, port: 80}]}
";

const FIRST_POD: &str = "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-a, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: sql, port: 5432}]
endpoints:
- {addresses: [10.244.0.10], hostname: db-0}
";

const SECOND_POD: &str = "- {addresses: [10.244.0.11], hostname: db-1}\n";

const HOSTS: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: shop}
spec: {hosts: [api.internal], resolution: STATIC, ports: [{number: 80, name: http}]}
";

const ASSIGNED: &str = "status: {addresses: [{value: 240.240.0.7, host: api.internal}]}\n";

/// meshdns with a directory of manifests, CoreDNS before it and the node's cache before that.
struct Stack {
    meshdns: Meshdns,
    directory: PathBuf,
    core: SocketAddr,
    node: SocketAddr,
    _programs: [CoreDns; 2],
}

impl Stack {
    fn start(manifest: &str) -> Self {
        let directory = written("all.yaml", manifest).parent().unwrap().to_owned();
        let meshdns = Meshdns::start(&format!(
            "zones: [cluster.local]\nsources: {{manifests: [\"{}\"]}}\n{KEPT}",
            directory.display()
        ));
        let (core, node) = (free_address(), free_address());
        let programs = [
            cache(core, "cache", &format!("grpc . {}", meshdns.grpc)),
            cache(node, "cache {\n success 9984 30\n denial 9984 5\n }", &format!("forward . {core}")),
        ];
        Self { meshdns, directory, core, node, _programs: programs }
    }

    /// Replaces the manifest.
    fn write(&self, manifest: &str) {
        let new = self.directory.join("new");
        std::fs::write(&new, manifest).unwrap();
        std::fs::rename(new, Path::join(&self.directory, "all.yaml")).unwrap();
    }

    /// The name is denied, by everybody on the way.
    fn is_denied(&self, name: &str, kind: &str) {
        for server in [self.node, self.core] {
            let reply = dig(server, [name, kind]);
            assert_eq!(reply.status, "NXDOMAIN", "{}", reply.text);
        }
    }

    /// Waits until meshdns itself gives this answer. The next one through both caches is the same.
    fn comes(&self, name: &str, kind: &str, expected: &[&str]) {
        until(name, || (data(&dig(self.meshdns.dns, [name, kind]).answer) == expected).then_some(()));
        let reply = dig(self.node, [name, kind]);
        assert_eq!(data(&reply.answer), expected, "{}", reply.text);
    }
}

fn cache(address: SocketAddr, cache: &str, behind: &str) -> CoreDns {
    let (port, ip) = (address.port(), address.ip());
    CoreDns::start(&format!(".:{port} {{\n bind {ip}\n errors\n {cache}\n {behind}\n}}\n"))
}

#[test]
fn a_pod_is_answered_as_soon_as_it_is_known() {
    let stack = Stack::start(&[SERVICES, FIRST_POD].join("---"));
    stack.is_denied("db-1.db.shop.svc.cluster.local", "A");
    stack.write(&[SERVICES, "---", FIRST_POD, SECOND_POD].concat());
    stack.comes("db-1.db.shop.svc.cluster.local", "A", &["10.244.0.11"]);
}

#[test]
fn a_headless_service_is_answered_as_soon_as_it_has_an_endpoint() {
    let stack = Stack::start(SERVICES);
    stack.is_denied("db.shop.svc.cluster.local", "A");
    stack.is_denied("db-0.db.shop.svc.cluster.local", "A");
    stack.is_denied("_sql._tcp.db.shop.svc.cluster.local", "SRV");
    stack.write(&[SERVICES, FIRST_POD].join("---"));
    stack.comes("db.shop.svc.cluster.local", "A", &["10.244.0.10"]);
    stack.comes("db-0.db.shop.svc.cluster.local", "A", &["10.244.0.10"]);
    stack.comes(
        "_sql._tcp.db.shop.svc.cluster.local",
        "SRV",
        &["0 100 5432 db-0.db.shop.svc.cluster.local."],
    );
}

#[test]
fn a_mesh_host_is_answered_as_soon_as_it_has_an_address() {
    let stack = Stack::start(HOSTS);
    stack.is_denied("api.internal", "A");
    stack.is_denied("_http._tcp.api.internal", "SRV");
    stack.write(&[HOSTS, ASSIGNED].concat());
    stack.comes("api.internal", "A", &["240.240.0.7"]);
    stack.comes("_http._tcp.api.internal", "SRV", &["0 100 80 api.internal."]);
}

#[test]
fn what_cannot_exist_is_kept() {
    let stack = Stack::start(SERVICES);
    let impossible = ["new.shop.svc.cluster.local", "_other._tcp.db.shop.svc.cluster.local"];
    for name in impossible {
        stack.is_denied(name, "A");
    }
    let new = "
apiVersion: v1
kind: Service
metadata: {name: new, namespace: shop}
spec: {clusterIP: 10.96.0.21, ports: [{port: 80}]}
";
    stack.write(&[SERVICES, FIRST_POD, new].join("---").replace("name: sql", "name: other"));
    for (name, address) in impossible.into_iter().zip(["10.96.0.21", "10.244.0.10"]) {
        until(name, || (data(&dig(stack.meshdns.dns, [name, "A"]).answer) == [address]).then_some(()));
        let reply = dig(stack.core, [name, "A"]);
        assert_eq!(reply.status, "NXDOMAIN", "{}", reply.text);
        assert!(reply.authority[0].ttl <= 600, "{}", reply.text);
    }
}
