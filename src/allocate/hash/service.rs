//! What takes a slot: one host of one entry.

use std::cmp::Ordering;

use super::walk::Walk;
use crate::inventory::Inventory;
use crate::model::{Name, ObjectName, Resolution, ServiceEntry};

/// A host of an entry, as istiod makes a service of it. The order is that of age: by creation second, host and
/// namespace (Istio `pilot/pkg/model/push_context.go`); the name of the entry decides between services of one key, which
/// makes no difference to any address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    created: i64,
    /// Host, namespace and name of the entry behind each other: one text is made faster than three.
    names: Box<str>,
    host_end: usize,
    namespace_end: usize,
}

impl Service {
    /// All services of a host, oldest first. Spellings that differ in letter case have different keys. A host that one
    /// entry lists twice makes one service, as in istiod 1.30 and later; before it made two.
    pub(super) fn all_of(inventory: &Inventory, host: &Name) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for entry in inventory.entries_of(host, false).into_iter().filter(|entry| takes_part(entry)) {
            let spelled = entry.hosts.iter().filter(|written| !written.wildcard && written.name == *host);
            found.extend(spelled.map(|written| Self::of(entry.created, &written.text, &entry.name)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn of(created: i64, host: &str, entry: &ObjectName) -> Self {
        let host_end = host.len();
        let namespace_end = host_end + entry.namespace.len();
        let names = [host, &entry.namespace, &entry.name].concat().into();
        Self { created, names, host_end, namespace_end }
    }

    fn host(&self) -> &str {
        &self.names[..self.host_end]
    }

    fn namespace(&self) -> &str {
        &self.names[self.host_end..self.namespace_end]
    }

    fn entry(&self) -> &str {
        &self.names[self.namespace_end..]
    }

    /// Whether this is a service of that key.
    pub(super) fn has_key(&self, namespace: &str, host: &str) -> bool {
        self.host() == host && self.namespace() == namespace
    }

    /// Whether both have one key.
    pub(super) fn shares_key(&self, other: &Self) -> bool {
        self.has_key(other.namespace(), other.host())
    }

    /// The slots it tries.
    pub(super) fn walk(&self) -> Walk {
        Walk::of(self.namespace(), self.host())
    }
}

impl Ord for Service {
    fn cmp(&self, other: &Self) -> Ordering {
        self.created
            .cmp(&other.created)
            .then_with(|| self.host().cmp(other.host()))
            .then_with(|| self.namespace().cmp(other.namespace()))
            .then_with(|| self.entry().cmp(other.entry()))
    }
}

impl PartialOrd for Service {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Neither the label that opts out nor `exportTo` counts here.
fn takes_part(entry: &ServiceEntry) -> bool {
    entry.resolution != Resolution::None && !entry.declares_addresses
}
