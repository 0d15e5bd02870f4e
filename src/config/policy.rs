//! Settings to the policy under which names are compiled and answered.

use super::{NamespaceFilter, Settings};
use crate::allocate::{Allocator, HashAllocator, NoAllocator};
use crate::catalog::{AutomaticAddresses, CompilePolicy, Policy};

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
            ttl: self.ttl,
            compile: CompilePolicy {
                endpoint_pod_names: kubernetes.endpoint_pod_names,
                ignore_empty_services: kubernetes.ignore_empty_services,
                no_endpoints: !kubernetes.endpoints,
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

    /// Who gives addresses to the hosts of ServiceEntries.
    pub fn allocator(&self) -> Box<dyn Allocator> {
        match self.service_entries.addresses {
            AutomaticAddresses::Hash => Box::new(HashAllocator::default()),
            AutomaticAddresses::Status | AutomaticAddresses::Ledger | AutomaticAddresses::Off => {
                Box::new(NoAllocator)
            }
        }
    }
}
