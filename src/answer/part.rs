//! What of a service is asked for: itself, an endpoint (one label in front), a port and a protocol (two), in
//! multicluster zones an endpoint and its cluster (two).
//!
//! Rules: the Kubernetes DNS specification 1.1.0 as CoreDNS's kubernetes plugin reads it. One leading underscore is
//! removed from port and protocol and none is required. Unlike CoreDNS, names above an existing name are NODATA and
//! never NXDOMAIN.

use std::net::IpAddr;

use super::select::{self, Selection};
use super::{Addresses, Asked, Found, Records, Step, Topic, Weight, kind, zonal};
use crate::catalog::{Catalog, Class, PortFilter, ServiceKind, ServiceUnit};
use crate::model::{Kind, Port, dotted};

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

    /// Why a name of a service that is there does not exist.
    pub(super) fn absence(&self, noun: Kind) -> Step {
        let (endpoints, object) = (&self.unit.endpoints, format!("{} {}", noun.as_str(), self.unit.name));
        let label = |index| String::from_utf8_lossy(self.name.label(index));
        let waiting = match endpoints.not_ready {
            0 => String::new(),
            1 => " (1 is not ready)".to_owned(),
            count => format!(" ({count} are not ready)"),
        };
        let headless = matches!(self.unit.kind, ServiceKind::Headless);
        let (text, weight) = match (&self.unit.kind, self.before) {
            (ServiceKind::Alias { .. }, _) => {
                (format!("{object} is an alias: nothing is below its name"), Weight::Cause)
            }
            (ServiceKind::Headless, _) if endpoints.is_empty() => {
                (format!("{object} is headless and has no ready endpoint{waiting}"), Weight::Cause)
            }
            (_, 1) if headless && endpoints.not_ready > 0 => {
                (format!("{object} has no ready endpoint called {}{waiting}", label(0)), Weight::Cause)
            }
            (_, 1) => {
                (format!("{object} has no ready endpoint called {}{waiting}", label(0)), Weight::Absent)
            }
            (_, 2) => {
                let mut ports: Vec<String> = self
                    .every_port()
                    .map(|port| format!("_{}._{}", port.name, port.protocol.to_ascii_lowercase()))
                    .collect();
                ports.sort_unstable();
                ports.dedup();
                ports.truncate(10);
                let text =
                    format!("{object} has no port {}.{}; it has {}", label(0), label(1), ports.join(", "));
                (text, Weight::Absent)
            }
            (_, before) => (format!("{object} has no names with {before} labels in front"), Weight::Absent),
        };
        Step::of(Topic::Name, text).about(noun, &self.unit.name).weighing(weight)
    }

    fn with_cluster_ips(&self) -> Found {
        match self.before {
            0 => self.addresses(None),
            1 => self.endpoint(Found::Missing),
            2 if self.names_cluster() => self.endpoint_in_cluster(Found::Missing),
            2 if self.unit.ports.iter().any(|port| self.filter().matches(port)) => {
                self.addresses(Some(self.filter()))
            }
            _ => Found::Missing,
        }
    }

    fn headless(&self) -> Found {
        let endpoints = &self.unit.endpoints;
        if endpoints.is_empty() {
            return Found::Pending;
        }
        match self.before {
            0 => match self.kind {
                kind::A if !endpoints.v4().is_empty() => {
                    self.found(Records::V4(Addresses::Shared(endpoints.v4().clone())), Class::Headless)
                }
                kind::AAAA if !endpoints.v6().is_empty() => {
                    self.found(Records::V6(Addresses::Shared(endpoints.v6().clone())), Class::Headless)
                }
                _ => self.all(None),
            },
            1 => self.endpoint(Found::Pending),
            2 if self.names_cluster() => self.endpoint_in_cluster(Found::Pending),
            2 => self.all(Some(self.filter())),
            _ => Found::Missing,
        }
    }

    /// All endpoints, with the ports that are asked for.
    fn all(&self, filter: Option<PortFilter<'_>>) -> Found {
        if self.kind == kind::SRV {
            let set = self.unit.services(filter, || self.selection().all_services(filter));
            if !set.records.is_empty() {
                return self.found(Records::Services { set, base: self.at }, Class::Srv);
            }
        }
        self.select(self.unit.endpoints.iter(), filter).unwrap_or(Found::Missing)
    }

    /// One label before the service: an endpoint, else what stands above port names or above a cluster's endpoints.
    fn endpoint(&self, otherwise: Found) -> Found {
        let label = self.name.label(0);
        if !self.imported
            && let Some(found) = self.select(self.unit.endpoints.called(label, None), None)
        {
            return found;
        }
        let protocol = PortFilter { port: b"", protocol: label.strip_prefix(b"_").unwrap_or(label) };
        let above_ports = self.every_port().any(|port| protocol.matches(port));
        if above_ports || (self.imported && self.unit.endpoints.has_cluster(label)) {
            return Found::Nothing;
        }
        otherwise
    }

    /// In a multicluster zone two labels without underscores are an endpoint and its cluster.
    fn names_cluster(&self) -> bool {
        self.imported && !self.name.label(0).starts_with(b"_") && !self.name.label(1).starts_with(b"_")
    }

    fn endpoint_in_cluster(&self, otherwise: Found) -> Found {
        let called = self.unit.endpoints.called(self.name.label(0), Some(self.name.label(1)));
        self.select(called, None).unwrap_or(otherwise)
    }

    fn filter(&self) -> PortFilter<'_> {
        let bare = |index| {
            let label = self.name.label(index);
            label.strip_prefix(b"_").unwrap_or(label)
        };
        PortFilter { port: bare(0), protocol: bare(1) }
    }

    /// The ports that names can be made of: the service's own, or those of its ready endpoints.
    fn every_port(&self) -> impl Iterator<Item = &Port> {
        let own = matches!(self.unit.kind, ServiceKind::ClusterIps { .. });
        let of_endpoints = (!own).then(|| self.unit.endpoints.ready_port_sets().flatten());
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
        entries: impl IntoIterator<Item = &'e crate::catalog::Entry>,
        filter: Option<PortFilter<'_>>,
    ) -> Option<Found> {
        self.selection().records(entries, filter, self.kind)
    }

    fn selection(&self) -> Selection<'_> {
        Selection { unit: self.unit, imported: self.imported, at: self.at }
    }
}

pub(super) fn in_words(unit: &ServiceUnit) -> String {
    let endpoints = || {
        let (ready, not_ready) = (unit.endpoints.iter().count(), unit.endpoints.not_ready);
        let slices: Vec<&str> = unit.endpoints.slices().iter().take(5).map(|slice| &*slice.name).collect();
        let more = if unit.endpoints.slices().len() > 5 { ", ..." } else { "" };
        match slices.len() {
            0 => "no endpoint slices".to_owned(),
            _ => format!("{ready} ready and {not_ready} not ready endpoints in {}{more}", slices.join(", ")),
        }
    };
    match &unit.kind {
        ServiceKind::Hidden(reason) => format!("has no names: {}", reason.as_str()),
        ServiceKind::Alias { text, .. } => format!("is an alias (ExternalName) of {}", dotted(text)),
        ServiceKind::Headless => format!("answers with its endpoints: {}", endpoints()),
        ServiceKind::ClusterIps { .. } => {
            let addresses: Vec<String> = unit.cluster_ips().iter().map(IpAddr::to_string).collect();
            match addresses.len() {
                0 => "has no cluster IP yet".to_owned(),
                _ => format!("has the cluster IP {} and {}", addresses.join(", "), endpoints()),
            }
        }
    }
}
