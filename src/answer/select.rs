//! Endpoints to records.
//!
//! Rules: an address appears once; the SRV weight counts every address times every matching port, duplicates and
//! ports without a number included; a port without a number gives no SRV; an endpoint that is reached under a name
//! gives one alias, and only where no address stands beside it, and does not count in the weight.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Addresses, Found, Records, kind};
use crate::catalog::{Class, EndpointSet, Entry, PortFilter, ServiceSet, ServiceUnit};
use crate::model::{EndpointAddress, Port, push_label};

/// Whose endpoints are selected, and for which name.
pub(super) struct Selection<'a> {
    pub(super) unit: &'a ServiceUnit,
    /// The set that they are of.
    pub(super) endpoints: &'a EndpointSet,
    /// Whether endpoint names carry their cluster.
    pub(super) imported: bool,
    /// Where the zone begins in the name asked.
    pub(super) at: usize,
}

impl Selection<'_> {
    /// Records of one type; `None` when no entry has a port that is asked for.
    pub(super) fn records<'e>(
        &self,
        entries: impl IntoIterator<Item = &'e Entry>,
        filter: Option<PortFilter<'_>>,
        kind: u16,
    ) -> Option<Found> {
        let matching = |entry: &Entry| self.matching_ports(entry, filter).count();
        let entries: Vec<&Entry> = entries.into_iter().filter(|entry| matching(entry) > 0).collect();
        if entries.is_empty() {
            return None;
        }
        if let Some(alias) = self.only_alias(&entries)
            && matches!(kind, kind::A | kind::AAAA | kind::CNAME)
        {
            return Some(alias);
        }
        let records = match kind {
            kind::A => Records::V4(Addresses::Own(each_once(&entries, |address| match address {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            }))),
            kind::AAAA => Records::V6(Addresses::Own(each_once(&entries, |address| match address {
                IpAddr::V6(address) => Some(address),
                IpAddr::V4(_) => None,
            }))),
            kind::SRV => Records::Services { set: Arc::new(self.services(&entries, filter)), base: self.at },
            _ => Records::None,
        };
        if records.is_empty() {
            return Some(Found::Nothing);
        }
        let class = if kind == kind::SRV { Class::Srv } else { Class::Headless };
        Some(Found::Records(records, class, self.unit.endpoints_ttl()))
    }

    /// The alias of endpoints none of which has an address: one, the first.
    fn only_alias(&self, entries: &[&Entry]) -> Option<Found> {
        if entries.iter().any(|entry| entry.ip().is_some()) {
            return None;
        }
        entries.iter().find_map(|entry| match &entry.address {
            EndpointAddress::Name(target) => {
                let text = target.wire().into();
                Some(Found::Alias { target: target.clone(), text, ttl: self.unit.endpoints_ttl() })
            }
            EndpointAddress::Ip(_) => None,
        })
    }

    fn matching_ports(&self, entry: &Entry, filter: Option<PortFilter<'_>>) -> impl Iterator<Item = &Port> {
        let ports = self.endpoints.ports(entry).iter();
        ports.filter(move |port| filter.is_none_or(|filter| filter.matches(port)))
    }

    /// SRV records of all endpoints; empty when none of them has a port that is asked for.
    pub(super) fn all_services(&self, filter: Option<PortFilter<'_>>) -> ServiceSet {
        let matching = |entry: &&Entry| self.matching_ports(entry, filter).next().is_some();
        self.services(&self.endpoints.iter().filter(matching).collect::<Vec<_>>(), filter)
    }

    fn services(&self, entries: &[&Entry], filter: Option<PortFilter<'_>>) -> ServiceSet {
        let mut set = ServiceSet::default();
        let mut counted = 0;
        let mut tail = Vec::with_capacity(64);
        push_service(&mut tail, self.unit);
        let mut labels = Vec::with_capacity(128);
        for entry in entries {
            let ports = || self.matching_ports(entry, filter);
            let Some(address) = entry.ip() else { continue };
            counted += ports().count();
            labels.clear();
            let mut fits = push_label(&mut labels, &entry.label());
            if self.imported {
                fits &= push_label(&mut labels, self.endpoints.cluster(entry));
            }
            labels.extend_from_slice(&tail);
            if fits {
                set.add(&labels, address, ports().filter_map(|port| port.number));
            }
        }
        set.weigh(counted);
        set
    }
}

/// SRV records of a service with cluster IPs: one target, the service itself.
pub(super) fn cluster_ip_services(unit: &ServiceUnit, filter: Option<PortFilter<'_>>) -> ServiceSet {
    let mut set = ServiceSet::default();
    let ports: Vec<&Port> =
        unit.ports.iter().filter(|port| filter.is_none_or(|filter| filter.matches(port))).collect();
    let mut labels = Vec::with_capacity(64);
    push_service(&mut labels, unit);
    let addresses = unit.cluster_ips();
    for address in &addresses {
        set.add(&labels, *address, ports.iter().filter_map(|port| port.number));
    }
    set.weigh(addresses.len() * ports.len());
    set
}

/// `name.namespace.svc` as stored.
pub(super) fn push_service(labels: &mut Vec<u8>, unit: &ServiceUnit) {
    push_label(labels, &unit.name.name);
    push_label(labels, &unit.name.namespace);
    push_label(labels, "svc");
}

fn each_once<T: Ord + Copy>(entries: &[&Entry], of_family: impl Fn(IpAddr) -> Option<T>) -> Vec<T> {
    let mut addresses: Vec<T> = entries.iter().filter_map(|entry| of_family(entry.ip()?)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}
