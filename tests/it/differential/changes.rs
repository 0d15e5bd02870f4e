//! A cluster that changes while both watch it: objects come, change and go, and what is answered then is compared again.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use super::client;
use super::generate::{self, GONE, Planned, Size};
use super::question::{Question, kind};
use super::reply::Reply;
use super::servers::Pair;
use super::variant::{LAST, Pods, Variant};
use super::world::{Key, World, label_of};
use crate::support::kube::{
    Api, ControlPlane, ENDPOINT_SLICES, NAMESPACES, PODS, Resource, SERVICE_IMPORTS, SERVICES, until,
};
use crate::support::random::Random;

/// Changes part of everything.
pub(super) fn change(plane: &ControlPlane, world: &World, size: Size, addresses: &[IpAddr]) -> World {
    let mut random = Random::new(world.seed);
    let mut touched: Vec<Touch> = generate::more(world.seed, size).into_iter().map(Touch::Create).collect();
    let kinds = [
        (SERVICES, &world.services),
        (ENDPOINT_SLICES, &world.slices),
        (PODS, &world.pods),
        (SERVICE_IMPORTS, &world.imports),
    ];
    for (resource, objects) in kinds {
        for (key, object) in objects {
            // What others lead to stays. Without its namespace an object can be neither changed nor deleted.
            if ["default", GONE].contains(&key.0.as_str()) || ["web", "crowd"].contains(&key.1.as_str()) {
                continue;
            }
            match random.between(0, 19) {
                0 => touched.push(Touch::Delete(resource, key.clone())),
                1 if resource == PODS => touched.push(Touch::Leave(resource, key.clone())),
                1 | 2 => {
                    let tier = if label_of(object, "tier") == Some("front") { "back" } else { "front" };
                    let patch = json!({"metadata": {"labels": {"tier": tier}}});
                    touched.push(Touch::Merge(resource, key.clone(), patch));
                }
                3..6 if resource == ENDPOINT_SLICES => {
                    touched.push(Touch::Merge(resource, key.clone(), readiness_turned(object)));
                }
                _ => {}
            }
        }
    }
    touched.extend(addresses.first().map(|address| of_name_server(*address)).into_iter().flatten());
    World::each(&touched, |touch| touch.make(plane));
    for name in ["team-15", "team-16", "any"] {
        let dns = if label_of(&world.namespaces[name], "dns") == Some("yes") { "no" } else { "yes" };
        plane.api().merge(NAMESPACES, name, &json!({"metadata": {"labels": {"dns": dns}}}));
    }
    last(plane);
    World::read(plane, world.seed)
}

/// One request.
enum Touch {
    Create(Planned),
    Merge(Resource, Key, Value),
    Delete(Resource, Key),
    /// Deletion that does not end.
    Leave(Resource, Key),
}

impl Touch {
    fn make(&self, plane: &ControlPlane) -> Result<(), String> {
        let within = |key: &Key| -> Api { plane.api().within(&key.0) };
        match self {
            Self::Create(planned) => return planned.create(plane),
            Self::Merge(resource, key, patch) => {
                within(key).merge(*resource, &key.1, patch);
            }
            Self::Delete(resource, key) => within(key).delete(*resource, &key.1),
            Self::Leave(resource, key) => within(key).let_leave(*resource, &key.1),
        }
        Ok(())
    }
}

/// Ready endpoints become unready, and the other way round.
fn readiness_turned(slice: &Value) -> Value {
    let mut endpoints = slice["endpoints"].as_array().cloned().unwrap_or_default();
    for endpoint in &mut endpoints {
        endpoint["conditions"] = json!({"ready": endpoint["conditions"]["ready"] == false});
    }
    json!({"endpoints": endpoints})
}

/// Services that have a server as their endpoint: one with a cluster IP and a headless one.
fn of_name_server(address: IpAddr) -> Vec<Touch> {
    let kind = if address.is_ipv4() { "IPv4" } else { "IPv6" };
    let ports = json!([{"name": "dns", "port": 53, "protocol": "UDP"}]);
    let services = [
        ("kube-dns", json!({"ports": ports})),
        ("kube-dns-pods", json!({"ports": ports, "clusterIP": "None"})),
    ];
    let object = |api_version: &str, kind: &str, name: &str| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "kube-system", "labels": {"tier": "front"}}});
    services
        .into_iter()
        .flat_map(|(name, spec)| {
            let mut service = object("v1", "Service", name);
            service["spec"] = spec;
            let mut slice = object("discovery.k8s.io/v1", "EndpointSlice", name);
            slice["metadata"]["labels"]["kubernetes.io/service-name"] = json!(name);
            slice["addressType"] = json!(kind);
            slice["ports"] = ports.clone();
            slice["endpoints"] = json!([{"addresses": [address.to_string()]}, {"addresses": [address.to_string()], "hostname": "dns-1"}]);
            [(SERVICES, service), (ENDPOINT_SLICES, slice)]
        })
        .map(|(resource, object)| Touch::Create(Planned { resource, object, status: None, leaves: false }))
        .collect()
}

/// The last object of each kind: whoever knows it knows all before.
fn last(plane: &ControlPlane) {
    let labels = |more: Value| {
        let mut labels = json!({"tier": "front", "dns": "yes"});
        labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"name": LAST, "labels": labels})
    };
    let create = |resource, object: Value| plane.api().within(LAST).create(resource, &object).unwrap();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": labels(json!({}))});
    plane.api().create(NAMESPACES, &namespace).unwrap();
    let ports = json!([{"name": "http", "port": 80}]);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": labels(json!({})), "spec": {"ports": ports}});
    create(SERVICES, service);
    let import = json!({
        "apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport", "metadata": labels(json!({})),
        "spec": {"type": "ClusterSetIP", "ips": ["10.96.9.9"], "ports": ports},
    });
    create(SERVICE_IMPORTS, import);
    let names = json!({
        "kubernetes.io/service-name": LAST, "multicluster.kubernetes.io/service-name": LAST,
        "multicluster.kubernetes.io/source-cluster": "blue",
    });
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": labels(names), "addressType": "IPv4",
        "ports": ports, "endpoints": [{"addresses": ["10.9.9.9"]}],
    });
    create(ENDPOINT_SLICES, slice);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": labels(json!({})),
        "spec": {"nodeName": "node", "containers": [{"name": "main", "image": "none"}]},
    });
    create(PODS, pod);
    let status = json!({"phase": "Running", "podIP": "10.9.9.8", "podIPs": [{"ip": "10.9.9.8"}]});
    plane.api().within(LAST).merge_status(PODS, LAST, &status);
}

impl Pair {
    /// Waits until all servers of a variant know everything.
    pub(super) fn wait_for_last(&self) {
        let packets: Vec<_> =
            names_of_last(self.variant).iter().map(|name| Question::plain(name, kind::A).packet()).collect();
        let knows = |server: SocketAddr| {
            client::ask(server, &packets).iter().all(|octets| match Reply::read(octets.as_deref()) {
                Reply::Said(said) => !said.answer.is_empty(),
                _ => false,
            })
        };
        for server in [Some(self.plugin), Some(self.ours), self.unfiltered].into_iter().flatten() {
            until(&format!("last object known to {}", self.variant.name), || knows(server).then_some(()));
        }
    }
}

fn names_of_last(variant: &Variant) -> Vec<String> {
    let mut names = vec![format!("{LAST}.{LAST}.svc.cluster.local")];
    if !variant.no_endpoints {
        names.push(format!("10-9-9-9.{LAST}.{LAST}.svc.cluster.local"));
    }
    if variant.pods == Pods::Verified {
        names.push(format!("10-9-9-8.{LAST}.pod.cluster.local"));
    }
    if variant.cluster_set {
        names.push(format!("{LAST}.{LAST}.svc.clusterset.local"));
        names.push(format!("10-9-9-9.blue.{LAST}.{LAST}.svc.clusterset.local"));
    }
    names
}
