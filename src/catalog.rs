//! What can be answered, in units that are published one by one.
//!
//! One writer ([`Catalog::publish`]) and any number of readers that never lock: every unit stands behind its own
//! entry of a concurrent map and is replaced in one atomic step, so a reader sees it before or after a change and
//! never half. Publishing costs what the unit costs, not what the catalog costs.
//!
//! Beside the units stand three indexes for names that no unit is called by: addresses to the units that have them
//! (PTR), all such addresses in order, and all mesh hosts in order (both to tell an empty non-terminal from a name
//! that does not exist, RFC 8020).

mod compile;
mod content;
mod endpoints;
mod hosts;
mod policy;
mod presence;
mod records;
mod reverse;
mod serial;
mod service_set;
mod service_sets;
mod staleness;
mod table;
mod tallies;
mod ttl;
mod units;

use std::sync::Arc;

pub use compile::compile;
pub use endpoints::{EndpointSet, Entry, LeftOut, PortFilter};
pub use hosts::{AddressOrigin, Difference, HostState, HostUnit, Parity, PassedOver};
pub use policy::{
    AutomaticAddresses, CompilePolicy, Families, NotReadyAddresses, PodMode, Policy, TerminatingEndpoints,
    Visibility,
};
pub use presence::Absence;
pub use records::Listed;
pub use service_set::{ServiceRecord, ServiceSet, ServiceTarget};
pub use staleness::{StaleFrom, Staleness, StalenessMark};
pub use tallies::Tallies;
pub use ttl::{
    Churn, Class, ClassTtls, Clock, GivenTtl, HostPattern, HostPatternError, InForce, MAX_RULES,
    NegativePending, Seen, TtlBounds, TtlPolicies, TtlPolicy, TtlRule, TtlSetting, TtlSource, UnitTtl,
};
pub use units::{Hidden, PodUnit, ServiceKind, ServiceUnit, Unit};

use crate::inventory::UnitKey;
use crate::model::ObjectName;
use hosts::Hosts;
use reverse::{Owner, Reverse};
use serial::Serials;
use table::Table;

/// Everything that can be answered, with the policy under which it is.
pub struct Catalog {
    /// Zones, modes and TTLs.
    pub policy: Policy,
    namespaces: Table<Box<[u8]>, ()>,
    services: Table<Arc<[u8]>, Arc<ServiceUnit>>,
    imports: Table<Arc<[u8]>, Arc<ServiceUnit>>,
    pods: Table<(Box<[u8]>, std::net::IpAddr), Arc<PodUnit>>,
    pub(crate) hosts: Hosts,
    reverse: Reverse,
    serials: Serials,
    tallies: Tallies,
    staleness: StalenessMark,
}

impl Catalog {
    /// An empty catalog.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            namespaces: Table::default(),
            services: Table::default(),
            imports: Table::default(),
            pods: Table::default(),
            hosts: Hosts::default(),
            reverse: Reverse::default(),
            serials: Serials::default(),
            tallies: Tallies::default(),
            staleness: StalenessMark::default(),
        }
    }

    /// Puts a unit in place of what stood under its key; `None` removes that. Only one task may call this at a time.
    pub fn publish(&self, key: UnitKey, unit: Option<Unit>, seen: Seen) {
        match key {
            UnitKey::Namespace(name) => {
                let label = lower_label(&name);
                let content = content::Content::of("namespace").bytes(&label).finish();
                let new = if unit.is_some() { content } else { 0 };
                let old = match unit {
                    Some(_) => self.namespaces.insert(label, ()),
                    None => self.namespaces.remove(&label),
                };
                let old = old.map_or(0, |()| content);
                self.serials.replace(serial::Area::Cluster, old, new);
                self.serials.replace(serial::Area::ClusterSet, old, new);
            }
            UnitKey::Service(name) => {
                let new = unit.and_then(Unit::into_service);
                self.publish_service(&self.services, &name, new, serial::Area::Cluster, seen);
            }
            UnitKey::Import(name) => {
                let new = unit.and_then(Unit::into_service);
                self.publish_service(&self.imports, &name, new, serial::Area::ClusterSet, seen);
            }
            UnitKey::Pod { namespace, address } => {
                let key = (lower_label(&namespace), address);
                let mut new = unit.and_then(Unit::into_pod);
                if let Some(new) = &mut new {
                    new.date(self.pods.get(&key).as_deref(), self.policy.ttl.clock(), seen);
                }
                let new = new.map(Arc::new);
                let change = new.as_ref().map_or(0, |unit| unit.content);
                let old = match new {
                    Some(unit) => self.pods.insert(key, unit),
                    None => self.pods.remove(&key),
                };
                self.serials.replace(serial::Area::Cluster, old.map_or(0, |unit| unit.content), change);
            }
            UnitKey::Host { name, wildcard } => {
                let mut new = unit.and_then(Unit::into_host);
                let before = self.hosts.get(&name, wildcard);
                if let Some(new) = &mut new {
                    new.date(before.as_deref(), self.policy.ttl.clock(), seen);
                }
                let change = new.as_ref().map_or(0, HostUnit::visible_content);
                self.tallies.replace(before.as_deref(), new.as_ref());
                let owner = Owner::Host(name.clone());
                let has: Vec<_> = new
                    .iter()
                    .flat_map(HostUnit::automatic_addresses)
                    .map(|address| (address, &owner))
                    .collect();
                let old = self.hosts.publish(&name, wildcard, new);
                let had =
                    old.iter().flat_map(|unit| unit.automatic_addresses()).map(|address| (address, &owner));
                self.reverse.replace(had, has.into_iter());
                self.serials.replace(
                    serial::Area::Cluster,
                    old.map_or(0, |unit| unit.visible_content()),
                    change,
                );
            }
        }
    }

    fn publish_service(
        &self,
        units: &Table<Arc<[u8]>, Arc<ServiceUnit>>,
        name: &ObjectName,
        mut new: Option<ServiceUnit>,
        area: serial::Area,
        seen: Seen,
    ) {
        let key = service_key(name);
        // The one that the indexes hold, if there is one: no second copy.
        let key = units.key(&*key).unwrap_or_else(|| key.into());
        if let Some(new) = &mut new {
            new.date(units.get(&*key).as_deref(), self.policy.ttl.clock(), seen);
        }
        let new = new.map(Arc::new);
        let old = match &new {
            Some(unit) => units.insert(key.clone(), unit.clone()),
            None => units.remove(&key),
        };
        // Imported services have no reverse names: their addresses belong to other clusters.
        if matches!(area, serial::Area::Cluster) {
            let (as_ip, as_endpoint) = (Owner::ClusterIp(key.clone()), Owner::Endpoint(key));
            let owned = |unit: &ServiceUnit| {
                let (ips, endpoints) = unit.reverse_addresses();
                let mut owned: Vec<_> = ips.into_iter().map(|address| (address, &as_ip)).collect();
                owned.extend(endpoints.into_iter().map(|address| (address, &as_endpoint)));
                owned
            };
            let had = old.iter().flat_map(|unit| owned(unit));
            self.reverse.replace(had, new.iter().flat_map(|unit| owned(unit)));
        }
        let content = |unit: Option<&ServiceUnit>| unit.map_or(0, |unit| unit.content);
        self.serials.replace(area, content(old.as_deref()), content(new.as_deref()));
    }

    /// How many units of each kind there are.
    pub fn sizes(&self) -> [(&'static str, usize); 6] {
        let (exact, wildcard) = self.hosts.sizes();
        [
            ("namespace", self.namespaces.len()),
            ("service", self.services.len()),
            ("service_import", self.imports.len()),
            ("pod", self.pods.len()),
            ("host", exact),
            ("wildcard_host", wildcard),
        ]
    }

    /// How many mesh hosts are declared more than once, and how many istiod has other addresses of.
    pub fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Whether what is answered may have changed meanwhile.
    pub fn staleness(&self) -> &StalenessMark {
        &self.staleness
    }

    /// Whether a namespace exists. `label` is in lower case.
    pub(crate) fn has_namespace(&self, label: &[u8]) -> bool {
        self.namespaces.get(label).is_some()
    }

    /// The unit of a Service; `key` is its lower-case wire form `name.namespace` without a root octet.
    pub(crate) fn service(&self, key: &[u8]) -> Option<Arc<ServiceUnit>> {
        self.services.get(key)
    }

    /// The unit of a ServiceImport, by the same form of key.
    pub(crate) fn import(&self, key: &[u8]) -> Option<Arc<ServiceUnit>> {
        self.imports.get(key)
    }

    /// The pods of a namespace (lower case) at an address.
    pub(crate) fn pod(&self, namespace: &[u8], address: std::net::IpAddr) -> Option<Arc<PodUnit>> {
        self.pods.get(&(Box::from(namespace), address))
    }

    /// Units that have an address, and whether any lies in a range.
    pub(crate) fn reverse(&self) -> &Reverse {
        &self.reverse
    }

    /// The SOA serial of zones of the cluster: a sum over the content of all their units, so that replicas with the
    /// same data show the same serial, in whatever order it came.
    pub fn serial(&self) -> u32 {
        self.serials.get(serial::Area::Cluster)
    }

    /// The SOA serial of multicluster zones.
    pub fn cluster_set_serial(&self) -> u32 {
        self.serials.get(serial::Area::ClusterSet)
    }
}

pub(crate) use reverse::{Owner as ReverseOwner, Owners};

/// The lower-case wire form `name.namespace`, without a root octet, that a service is found by.
pub(crate) fn service_key(name: &ObjectName) -> Box<[u8]> {
    let mut key = Vec::with_capacity(name.name.len() + name.namespace.len() + 2);
    for part in [&name.name, &name.namespace] {
        key.push(part.len().min(255) as u8);
        key.extend(part.bytes().map(|octet| octet.to_ascii_lowercase()));
    }
    key.into()
}

fn lower_label(text: &str) -> Box<[u8]> {
    text.bytes().map(|octet| octet.to_ascii_lowercase()).collect()
}
