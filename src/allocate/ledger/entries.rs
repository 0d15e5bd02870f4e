//! What the ledger needs of the ServiceEntries, and how to see what changed of it.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::allocate::HostKey;
use crate::inventory::{Inventory, UnitKey};
use crate::model::{Host, Name, ObjectName, Resolution, ServiceEntry};

/// A ServiceEntry as the ledger sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Creation time in Unix seconds.
    pub(super) created: i64,
    /// Its hosts that take automatic addresses, each once, in order.
    pub(super) keys: Vec<Arc<HostKey>>,
    /// The addresses in its spec.
    pub(super) literals: BTreeSet<IpAddr>,
    /// The addresses in its status that count: of hosts that take automatic addresses.
    pub(super) status: Vec<(Arc<HostKey>, IpAddr)>,
    /// The units of all its hosts.
    units: BTreeSet<(Name, bool)>,
}

impl Known {
    fn of(entry: &ServiceEntry) -> Self {
        let mut known = Self {
            created: entry.created,
            literals: entry.addresses.iter().copied().collect(),
            units: entry.hosts.iter().map(|host| (host.name.clone(), host.wildcard)).collect(),
            ..Self::default()
        };
        if !entry.takes_automatic_addresses() {
            return known;
        }
        let mut seen = BTreeSet::new();
        let takes = |host: &&Host| !host.wildcard || entry.resolution == Resolution::DynamicDns;
        for host in entry.hosts.iter().filter(takes) {
            let key = Arc::new(HostKey::new(&entry.name.namespace, host));
            if seen.insert(Arc::clone(&key)) {
                known.keys.push(key);
            }
            let written = entry.assigned.iter().filter(|(text, _)| *text == host.text);
            known.status.extend(
                written.map(|(_, address)| (Arc::new(HostKey::new(&entry.name.namespace, host)), *address)),
            );
        }
        known
    }
}

/// An entry that changed.
pub(super) struct Changed {
    pub(super) name: ObjectName,
    /// What it was.
    pub(super) old: Known,
    /// What it is; nothing in it when it is gone.
    pub(super) new: Known,
}

/// All entries that were seen.
#[derive(Debug, Default)]
pub(super) struct Entries {
    known: HashMap<ObjectName, Known, RandomState>,
    by_unit: HashMap<(Name, bool), BTreeSet<ObjectName>, RandomState>,
}

impl Entries {
    /// The entry of that name.
    pub(super) fn get(&self, name: &ObjectName) -> Option<&Known> {
        self.known.get(name)
    }

    /// What they are called, in no particular order.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &ObjectName> {
        self.known.keys()
    }

    /// Takes in how the entries of these units are now, and returns those that changed, by name.
    pub(super) fn refresh(&mut self, inventory: &Inventory, touched: &BTreeSet<UnitKey>) -> Vec<Changed> {
        let mut candidates = BTreeSet::new();
        for key in touched {
            let UnitKey::Host { name, wildcard } = key else { continue };
            let now = inventory.entries_of(name, *wildcard);
            candidates.extend(now.into_iter().map(|entry| entry.name.clone()));
            if let Some(before) = self.by_unit.get(&(name.clone(), *wildcard)) {
                candidates.extend(before.iter().cloned());
            }
        }
        let mut changed = Vec::new();
        for name in candidates {
            let new = inventory.entry(&name).map(Known::of);
            if new.as_ref() == self.known.get(&name) {
                continue;
            }
            let old = self.replace(&name, new.clone());
            changed.push(Changed { name, old, new: new.unwrap_or_default() });
        }
        changed
    }

    fn replace(&mut self, name: &ObjectName, new: Option<Known>) -> Known {
        for unit in new.iter().flat_map(|new| &new.units) {
            self.by_unit.entry(unit.clone()).or_default().insert(name.clone());
        }
        let old = self.known.remove(name).unwrap_or_default();
        for unit in old.units.iter().filter(|unit| !new.as_ref().is_some_and(|new| new.units.contains(unit)))
        {
            if let Some(names) = self.by_unit.get_mut(unit) {
                names.remove(name);
                if names.is_empty() {
                    self.by_unit.remove(unit);
                }
            }
        }
        if let Some(new) = new {
            self.known.insert(name.clone(), new);
        }
        old
    }
}
