//! The objects of a cluster as its users and controllers write them. The same number of services gives the same cluster.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

/// Services in one namespace.
const PER_NAMESPACE: usize = 50;
/// The range of cluster IPs, which the API server has to know.
pub(crate) const CLUSTER_IPS: &str = "10.0.0.0/12";
/// The first cluster IP that a service has; those before are the API server's own.
const FIRST_CLUSTER_IP: u32 = 0x0a00_0100;
/// The first address of an endpoint.
const FIRST_ENDPOINT: u32 = 0x0a80_0000;

/// A cluster with so many services: seven of ten have a cluster IP, three are headless with named endpoints. Each has one
/// slice of two to ten endpoints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster {
    pub(crate) services: usize,
}

impl Cluster {
    pub(crate) fn namespaces(self) -> usize {
        self.services.div_ceil(PER_NAMESPACE)
    }

    /// All endpoints.
    pub(crate) fn endpoints(self) -> usize {
        (0..self.services).map(endpoints).sum()
    }

    /// The numbers of services whose answers tell that a server knows everything: the first and the last of either kind.
    pub(crate) fn telling(self) -> [usize; 4] {
        let last = self.services - 1;
        [0, 7, last - 9, last]
    }

    /// The numbers of the services that change: all headless ones, but those that tell.
    pub(crate) fn changing(self) -> Vec<usize> {
        (0..self.services).filter(|index| is_headless(*index) && !self.telling().contains(index)).collect()
    }
}

pub(crate) fn namespace_name(number: usize) -> String {
    format!("team-{number}")
}

/// The namespace of a service.
pub(crate) fn namespace_of(index: usize) -> String {
    namespace_name(index / PER_NAMESPACE)
}

pub(crate) fn service_name(index: usize) -> String {
    format!("service-{index}")
}

pub(crate) fn slice_name(index: usize) -> String {
    format!("{}-x7k2p", service_name(index))
}

/// Its name in DNS.
pub(crate) fn dns_name(index: usize) -> String {
    format!("{}.{}.svc.cluster.local", service_name(index), namespace_of(index))
}

pub(crate) fn is_headless(index: usize) -> bool {
    index % 10 >= 7
}

pub(crate) fn cluster_ip(index: usize) -> Ipv4Addr {
    Ipv4Addr::from(FIRST_CLUSTER_IP + index as u32)
}

/// The addresses that its name is answered with.
pub(crate) fn answer(index: usize) -> Vec<Ipv4Addr> {
    if is_headless(index) {
        (0..endpoints(index)).map(|number| endpoint_address(index, number)).collect()
    } else {
        vec![cluster_ip(index)]
    }
}

/// How many endpoints a service has: two to ten.
fn endpoints(index: usize) -> usize {
    2 + index * 7919 % 9
}

fn endpoint_address(index: usize, number: usize) -> Ipv4Addr {
    Ipv4Addr::from(FIRST_ENDPOINT + (index * 10 + number) as u32)
}

/// What Helm writes on everything.
fn labels(index: usize) -> Value {
    let name = service_name(index);
    json!({
        "app.kubernetes.io/name": name, "app.kubernetes.io/instance": name,
        "app.kubernetes.io/part-of": namespace_of(index), "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/version": "1.27.4", "helm.sh/chart": format!("{name}-4.2.1"),
    })
}

pub(crate) fn namespace(number: usize) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace_name(number)}})
}

pub(crate) fn service(index: usize) -> Value {
    let name = service_name(index);
    let address = if is_headless(index) { "None".to_owned() } else { cluster_ip(index).to_string() };
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": name, "namespace": namespace_of(index), "labels": labels(index),
            "annotations": {
                "meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace_of(index),
                "prometheus.io/scrape": "true", "prometheus.io/port": "9090",
            },
        },
        "spec": {
            "clusterIP": address, "selector": {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name},
            "ports": [
                {"name": "http", "port": 80, "targetPort": "http"},
                {"name": "metrics", "port": 9090, "targetPort": "metrics"},
            ],
        },
    })
}

/// The slice that the controller of Kubernetes makes for it. It has no time of its cause, so that a server can tell how
/// long itself it took.
pub(crate) fn slice(index: usize) -> Value {
    let (name, namespace) = (service_name(index), namespace_of(index));
    let mut labels = labels(index);
    labels["kubernetes.io/service-name"] = json!(name);
    labels["endpointslice.kubernetes.io/managed-by"] = json!("endpointslice-controller.k8s.io");
    if is_headless(index) {
        labels["service.kubernetes.io/headless"] = json!("");
    }
    let endpoint = |number: usize| {
        let pod = format!("{name}-{number}");
        let mut endpoint = json!({
            "addresses": [endpoint_address(index, number)],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": format!("node-{}.example.internal", (index + number) % 500),
            "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod, "uid": uid(index, number + 1)},
            "zone": format!("region-1{}", ["a", "b", "c"][(index + number) % 3]),
        });
        if is_headless(index) {
            endpoint["hostname"] = json!(pod);
        }
        endpoint
    };
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": slice_name(index), "namespace": namespace, "labels": labels,
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Service", "name": name, "uid": uid(index, 0), "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "endpoints": (0..endpoints(index)).map(endpoint).collect::<Vec<_>>(),
        "ports": [
            {"name": "http", "port": 8080, "protocol": "TCP"},
            {"name": "metrics", "port": 9090, "protocol": "TCP"},
        ],
    })
}

/// A UID, which no other object has with this part.
pub(crate) fn uid(index: usize, part: usize) -> String {
    format!("{index:08x}-0000-4000-8000-{part:012x}")
}
