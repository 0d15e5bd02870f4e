//! Replicas of meshdns that between them have everything there is to see, and what happens to them.

use std::cell::Cell;
use std::net::SocketAddr;

use serde_json::json;

use crate::support::certificates::{Authority, Pair};
use crate::support::coredns::CoreDns;
use crate::support::faults::{Fault, FaultyProxy, Kind, Requests};
use crate::support::istiod::{Istiod, Mode};
use crate::support::kube::{ADMIN, ControlPlane, CustomResources, Namespace, until};
use crate::support::process::{Meshdns, free_address, written};

/// The name in the certificate of meshdns.
const NAME: &str = "meshdns.mesh.svc";

/// What istiod knows.
const MESH: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: saas, namespace: shop}
spec: {hosts: [saas.internal], resolution: STATIC, ports: [{name: tcp, number: 9000, protocol: TCP}]}
";

/// Three replicas, before the shared control plane and an istiod.
pub(super) struct World {
    /// The API server through a proxy, a snapshot, a ledger in a file, TLS on gRPC, an upstream resolver, a query log.
    pub(super) first: Meshdns,
    /// The API server, and a ledger in ConfigMaps.
    pub(super) second: Meshdns,
    /// Manifests and istiod.
    pub(super) mesh: Meshdns,
    /// What stands between the first replica and the API server.
    pub(super) proxy: FaultyProxy,
    /// A CoreDNS that asks the first replica over gRPC, and keeps nothing.
    pub(super) front: SocketAddr,
    namespace: Namespace<'static>,
    changes: Cell<u32>,
    _programs: (CoreDns, CoreDns, Istiod),
}

impl World {
    pub(super) fn start() -> Self {
        let plane = ControlPlane::shared();
        plane.install(CustomResources::ServiceEntry);
        plane.install(CustomResources::WorkloadEntry);
        let namespace = plane.namespace("dashboard");
        namespace.apply(
            "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}}\n---\n\
             {apiVersion: v1, kind: Service, metadata: {name: away}, spec: {type: ExternalName, externalName: www.example.org}}\n",
        );
        let (proxy, upstream) = (FaultyProxy::before(plane), free_address());
        let resolver = CoreDns::resolver(upstream);
        let authority = Authority::new("ours");
        let first = Meshdns::start(&format!(
            "zones: [cluster.local]\nlisten: {{grpcTls: {}}}\nupstreams: ['{upstream}']\n\
             sources: {{kubernetes: {{kubeconfig: '{}', snapshot: {{file: '{}', every: 1}}}}}}\n\
             serviceEntries: {{ledger: {{file: '{}'}}}}\ntelemetry: {{queryLog: {{}}}}\n",
            identity(&authority.pair(NAME), &authority),
            plane.kubeconfig_to(&proxy.url(), &ADMIN).display(),
            written("snapshot", "").with_file_name("snapshot.meshdns").display(),
            written("ledger", "").with_file_name("ledger.redb").display(),
        ));
        let kubeconfig = plane.kubeconfig(&ADMIN).display().to_string();
        let second = Meshdns::start(&format!(
            "zones: [cluster.local]\nsources: {{kubernetes: {{kubeconfig: '{kubeconfig}'}}}}\n\
             serviceEntries: {{ledger: {{kubernetes: {{namespace: {}, shards: 8, kubeconfig: '{kubeconfig}'}}}}}}\n",
            namespace.name
        ));
        let mut istiod = Istiod::start();
        let loaded = istiod.load(MESH, Mode::Status).unwrap();
        let mesh = Meshdns::start(&format!(
            "zones: [cluster.local]\nsources: {{manifests: ['{}'], istiod: {{address: '{}'}}}}\n",
            written("mesh.json", &loaded.objects).display(),
            loaded.address
        ));
        let front = free_address();
        let coredns = front_of(&first, front, &authority);
        let changes = Cell::default();
        Self { first, second, mesh, proxy, front, namespace, changes, _programs: (resolver, coredns, istiod) }
    }

    /// What Prometheus scrapes.
    pub(super) fn instances(&self) -> [(&'static str, SocketAddr); 3] {
        [("dns-0", self.first.admin), ("dns-1", self.second.admin), ("dns-2", self.mesh.admin)]
    }

    /// The name of one of its Services.
    pub(super) fn name(&self, service: &str) -> String {
        format!("{service}.{}.svc.cluster.local", self.namespace.name)
    }

    /// A pod more of a Service, and a host more of the mesh that wants an address.
    pub(super) fn change(&self) {
        let number = self.changes.get() + 1;
        self.changes.set(number);
        let address = format!("10.1.{}.{}", number / 250, 1 + number % 250);
        self.namespace.run_pod(&format!("web-{number}"), &json!({"app": "web"}), &[&address]);
        self.namespace.apply(&format!(
            "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: host-{number}}}\n\
             spec: {{hosts: [host-{number}.internal], resolution: STATIC, ports: [{{name: tcp, number: 9000, protocol: TCP}}]}}\n"
        ));
    }

    /// The API server breaks the watches of the first replica off, until that has counted it.
    pub(super) fn break_watches_off(&self) {
        let watches = Requests::ALL.of(&[Kind::Watch, Kind::StreamedList]);
        self.proxy.inflict(watches, Fault::HangUp);
        until("a failure", || {
            self.first.page("/metrics").contains("\nmeshdns_kubernetes_failures_total{").then_some(())
        });
        self.proxy.heal(watches);
    }
}

/// `grpcTls` of settings: clients of this authority may ask.
fn identity(pair: &Pair, authority: &Authority) -> String {
    let file = |name: &str, content: &str| written(name, content).display().to_string();
    format!(
        "{{certificate: '{}', key: '{}', clientCa: '{}'}}",
        file("tls.crt", &pair.certificate),
        file("tls.key", &pair.key),
        file("ca.crt", &authority.pem)
    )
}

fn front_of(server: &Meshdns, at: SocketAddr, authority: &Authority) -> CoreDns {
    let pair = authority.pair("coredns.kube-system.svc");
    CoreDns::start(&format!(
        ".:{} {{\n bind {}\n grpc . {} {{\n  tls {} {} {}\n  tls_servername {NAME}\n }}\n}}\n",
        at.port(),
        at.ip(),
        server.grpc,
        written("tls.crt", &pair.certificate).display(),
        written("tls.key", &pair.key).display(),
        written("ca.crt", &authority.pem).display()
    ))
}
