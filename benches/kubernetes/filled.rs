//! A control plane with the objects of a cluster. Writing them takes long, so what etcd has then is kept for the next time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use crate::api;
use crate::cluster::{self, CLUSTER_IPS, Cluster};
use crate::fixture::kube::{ADMIN, ControlPlane, Setup};

/// Where `scripts/bench` wants clusters to be kept.
const CACHE: &str = "MESHDNS_BENCH_CACHE";

const NAMESPACES: &str = "/api/v1/namespaces";

/// The path of the services of a namespace, or of all.
pub(crate) fn services(namespace: &str) -> String {
    format!("{NAMESPACES}/{namespace}/services")
}

/// The path of its slices.
pub(crate) fn slices(namespace: &str) -> String {
    format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")
}

/// A control plane that has all objects of the cluster, and nothing else that writes.
pub(crate) fn filled(cluster: Cluster, version: &str) -> ControlPlane {
    let kept = place(cluster, version);
    if !kept.exists() {
        fill(cluster, &kept);
    }
    setup().with_data(&kept).start()
}

fn setup() -> Setup {
    Setup::default()
        .without_controllers()
        .flag(&format!("--service-cluster-ip-range={CLUSTER_IPS}"))
        .flag("--enable-priority-and-fairness=false")
        .flag("--max-requests-inflight=2000")
        .flag("--max-mutating-requests-inflight=2000")
}

/// One for each size, each way of generating it and each API server.
fn place(cluster: Cluster, version: &str) -> PathBuf {
    let directory = std::env::var_os(CACHE).map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let mut hasher = DefaultHasher::new();
    (include_str!("cluster.rs"), version).hash(&mut hasher);
    let directory = directory.join("clusters");
    std::fs::create_dir_all(&directory).unwrap();
    directory.join(format!("{}-{:016x}", cluster.services, hasher.finish()))
}

fn fill(cluster: Cluster, kept: &Path) {
    let plane = setup().start();
    let kubeconfig = plane.kubeconfig(&ADMIN);
    let created = |what: &str, count: usize, object: fn(usize) -> (String, Value)| {
        let begin = Instant::now();
        api::create_all(&kubeconfig, count, object);
        let rate = count as f64 / begin.elapsed().as_secs_f64();
        eprintln!("    {count} {what} written, {rate:.0} a second");
    };
    created("namespaces", cluster.namespaces(), |number| (NAMESPACES.to_owned(), cluster::namespace(number)));
    created("services", cluster.services, |index| {
        (services(&cluster::namespace_of(index)), cluster::service(index))
    });
    created("slices", cluster.services, |index| {
        (slices(&cluster::namespace_of(index)), cluster::slice(index))
    });
    plane.keep_data(kept);
}
