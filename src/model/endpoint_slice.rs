//! A set of endpoints of a service.

use std::net::IpAddr;

use super::{Labels, Name, ObjectName, Port};

/// One set of endpoints times one set of ports. All slices of a service are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSlice {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels, for selectors.
    pub labels: Labels,
    /// The Service in the same namespace that it belongs to (`kubernetes.io/service-name`).
    pub service: Option<Box<str>>,
    /// The ServiceImport that it belongs to (`multicluster.kubernetes.io/service-name`).
    pub import: Option<Imported>,
    /// Ports; an empty list counts as one nameless port without a number.
    pub ports: Vec<Port>,
    /// Endpoints, ready or not.
    pub endpoints: Vec<Endpoint>,
    /// Whether it was made of an Endpoints object, as the mirroring controller does.
    pub mirrored: bool,
}

/// Where an imported slice comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Name of the ServiceImport, in the slice's namespace.
    pub service: Box<str>,
    /// The cluster that exported it (`multicluster.kubernetes.io/source-cluster`).
    pub cluster: Box<str>,
}

/// One endpoint: usually one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// All its addresses; every one is published.
    pub addresses: Vec<EndpointAddress>,
    /// The name it asked for.
    pub hostname: Option<Box<str>>,
    /// `conditions.ready`; missing means ready.
    pub ready: bool,
    /// `targetRef.name`.
    pub target: Option<Box<str>>,
    /// The topology zone it runs in.
    pub zone: Option<Box<str>>,
}

/// Where an endpoint is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndpointAddress {
    /// An address.
    Ip(IpAddr),
    /// A name (slices of the deprecated type FQDN).
    Name(Name),
}
