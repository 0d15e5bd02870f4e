//! Addresses that others give, written down as they are used.
//!
//! So a later move to addresses of our own keeps them. Nothing waits for the store, and two hosts may have one address:
//! what others do is recorded, not judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ledger::{Listed, Listing, State, Stats};
use super::{Allocation, Allocator, Assigned, Claim, HostKey, Origin, Outcome, Row, Settled};
use crate::inventory::{Inventory, UnitKey};
use crate::model::{Host, Resolution};

/// Passes on what gives addresses, and remembers what it gave.
pub struct Recorder {
    given: Box<dyn Allocator>,
    origin: Origin,
    cooling: u64,
    now: u64,
    rows: BTreeMap<Arc<HostKey>, Row>,
    stored: BTreeMap<Arc<HostKey>, Row>,
    unstored: BTreeSet<Arc<HostKey>>,
    /// Hosts that the store had to put off, until somebody tells the time.
    deferred: BTreeSet<Arc<HostKey>>,
    by_unit: BTreeMap<UnitKey, BTreeSet<Arc<HostKey>>>,
    at_rest: BTreeSet<(u64, Arc<HostKey>)>,
    /// Remembered hosts that nobody has named since the start.
    unnamed: BTreeSet<Arc<HostKey>>,
}

impl Recorder {
    /// Starts with what a store has. With [`Origin::Status`] addresses are read from the objects, otherwise `given` is
    /// asked for them.
    pub fn new(
        given: Box<dyn Allocator>,
        origin: Origin,
        cooling: u64,
        now: u64,
        rows: Vec<(HostKey, Row)>,
    ) -> Self {
        let rows: BTreeMap<_, _> = rows.into_iter().map(|(key, row)| (Arc::new(key), row)).collect();
        let mut recorder = Self {
            given,
            origin,
            cooling,
            now,
            stored: rows.clone(),
            rows: BTreeMap::new(),
            unstored: BTreeSet::new(),
            deferred: BTreeSet::new(),
            by_unit: BTreeMap::new(),
            at_rest: BTreeSet::new(),
            unnamed: rows.keys().cloned().collect(),
        };
        for (key, row) in rows {
            recorder.by_unit.entry(key.unit()).or_default().insert(Arc::clone(&key));
            recorder.set(&key, Some(row));
        }
        recorder
    }

    fn set(&mut self, key: &Arc<HostKey>, row: Option<Row>) {
        let old = match row {
            Some(row) => self.rows.insert(Arc::clone(key), row),
            None => self.rows.remove(key),
        };
        if let Some(freed) = old.and_then(|row| row.freed) {
            self.at_rest.remove(&(freed, Arc::clone(key)));
        }
        if let Some(freed) = row.and_then(|row| row.freed) {
            self.at_rest.insert((freed, Arc::clone(key)));
        }
        if self.stored.get(key) != row.as_ref() {
            self.unstored.insert(Arc::clone(key));
        }
    }

    /// The hosts of a unit, with the addresses they have now.
    fn in_use(&self, inventory: &Inventory, unit: &UnitKey) -> BTreeMap<HostKey, Assigned> {
        let mut found = BTreeMap::new();
        let UnitKey::Host { name, wildcard } = unit else { return found };
        for entry in inventory.entries_of(name, *wildcard) {
            let wild = !wildcard || entry.resolution == Resolution::DynamicDns;
            let Some(host) = entry.hosts.iter().find(|host| host.name == *name && host.wildcard == *wildcard)
            else {
                continue;
            };
            let assigned = match self.origin {
                Origin::Status if wild && entry.takes_automatic_addresses() => {
                    Assigned::of_status(entry, name, *wildcard)
                }
                Origin::Status => continue,
                _ if entry.declares_addresses || *wildcard || entry.resolution == Resolution::None => {
                    continue;
                }
                _ => match self.given.allocation(&entry.name.namespace, host) {
                    Allocation::Given(assigned) => assigned,
                    Allocation::Waiting | Allocation::Refused(_) => continue,
                },
            };
            if !assigned.is_empty() {
                found.entry(HostKey::new(&entry.name.namespace, host)).or_insert(assigned);
            }
        }
        found
    }

    fn record(&mut self, inventory: &Inventory, unit: &UnitKey) {
        let now = self.in_use(inventory, unit);
        let known = self.by_unit.get(unit).cloned().unwrap_or_default();
        for key in known.iter().filter(|key| !now.contains_key(&***key)) {
            self.let_go(key);
        }
        for (key, addresses) in now {
            let key = Arc::new(key);
            let fresh = Row { addresses, origin: self.origin, since: self.now, freed: None };
            let old = self.rows.get(&key).filter(|old| old.addresses == addresses);
            let row = old.map_or(fresh, |old| Row { freed: None, ..*old });
            self.by_unit.entry(unit.clone()).or_default().insert(Arc::clone(&key));
            self.unnamed.remove(&key);
            self.set(&key, Some(row));
        }
    }

    fn let_go(&mut self, key: &Arc<HostKey>) {
        if let Some(row) = self.rows.get(key).copied().filter(|row| row.freed.is_none()) {
            self.set(key, Some(Row { freed: Some(self.now), ..row }));
        }
    }

    fn expire(&mut self) {
        let Some(until) = self.now.checked_sub(self.cooling) else { return };
        while let Some((freed, key)) = self.at_rest.first().cloned()
            && freed <= until
        {
            self.set(&key, None);
            if let Some(keys) = self.by_unit.get_mut(&key.unit()) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.by_unit.remove(&key.unit());
                }
            }
        }
    }
}

impl Allocator for Recorder {
    fn update(&mut self, inventory: &Inventory, touched: &BTreeSet<UnitKey>) -> BTreeSet<UnitKey> {
        let moved = self.given.update(inventory, touched);
        for unit in touched.union(&moved) {
            self.record(inventory, unit);
        }
        moved
    }

    fn allocation(&self, namespace: &str, host: &Host) -> Allocation {
        self.given.allocation(namespace, host)
    }

    fn tell_time(&mut self, now: u64) -> BTreeSet<UnitKey> {
        self.now = self.now.max(now);
        self.unstored.append(&mut self.deferred);
        self.expire();
        self.given.tell_time(now)
    }

    fn settle(&mut self) -> BTreeSet<UnitKey> {
        for key in std::mem::take(&mut self.unnamed) {
            self.let_go(&key);
        }
        self.given.settle()
    }

    fn claims(&mut self) -> Vec<Claim> {
        let keys = std::mem::take(&mut self.unstored);
        let differs = |key: &Arc<HostKey>| self.rows.get(key) != self.stored.get(key);
        let claim = |key: Arc<HostKey>| Claim {
            was: self.stored.get(&key).copied(),
            row: self.rows.get(&key).copied(),
            key,
        };
        keys.into_iter().filter(differs).map(claim).collect()
    }

    fn stored(&mut self, settled: Vec<Settled>) -> BTreeSet<UnitKey> {
        for Settled { claim, outcome } in settled {
            // What is in use decides, not what another recorder saw of it.
            let (key, row) = match outcome {
                Outcome::Stored => (claim.key, claim.row),
                Outcome::Holds(row) => (claim.key, row),
                Outcome::Taken(holder, row) => (holder, Some(row)),
                Outcome::Deferred(_) => {
                    self.deferred.insert(claim.key);
                    continue;
                }
            };
            match row {
                Some(row) => self.stored.insert(key, row),
                None => self.stored.remove(&key),
            };
        }
        BTreeSet::new()
    }

    fn stats(&self) -> Option<Stats> {
        let cooling = self.at_rest.len() as u64;
        Some(Stats { in_use: self.rows.len() as u64 - cooling, cooling, ..Stats::default() })
    }

    fn listing(&self) -> Listing {
        let hosts = self.rows.iter().map(|(key, row)| Listed {
            key: HostKey::clone(key),
            addresses: row.addresses,
            origin: Some(row.origin),
            since: Some(row.since),
            state: match row.freed {
                Some(freed) => State::Cooling { until: freed.saturating_add(self.cooling) },
                None => State::InUse,
            },
            moved: None,
        });
        Listing { hosts: hosts.collect(), ..Listing::default() }
    }
}

#[cfg(test)]
mod tests;
