//! A cluster that an API server has taken, and plain facts about its objects.
//!
//! The facts are read from the objects by the fewest rules that the expected differences need. They are not a second
//! implementation of answers: that is what the other CoreDNS is for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::generate::{self, GONE, LEAVING, Planned, Size};
use crate::support::kube::{
    ControlPlane, ENDPOINT_SLICES, ENDPOINTS, NAMESPACES, PODS, Resource, SERVICE_IMPORTS, SERVICES,
};

/// Requests at once: an API server waits for its store most of the time.
const WRITERS: usize = 24;

/// Namespace and name.
pub(super) type Key = (String, String);

/// The objects as the API server has them.
#[derive(Default)]
pub(super) struct World {
    /// What the cluster is made of.
    pub(super) seed: u64,
    pub(super) namespaces: BTreeMap<String, Value>,
    pub(super) services: BTreeMap<Key, Value>,
    pub(super) slices: BTreeMap<Key, Value>,
    pub(super) imports: BTreeMap<Key, Value>,
    pub(super) pods: BTreeMap<Key, Value>,
    /// What the API server did not take, with its reason.
    pub(super) refused: Vec<String>,
    /// Those of kinds that nobody reads.
    others: usize,
}

impl World {
    /// Creates the cluster of this seed.
    pub(super) fn create(plane: &ControlPlane, seed: u64, size: Size) -> Self {
        let planned = generate::cluster(seed, size);
        let (namespaces, others) =
            planned.split_at(planned.partition_point(|plan| plan.resource == NAMESPACES));
        let refused = [namespaces, others].map(|stage| Self::each(stage, |plan| plan.create(plane))).concat();
        plane.api().delete(NAMESPACES, LEAVING);
        plane.api().forget_namespace(GONE);
        let mut world = Self::read(plane, seed);
        world.refused = refused;
        world
    }

    /// Does something with each of these, many at a time, and gives the errors.
    pub(super) fn each<T: Sync>(items: &[T], act: impl Fn(&T) -> Result<(), String> + Sync) -> Vec<String> {
        let (next, errors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = act(item) {
                            errors.lock().unwrap().push(error);
                        }
                    }
                });
            }
        });
        errors.into_inner().unwrap()
    }

    /// What there is now.
    pub(super) fn read(plane: &ControlPlane, seed: u64) -> Self {
        let list = |resource: Resource| -> BTreeMap<Key, Value> {
            plane.api().list(resource).into_iter().map(|object| (key(&object), object)).collect()
        };
        Self {
            seed,
            namespaces: list(NAMESPACES).into_iter().map(|((_, name), object)| (name, object)).collect(),
            services: list(SERVICES),
            slices: list(ENDPOINT_SLICES),
            imports: list(SERVICE_IMPORTS),
            pods: list(PODS),
            others: list(ENDPOINTS).len(),
            ..Self::default()
        }
    }

    /// How many objects there are.
    pub(super) fn count(&self) -> usize {
        let kinds =
            [self.services.len(), self.slices.len(), self.imports.len(), self.pods.len(), self.others];
        self.namespaces.len() + kinds.iter().sum::<usize>()
    }

    /// The objects that have something to do with this service, as JSON.
    pub(super) fn about(&self, about: &Key) -> String {
        let belongs = |slice: &&Value| {
            let names = |label: &str| label_of(slice, label) == Some(about.1.as_str());
            key(slice).0 == about.0
                && (names("kubernetes.io/service-name") || names("multicluster.kubernetes.io/service-name"))
        };
        let kinds = [&self.services, &self.imports, &self.pods];
        let named = kinds.iter().filter_map(|kind| kind.get(about));
        named.chain(self.slices.values().filter(belongs)).map(told).collect()
    }

    /// The slices of a service, by the label that names it.
    pub(super) fn slices_of(&self, label: &str, service: &Key) -> impl Iterator<Item = &Value> {
        let here = self.slices.range((service.0.clone(), String::new())..);
        let here = here.map_while(|(key, slice)| (key.0 == service.0).then_some(slice));
        here.filter(|slice| label_of(slice, label) == Some(&service.1))
    }
}

impl Planned {
    pub(super) fn create(&self, plane: &ControlPlane) -> Result<(), String> {
        let text = |pointer: &str| self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let api = if namespace.is_empty() { plane.api().clone() } else { plane.api().within(namespace) };
        api.create(self.resource, &self.object).map_err(|error| format!("{name}: {error}"))?;
        if let Some(status) = &self.status {
            api.merge_status(self.resource, name, status);
        }
        if self.leaves {
            api.let_leave(self.resource, name);
        }
        Ok(())
    }
}

/// Addresses of a service.
pub(super) fn cluster_ips(service: &Value) -> impl Iterator<Item = IpAddr> {
    texts(&service["spec"]["clusterIPs"]).filter_map(|text| text.parse().ok())
}

pub(super) fn is_headless(service: &Value) -> bool {
    service["spec"]["clusterIP"] == "None"
}

pub(super) fn is_alias(service: &Value) -> bool {
    service["spec"]["type"] == "ExternalName"
}

/// The ready endpoints of a slice.
pub(super) fn ready(slice: &Value) -> impl Iterator<Item = &Value> {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    endpoints.filter(|endpoint| endpoint["conditions"]["ready"] != false)
}

/// Names and protocols of the ports of a service or slice, in lower case.
pub(super) fn ports(of: &Value) -> impl Iterator<Item = (String, String)> {
    of.as_array().into_iter().flatten().map(|port| {
        let text = |field: &str, otherwise: &str| port[field].as_str().unwrap_or(otherwise).to_lowercase();
        (text("name", ""), text("protocol", "tcp"))
    })
}

/// The names that an endpoint has at its addresses.
pub(super) fn endpoint_names(endpoint: &Value, by_pod: bool) -> BTreeSet<String> {
    let hostname = endpoint["hostname"].as_str();
    let pod = endpoint["targetRef"]["name"].as_str().filter(|name| by_pod && name.len() < 64);
    match hostname.or(pod) {
        Some(name) => BTreeSet::from([name.to_owned()]),
        None => texts(&endpoint["addresses"]).map(dashed).collect(),
    }
}

/// An address as a label.
pub(super) fn dashed(address: &str) -> String {
    let mut label = address.replace(['.', ':'], "-");
    if label.ends_with('-') {
        label.push('0');
    }
    label
}

pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn label_of<'o>(object: &'o Value, label: &str) -> Option<&'o str> {
    object["metadata"]["labels"][label].as_str()
}

pub(super) fn key(object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// An object without what only an API server cares for.
fn told(object: &Value) -> String {
    let mut object = object.clone();
    for field in ["managedFields", "uid", "resourceVersion", "generation", "creationTimestamp"] {
        object["metadata"].as_object_mut().unwrap().remove(field);
    }
    format!("{object}\n")
}
