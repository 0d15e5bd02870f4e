//! A Kubernetes Service.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Labels, ObjectName, Port, Stamp, Ttl};

/// What DNS needs of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels, for selectors.
    pub labels: Labels,
    /// How it is reached.
    pub addressing: Addressing,
    /// Its ports; none for many headless services.
    pub ports: Arc<[Port]>,
    /// Whether it selects pods. Endpoints of such a service are made by a controller, not by hand.
    pub selects_pods: bool,
    /// Annotation `meshdns.io/ttl`.
    pub ttl: Option<Ttl>,
    /// When the API server last wrote it, if it says so (`metadata.managedFields`).
    pub written: Option<Stamp>,
}

/// How a Service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// By virtual addresses (ClusterIP, NodePort, LoadBalancer). Empty: the API server has not assigned any yet.
    ClusterIps(Vec<IpAddr>),
    /// `clusterIP: None`: by the addresses of its endpoints.
    Headless,
    /// `type: ExternalName`: under another name. The text as written.
    ExternalName(Box<str>),
    /// A manifest that no API server has completed: its type wants a cluster IP, but nobody assigned one.
    Unassigned,
}
