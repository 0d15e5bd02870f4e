//! A control plane with the objects of a cluster. Writing them takes long, so what etcd has then is kept for the next time.
//!
//! Services go into etcd past the API server, which counts all cluster IPs whenever it gives one: 100,000 would take it an
//! hour.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use crate::api;
use crate::asking::PATIENCE;
use crate::cluster::{self, CLUSTER_IPS, Cluster};
use crate::fixture::kube::{ADMIN, ControlPlane, Setup};

/// Where `scripts/bench` wants clusters to be kept.
const CACHE: &str = "MESHDNS_BENCH_CACHE";

const NAMESPACES: &str = "/api/v1/namespaces";
const ADDRESSES: &str = "/apis/networking.k8s.io/v1/ipaddresses";

/// The path of the services of a namespace, or of all.
pub(crate) fn services(namespace: &str) -> String {
    format!("{NAMESPACES}/{namespace}/services")
}

/// The path of its slices.
pub(crate) fn slices(namespace: &str) -> String {
    format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")
}

/// Another number when objects get there in another way.
const LAYOUT: u32 = 1;

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
        .with_patience(PATIENCE)
        .flag(&format!("--service-cluster-ip-range={CLUSTER_IPS}"))
        .flag("--enable-priority-and-fairness=false")
        .flag("--max-requests-inflight=2000")
        .flag("--max-mutating-requests-inflight=2000")
}

/// One for each size, each way of generating it and each API server.
fn place(cluster: Cluster, version: &str) -> PathBuf {
    let directory = std::env::var_os(CACHE).map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let mut hasher = DefaultHasher::new();
    (include_str!("cluster.rs"), LAYOUT, version).hash(&mut hasher);
    let directory = directory.join("clusters");
    std::fs::create_dir_all(&directory).unwrap();
    directory.join(format!("{}-{:016x}", cluster.services, hasher.finish()))
}

fn fill(cluster: Cluster, kept: &Path) {
    let plane = setup().start();
    let kubeconfig = plane.kubeconfig(&ADMIN);
    timed("namespaces", cluster.namespaces(), |count| {
        api::create_all(&kubeconfig, count, |number| (NAMESPACES.to_owned(), cluster::namespace(number)));
    });
    timed("services", cluster.services, |count| {
        // The first of either kind is created as users do, and shows how the API server stores such.
        let [with_address, headless] = [0, 7].map(|index| {
            api::create_all(
                &kubeconfig,
                1,
                match index {
                    0 => |_| (services(&cluster::namespace_of(0)), cluster::service(0)),
                    _ => |_| (services(&cluster::namespace_of(7)), cluster::service(7)),
                },
            );
            stored(
                &plane,
                &format!("{}/{}", services(&cluster::namespace_of(index)), cluster::service_name(index)),
            )
        });
        let address = stored(&plane, &format!("{ADDRESSES}/{}", cluster::cluster_ip(0)));
        let others = (0..count).filter(|index| ![0, 7].contains(index));
        plane.store(others.clone().map(|index| {
            let mut service =
                if cluster::is_headless(index) { headless.clone() } else { with_address.clone() };
            merge(&mut service, cluster::service(index));
            service["metadata"]["uid"] = json!(cluster::uid(index, 0));
            service["spec"]["clusterIPs"] = json!([service["spec"]["clusterIP"]]);
            let namespace = cluster::namespace_of(index);
            (format!("/registry/services/specs/{namespace}/{}", cluster::service_name(index)), service)
        }));
        plane.store(others.filter(|index| !cluster::is_headless(*index)).map(|index| {
            let mut address = address.clone();
            let name = cluster::cluster_ip(index).to_string();
            (address["metadata"]["name"], address["metadata"]["uid"]) =
                (json!(name), json!(cluster::uid(index, 2_000)));
            let parent = &mut address["spec"]["parentRef"];
            (parent["namespace"], parent["name"]) =
                (json!(cluster::namespace_of(index)), json!(cluster::service_name(index)));
            (format!("/registry/ipaddresses/{name}"), address)
        }));
    });
    timed("slices", cluster.services, |count| {
        api::create_all(&kubeconfig, count, |index| {
            (slices(&cluster::namespace_of(index)), cluster::slice(index))
        });
    });
    plane.keep_data(kept);
}

/// An object as the API server stores it.
fn stored(plane: &ControlPlane, path: &str) -> Value {
    let mut object: Value = serde_json::from_str(&plane.api().text(path).unwrap()).unwrap();
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    object
}

/// Puts what one object says into another one.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            from.into_iter()
                .for_each(|(key, value)| merge(into.entry(key).or_insert_with(Value::default), value));
        }
        // Lists of the API server have defaults in them, and are alike in all services.
        (Value::Array(into), Value::Array(from)) if into.len() == from.len() => {
            into.iter_mut().zip(from).for_each(|(into, from)| merge(into, from));
        }
        (into, from) => *into = from,
    }
}

fn timed(what: &str, count: usize, create: impl FnOnce(usize)) {
    let begin = Instant::now();
    create(count);
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    eprintln!("    {count} {what} written, {rate:.0} a second");
}
