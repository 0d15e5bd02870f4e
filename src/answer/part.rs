//! What of a service is asked for: itself, an endpoint (one label in front), a port and a protocol (two), in
//! multicluster zones an endpoint and its cluster (two).
//!
//! Rules: the Kubernetes DNS specification 1.1.0 as CoreDNS's kubernetes plugin reads it. One leading underscore is
//! removed from port and protocol and none is required. Unlike CoreDNS, names above an existing name are NODATA and
//! never NXDOMAIN.

use super::select::{self, Selection};
use super::{Addresses, Asked, Found, Records, kind, pending, zonal};
use crate::catalog::{Catalog, Class, EndpointSet, PortFilter, ServiceKind, ServiceUnit};
use crate::model::Port;

/// A service and what of it is asked for.
pub(super) struct Part<'a> {
    pub(super) unit: &'a ServiceUnit,
    pub(super) name: &'a Asked,
    /// Where the zone begins in the name.
    pub(super) at: usize,
    /// How many labels stand before the service's name.
    pub(super) before: usize,
    /// Whether the zone is one of imported services.
    pub(super) imported: bool,
    pub(super) kind: u16,
}

impl Part<'_> {
    pub(super) fn find(&self, catalog: &Catalog) -> Found {
        match self.existing(catalog) {
            Found::Missing if pending::may_come(catalog, self) => Found::Pending,
            found => found,
        }
    }

    fn existing(&self, catalog: &Catalog) -> Found {
        match &self.unit.kind {
            ServiceKind::Hidden(_) => Found::Missing,
            ServiceKind::Alias { target, text } if self.before == 0 => {
                Found::Alias { target: target.clone(), text: text.clone(), ttl: self.unit.ttl }
            }
            ServiceKind::Alias { .. } => Found::Missing,
            ServiceKind::ClusterIps { .. } => self.with_cluster_ips(),
            ServiceKind::Headless => match zonal::find(catalog, self) {
                Some(found) => found,
                None => self.headless(),
            },
        }
    }

    fn with_cluster_ips(&self) -> Found {
        match self.before {
            0 => self.addresses(None),
            1 => self.endpoint(),
            2 if self.names_cluster() => self.endpoint_in_cluster(),
            2 if self.unit.ports.iter().any(|port| self.filter().matches(port)) => {
                self.addresses(Some(self.filter()))
            }
            _ => Found::Missing,
        }
    }

    fn headless(&self) -> Found {
        if self.unit.endpoints.is_empty() {
            return Found::Missing;
        }
        let endpoints = self.unit.listed();
        match self.before {
            // Only names of endpoints exist, which are below it.
            0 if endpoints.is_empty() => Found::Waiting,
            0 => match self.kind {
                kind::A if !endpoints.v4().is_empty() => {
                    self.found(Records::V4(Addresses::Shared(endpoints.v4().clone())), Class::Headless)
                }
                kind::AAAA if !endpoints.v6().is_empty() => {
                    self.found(Records::V6(Addresses::Shared(endpoints.v6().clone())), Class::Headless)
                }
                _ => self.all(None),
            },
            1 => self.endpoint(),
            2 if self.names_cluster() => self.endpoint_in_cluster(),
            2 => self.all(Some(self.filter())),
            _ => Found::Missing,
        }
    }

    /// All endpoints, with the ports that are asked for.
    fn all(&self, filter: Option<PortFilter<'_>>) -> Found {
        if self.kind == kind::SRV {
            let build = || self.selection(self.unit.listed()).all_services(filter);
            let set = self.unit.services(filter, build);
            if !set.records.is_empty() {
                return self.found(Records::Services { set, base: self.at }, Class::Srv);
            }
        }
        let endpoints = self.unit.listed();
        self.select(endpoints, endpoints.iter(), filter).unwrap_or(Found::Missing)
    }

    /// One label before the service: an endpoint, else what stands above port names or above a cluster's endpoints.
    fn endpoint(&self) -> Found {
        let label = self.name.label(0);
        if !self.imported
            && let Some(found) =
                self.select(&self.unit.endpoints, self.unit.endpoints.called(label, None), None)
        {
            return found;
        }
        let protocol = PortFilter { port: b"", protocol: label.strip_prefix(b"_").unwrap_or(label) };
        let above_ports = self.every_port().any(|port| protocol.matches(port));
        if above_ports || (self.imported && self.unit.endpoints.has_cluster(label)) {
            return Found::Nothing;
        }
        Found::Missing
    }

    /// In a multicluster zone two labels without underscores are an endpoint and its cluster.
    pub(super) fn names_cluster(&self) -> bool {
        self.imported && !self.name.label(0).starts_with(b"_") && !self.name.label(1).starts_with(b"_")
    }

    fn endpoint_in_cluster(&self) -> Found {
        let endpoints = &self.unit.endpoints;
        let called = endpoints.called(self.name.label(0), Some(self.name.label(1)));
        self.select(endpoints, called, None).unwrap_or(Found::Missing)
    }

    pub(super) fn filter(&self) -> PortFilter<'_> {
        let bare = |index| {
            let label = self.name.label(index);
            label.strip_prefix(b"_").unwrap_or(label)
        };
        PortFilter { port: bare(0), protocol: bare(1) }
    }

    /// The ports that names can be made of: the service's own, or those of the endpoints under its name.
    pub(super) fn every_port(&self) -> impl Iterator<Item = &Port> {
        let own = matches!(self.unit.kind, ServiceKind::ClusterIps { .. });
        let of_endpoints = (!own).then(|| self.unit.listed().used_port_sets().flatten());
        let own = own.then(|| self.unit.ports.iter());
        own.into_iter().flatten().chain(of_endpoints.into_iter().flatten())
    }

    /// The cluster IPs, with the ports that are asked for.
    fn addresses(&self, filter: Option<PortFilter<'_>>) -> Found {
        let ServiceKind::ClusterIps { v4, v6 } = &self.unit.kind else { return Found::Nothing };
        let records = match self.kind {
            kind::A => Records::V4(Addresses::Shared(v4.clone())),
            kind::AAAA => Records::V6(Addresses::Shared(v6.clone())),
            kind::SRV => {
                let build = || select::cluster_ip_services(self.unit, filter);
                Records::Services { set: self.unit.services(filter, build), base: self.at }
            }
            _ => Records::None,
        };
        if records.is_empty() {
            return Found::Nothing;
        }
        let class = if self.kind == kind::SRV { Class::Srv } else { Class::ClusterIp };
        self.found(records, class)
    }

    fn found(&self, records: Records, class: Class) -> Found {
        Found::Records(records, class, self.unit.ttl)
    }

    /// Records of endpoints; `None` when none of them has a port that is asked for.
    pub(super) fn select<'e>(
        &self,
        endpoints: &EndpointSet,
        entries: impl IntoIterator<Item = &'e crate::catalog::Entry>,
        filter: Option<PortFilter<'_>>,
    ) -> Option<Found> {
        self.selection(endpoints).records(entries, filter, self.kind)
    }

    fn selection<'s>(&'s self, endpoints: &'s EndpointSet) -> Selection<'s> {
        Selection { unit: self.unit, endpoints, imported: self.imported, at: self.at }
    }
}
