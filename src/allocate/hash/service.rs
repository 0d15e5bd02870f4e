//! What takes a slot: one host of one entry.

use super::walk::Walk;
use crate::inventory::Inventory;
use crate::model::{Name, ObjectName, Resolution, ServiceEntry};

/// A host of an entry, as istiod makes a service of it. The order is that of age: by creation second, host and
/// namespace (Istio `pilot/pkg/model/push_context.go`); the name of the entry and the place of a repeated host decide
/// between services of one key, which makes no difference to any address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Service {
    created: i64,
    host: Box<str>,
    entry: ObjectName,
    repeat: usize,
}

impl Service {
    /// All services of a host, oldest first. Spellings that differ in letter case have different keys; a host that is
    /// written twice makes two services.
    pub(super) fn all_of(inventory: &Inventory, host: &Name) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for entry in inventory.entries_of(host, false).into_iter().filter(|entry| takes_part(entry)) {
            let spelled = entry.hosts.iter().filter(|written| !written.wildcard && written.name == *host);
            found.extend(spelled.enumerate().map(|(repeat, written)| Self {
                created: entry.created,
                host: written.text.clone(),
                entry: entry.name.clone(),
                repeat,
            }));
        }
        found.sort_unstable();
        found
    }

    /// Whether this is a service of that key.
    pub(super) fn has_key(&self, namespace: &str, host: &str) -> bool {
        *self.host == *host && *self.entry.namespace == *namespace
    }

    /// Whether both have one key.
    pub(super) fn shares_key(&self, other: &Self) -> bool {
        self.has_key(&other.entry.namespace, &other.host)
    }

    /// The slots it tries.
    pub(super) fn walk(&self) -> Walk {
        Walk::of(&self.entry.namespace, &self.host)
    }
}

/// Neither the label that opts out nor `exportTo` counts here.
fn takes_part(entry: &ServiceEntry) -> bool {
    entry.resolution != Resolution::None && !entry.declares_addresses
}
