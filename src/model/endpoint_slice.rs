//! A set of endpoints of a service.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use super::{Labels, Name, ObjectName, Port, Stamp};

/// One set of endpoints times one set of ports. All slices of a service are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSlice {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels, for selectors.
    pub labels: Labels,
    /// The Service in the same namespace that it belongs to (`kubernetes.io/service-name`).
    pub service: Option<Arc<str>>,
    /// The ServiceImport that it belongs to (`multicluster.kubernetes.io/service-name`).
    pub import: Option<Imported>,
    /// Ports; an empty list counts as one nameless port without a number.
    pub ports: Arc<[Port]>,
    /// Endpoints, ready or not.
    pub endpoints: Vec<Endpoint>,
    /// Whether it was made of an Endpoints object, as the mirroring controller does.
    pub mirrored: bool,
    /// When the API server last wrote it, if it says so (`metadata.managedFields`).
    pub written: Option<Stamp>,
}

/// Where an imported slice comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Name of the ServiceImport, in the slice's namespace.
    pub service: Arc<str>,
    /// The cluster that exported it (`multicluster.kubernetes.io/source-cluster`).
    pub cluster: Box<str>,
}

/// One endpoint: usually one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// All its addresses; every one is published.
    pub addresses: Addresses,
    /// The name it asked for.
    pub hostname: Option<Arc<str>>,
    /// `conditions.ready`; missing means ready.
    pub ready: bool,
    /// `conditions.serving`: whether it takes requests, also while it terminates; missing means as `ready`.
    pub serving: bool,
    /// `conditions.terminating`; missing means no.
    pub terminating: bool,
    /// `targetRef.name`.
    pub target: Option<Arc<str>>,
    /// The topology zone it runs in.
    pub zone: Option<Arc<str>>,
}

/// Where an endpoint is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndpointAddress {
    /// An address.
    Ip(IpAddr),
    /// A name (slices of the deprecated type FQDN).
    Name(Name),
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointAddress::Ip(address) => address.fmt(f),
            EndpointAddress::Name(name) => name.fmt(f),
        }
    }
}

/// The addresses of an endpoint. It has one, as a rule, which takes no memory of its own.
#[derive(Clone)]
pub struct Addresses(Held);

#[derive(Clone)]
enum Held {
    One(EndpointAddress),
    Any(Box<[EndpointAddress]>),
}

impl Deref for Addresses {
    type Target = [EndpointAddress];

    fn deref(&self) -> &[EndpointAddress] {
        match &self.0 {
            Held::One(address) => std::slice::from_ref(address),
            Held::Any(addresses) => addresses,
        }
    }
}

impl FromIterator<EndpointAddress> for Addresses {
    fn from_iter<I: IntoIterator<Item = EndpointAddress>>(addresses: I) -> Self {
        let mut addresses = addresses.into_iter();
        Self(match (addresses.next(), addresses.next()) {
            (Some(one), None) => Held::One(one),
            (first, second) => Held::Any(first.into_iter().chain(second).chain(addresses).collect()),
        })
    }
}

impl<'a> IntoIterator for &'a Addresses {
    type Item = &'a EndpointAddress;
    type IntoIter = std::slice::Iter<'a, EndpointAddress>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Addresses {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Addresses {}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}
