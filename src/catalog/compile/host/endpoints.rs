//! The endpoints of a ServiceEntry, as DNS can give them.

use std::net::IpAddr;

use crate::inventory::Inventory;
use crate::model::{Name, Resolution, ServiceEntry, Target};

/// What the endpoints of an entry come to.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    /// The addresses, in order, each once.
    pub(super) addresses: Vec<IpAddr>,
    /// The first endpoint that is a host name: what the host is an alias of when there is no address.
    pub(super) alias: Option<(Name, Box<str>)>,
}

impl Endpoints {
    /// The endpoints that the entry lists and the workloads that it selects.
    pub(super) fn of(inventory: &Inventory, entry: &ServiceEntry) -> Self {
        let mut found = Self::workloads(inventory, entry);
        for target in &entry.endpoints {
            found.add(target);
        }
        found
    }

    /// The ready pods that it selects, by name.
    pub(super) fn pods(inventory: &Inventory, entry: &ServiceEntry) -> Self {
        let mut found = Self::default();
        let Some(selector) = &entry.selector else { return found };
        let mut pods = inventory.pods_in(&entry.name.namespace);
        pods.retain(|pod| pod.ready && !pod.terminating && pod.labels.contains_all(selector));
        for address in pods.iter().filter_map(|pod| pod.address) {
            found.add(&Target::Address(address));
        }
        found
    }

    /// These, and the WorkloadEntries that it selects and that may be used, by name.
    fn workloads(inventory: &Inventory, entry: &ServiceEntry) -> Self {
        let mut found = Self::pods(inventory, entry);
        let Some(selector) = &entry.selector else { return found };
        let mut workloads = inventory.workloads_in(&entry.name.namespace);
        workloads.retain(|workload| workload.healthy && workload.labels.contains_all(selector));
        // Only a proxy that resolves names itself can use one that is a name (Istio `conversion.go`).
        let with_names = matches!(entry.resolution, Resolution::Dns | Resolution::DnsRoundRobin);
        for workload in workloads {
            if with_names || !matches!(workload.target, Target::Host { .. }) {
                found.add(&workload.target);
            }
        }
        found
    }

    fn add(&mut self, target: &Target) {
        match target {
            Target::Address(address) if !self.addresses.contains(address) => self.addresses.push(*address),
            Target::Host { name, text } if self.alias.is_none() => {
                self.alias = Some((name.clone(), text.clone()));
            }
            _ => {}
        }
    }
}
