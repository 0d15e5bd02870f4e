//! What is published: one compiled unit per Service, ServiceImport, pod address or mesh host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::service_sets::ServiceSets;
use super::{Clock, EndpointSet, HostUnit, LeftOut, PortFilter, Seen, ServiceSet, UnitTtl};
use crate::model::{Name, ObjectName, Port, Stamp};

/// A unit of any kind.
#[derive(Debug)]
pub enum Unit {
    /// A namespace; that it exists is all there is to it.
    Namespace,
    /// A Service or ServiceImport.
    Service(ServiceUnit),
    /// Pods at one address.
    Pod(PodUnit),
    /// A mesh host.
    Host(HostUnit),
}

impl Unit {
    pub(super) fn into_service(self) -> Option<ServiceUnit> {
        if let Unit::Service(unit) = self { Some(unit) } else { None }
    }

    pub(super) fn into_pod(self) -> Option<PodUnit> {
        if let Unit::Pod(unit) = self { Some(unit) } else { None }
    }

    pub(super) fn into_host(self) -> Option<HostUnit> {
        if let Unit::Host(unit) = self { Some(unit) } else { None }
    }
}

/// A Service or ServiceImport with its slices, ready to be answered from.
#[derive(Debug)]
pub struct ServiceUnit {
    /// Namespace and name as stored: names that we make up repeat them.
    pub name: ObjectName,
    /// How it is reached.
    pub kind: ServiceKind,
    /// Its own ports; those of its endpoints are in `endpoints`.
    pub ports: Arc<[Port]>,
    /// Its endpoints, each under its own name.
    pub endpoints: EndpointSet,
    /// Those under its name, if they are not all.
    pub(super) listed: Option<Box<EndpointSet>>,
    pub(super) services: ServiceSets,
    /// What the TTLs of its own records depend on.
    pub ttl: UnitTtl,
    /// Since when all of its records are what they are, those of single endpoints too.
    pub(super) endpoints_changed: Option<Stamp>,
    /// Hash of all of this that DNS can see; 0 when it is hidden.
    pub(super) content: u64,
}

/// How a service is reached.
#[derive(Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// By virtual addresses, each once.
    ClusterIps {
        /// Of IPv4.
        v4: Arc<[Ipv4Addr]>,
        /// Of IPv6.
        v6: Arc<[Ipv6Addr]>,
    },
    /// By its endpoints.
    Headless,
    /// Under another name.
    Alias {
        /// That name, compared without regard to case.
        target: Name,
        /// As written, for the record.
        text: Box<[u8]>,
    },
    /// It is there, but no name of it exists.
    Hidden(Hidden),
}

/// Why a service that is there has no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Its namespace is not known or not served.
    Namespace,
    /// Its labels do not match the selector.
    Labels,
    /// `ignoreEmptyServices` and it has no ready endpoint.
    Empty,
    /// `externalName` is an address.
    AddressAsName,
    /// `externalName` is not a name.
    NotAName,
    /// An import without ports.
    NoPorts,
}

impl Hidden {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Hidden::Namespace => "its namespace does not exist or is not served",
            Hidden::Labels => "its labels do not match kubernetes.labelSelector",
            Hidden::Empty => "it has no ready endpoint and kubernetes.ignoreEmptyServices is on",
            Hidden::AddressAsName => "its externalName is an IP address, which no alias can lead to",
            Hidden::NotAName => "its externalName is not a domain name",
            Hidden::NoPorts => "the import has no ports",
        }
    }
}

impl ServiceUnit {
    /// The endpoints under its name and those of its ports.
    pub fn listed(&self) -> &EndpointSet {
        self.listed.as_deref().unwrap_or(&self.endpoints)
    }

    /// The addresses that only have names of their own, with the reason.
    pub fn unlisted(&self) -> impl Iterator<Item = &LeftOut> {
        let left_out = self.listed.iter().flat_map(|listed| listed.left_out());
        left_out.filter(|entry| self.endpoints.iter().any(|own| own.address == entry.address))
    }

    /// Its SRV records for a filter; of all ports without one. `build` makes those that are not kept yet.
    pub(crate) fn services(
        &self,
        filter: Option<PortFilter<'_>>,
        build: impl FnOnce() -> ServiceSet,
    ) -> Arc<ServiceSet> {
        match &self.kind {
            ServiceKind::ClusterIps { .. } => self.services.get(filter, || self.ports.iter(), build),
            _ => self.services.get(filter, || self.listed().port_sets().flatten(), build),
        }
    }

    /// Whether `address` is one of its cluster IPs.
    pub fn has_cluster_ip(&self, address: IpAddr) -> bool {
        match (&self.kind, address) {
            (ServiceKind::ClusterIps { v4, .. }, IpAddr::V4(address)) => v4.contains(&address),
            (ServiceKind::ClusterIps { v6, .. }, IpAddr::V6(address)) => v6.contains(&address),
            _ => false,
        }
    }

    /// What the TTLs of records of single endpoints depend on.
    pub fn endpoints_ttl(&self) -> UnitTtl {
        self.ttl.since(self.endpoints_changed)
    }

    /// Says since when its records are what they are. `before`: what was published.
    pub(super) fn date(&mut self, before: Option<&Self>, clock: &Clock, seen: Seen) {
        let as_it_is = before.filter(|before| before.content == self.content);
        let all = as_it_is.map(|before| before.endpoints_changed);
        self.endpoints_changed = clock.changed(seen, self.endpoints_changed, all);
        let own = match self.kind {
            ServiceKind::Headless => all,
            _ => before.filter(|before| self.has_own_records_of(before)).map(|before| before.ttl.changed()),
        };
        self.ttl = self.ttl.since(clock.changed(seen, self.ttl.changed(), own));
    }

    /// Whether those that are of no single endpoint are the same.
    fn has_own_records_of(&self, other: &Self) -> bool {
        self.kind == other.kind && self.ports == other.ports && self.name == other.name
    }

    /// The addresses that a reverse name may lead from to this service: its cluster IPs, and those of its endpoints.
    pub(super) fn reverse_addresses(&self) -> (Vec<IpAddr>, Vec<IpAddr>) {
        if matches!(self.kind, ServiceKind::Hidden(_)) {
            return (Vec::new(), Vec::new());
        }
        let v4 = self.endpoints.v4().iter().map(|address| IpAddr::V4(*address));
        let v6 = self.endpoints.v6().iter().map(|address| IpAddr::V6(*address));
        (self.cluster_ips(), v4.chain(v6).collect())
    }

    /// Its cluster IPs, IPv4 first.
    pub fn cluster_ips(&self) -> Vec<IpAddr> {
        match &self.kind {
            ServiceKind::ClusterIps { v4, v6 } => {
                v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a))).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Pods at one primary address.
#[derive(Debug)]
pub struct PodUnit {
    /// The names of the pods.
    pub names: Box<[ObjectName]>,
    /// What the TTLs of its records depend on.
    pub ttl: UnitTtl,
    pub(super) content: u64,
}

impl PodUnit {
    /// Says since when its records are what they are. `before`: what was published.
    pub(super) fn date(&mut self, before: Option<&Self>, clock: &Clock, seen: Seen) {
        let same = before.filter(|before| before.content == self.content);
        let same = same.map(|before| before.ttl.changed());
        self.ttl = self.ttl.since(clock.changed(seen, None, same));
    }
}
