//! Settings to the policy under which names are compiled and answered.

use std::num::NonZeroU32;

use super::{LedgerSettings, NamespaceFilter, Settings};
use crate::allocate::ledger::{Ledger, Rules};
use crate::allocate::{Allocator, HashAllocator, HostKey, NoAllocator, Origin, Recorder, Row};
use crate::catalog::{AutomaticAddresses, CompilePolicy, Policy, TtlPolicies};

impl Settings {
    /// What the catalog needs to know of the settings.
    pub fn policy(&self) -> Policy {
        let kubernetes = &self.kubernetes;
        let (namespaces, namespace_selector) = match &kubernetes.namespaces {
            NamespaceFilter::All => Default::default(),
            NamespaceFilter::Named(names) => (names.iter().map(|name| name.as_str().into()).collect(), None),
            NamespaceFilter::Selected(selector) => (Default::default(), Some(selector.clone())),
        };
        Policy {
            zones: self.zones.clone(),
            catch_all: self.catch_all,
            pods: kubernetes.pods,
            zonal_names: kubernetes.zonal_names,
            server_addresses: kubernetes.server_addresses.clone(),
            ttl: TtlPolicies::new(self.ttl.clone()),
            compile: CompilePolicy {
                endpoint_pod_names: kubernetes.endpoint_pod_names,
                ignore_empty_services: kubernetes.ignore_empty_services,
                no_endpoints: !kubernetes.endpoints,
                terminating_endpoints: kubernetes.terminating_endpoints,
                not_ready_addresses: kubernetes.not_ready_addresses,
                namespaces,
                namespace_selector,
                label_selector: Some(kubernetes.label_selector.clone())
                    .filter(|selector| !selector.is_empty()),
                automatic: self.service_entries.addresses,
                families: self.service_entries.families,
                answer: self.service_entries.answer,
                answer_self_resolving: self.service_entries.answer_self_resolving,
                visible_to: self.service_entries.visible_to.clone(),
            },
        }
    }

    /// What gives addresses to the hosts of ServiceEntries, with nothing remembered.
    pub fn allocator(&self) -> Box<dyn Allocator> {
        self.allocator_from(NonZeroU32::MIN, 0, Vec::new())
    }

    /// The same, beginning with what a ledger remembers. `now` is in Unix seconds; `slices` says into how many parts the
    /// ledger's store cuts every range.
    pub fn allocator_from(
        &self,
        slices: NonZeroU32,
        now: u64,
        rows: Vec<(HostKey, Row)>,
    ) -> Box<dyn Allocator> {
        let entries = &self.service_entries;
        let cooling = entries.ledger.clone().unwrap_or_default().cooling;
        let none: Box<dyn Allocator> = Box::new(NoAllocator);
        let (origin, given) = match entries.addresses {
            AutomaticAddresses::Ledger => {
                let shared = entries.ledger.as_ref().is_some_and(LedgerSettings::is_shared);
                let rules = Rules { ranges: entries.ranges.clone(), cooling, slices, shared };
                return Box::new(Ledger::new(rules, now, rows));
            }
            AutomaticAddresses::Status => (Origin::Status, none),
            AutomaticAddresses::Hash => {
                (Origin::Hash, Box::new(HashAllocator::default()) as Box<dyn Allocator>)
            }
            AutomaticAddresses::Off => return none,
        };
        match entries.ledger {
            Some(_) => Box::new(Recorder::new(given, origin, cooling, now, rows)),
            None => given,
        }
    }
}
