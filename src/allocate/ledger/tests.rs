//! The rules, one by one, on objects as a source gives them.

mod facts;
mod model;
mod rules;
mod stores;

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::allocate::{Outcome, Settled};
use crate::model::{Change, Key, Kind, Object, ObjectName, Resolution, ServiceEntry};

/// A day.
const COOLING: u64 = 86_400;

/// An entry with automatic addresses.
fn entry(name: &str, created: i64, hosts: &[&str]) -> ServiceEntry {
    let (namespace, name) = name.split_once('/').unwrap();
    ServiceEntry {
        written: None,
        name: ObjectName::new(namespace, name),
        labels: Default::default(),
        hosts: hosts.iter().map(|host| Host::parse(host).unwrap()).collect(),
        declares_addresses: false,
        addresses: Vec::new(),
        ports: Vec::new(),
        resolution: Resolution::Static,
        endpoints: Vec::new(),
        selector: None,
        answer: None,
        ttl: None,
        export_to: Vec::new(),
        created,
        assigned: Vec::new(),
    }
}

fn literal(name: &str, created: i64, hosts: &[&str], addresses: &[&str]) -> ServiceEntry {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    ServiceEntry { declares_addresses: true, addresses, ..entry(name, created, hosts) }
}

fn with_status(mut entry: ServiceEntry, status: &[(&str, &str)]) -> ServiceEntry {
    entry.assigned =
        status.iter().map(|(host, address)| ((*host).into(), address.parse().unwrap())).collect();
    entry
}

fn rules(ranges: &[&str]) -> Rules {
    let ranges = ranges.iter().map(|range| Cidr::parse(range).unwrap()).collect();
    Rules { ranges, cooling: COOLING, slices: NonZeroU32::MIN, shared: false }
}

/// A ledger with its inventory and a store that stores everything at once.
struct World {
    inventory: Inventory,
    ledger: Ledger,
    store: BTreeMap<HostKey, Row>,
}

impl World {
    fn new(ranges: &[&str]) -> Self {
        Self::with(rules(ranges), Vec::new())
    }

    fn with(rules: Rules, rows: Vec<(HostKey, Row)>) -> Self {
        let store = rows.iter().cloned().collect();
        Self { inventory: Inventory::default(), ledger: Ledger::new(rules, 1, rows), store }
    }

    fn istio() -> Self {
        Self::new(&["240.240.0.0/16", "2001:2::/48"])
    }

    /// Takes a change in and says which units are to be published, without storing anything.
    fn change(&mut self, change: Change) -> BTreeSet<UnitKey> {
        let mut touched = self.inventory.apply(0, change);
        touched.append(&mut self.ledger.update(&self.inventory, &touched));
        touched
    }

    fn store_all(&mut self) -> BTreeSet<UnitKey> {
        let claims = self.ledger.claims();
        for Claim { key, row, .. } in &claims {
            match row {
                Some(row) => self.store.insert(HostKey::clone(key), *row),
                None => self.store.remove(&**key),
            };
        }
        let settled = claims.into_iter().map(|claim| Settled { claim, outcome: Outcome::Stored });
        self.ledger.stored(settled.collect())
    }

    fn batch(&mut self, entries: Vec<ServiceEntry>) {
        let upserts = entries.into_iter().map(|entry| Change::Upsert(Object::ServiceEntry(entry)));
        self.change(Change::Batch(upserts.collect()));
        self.store_all();
    }

    fn add(&mut self, entry: ServiceEntry) {
        self.batch(vec![entry]);
    }

    fn remove(&mut self, name: &str) {
        let (namespace, name) = name.split_once('/').unwrap();
        let name = ObjectName::new(namespace, name);
        self.change(Change::Remove(Key { kind: Kind::ServiceEntry, name }));
        self.store_all();
    }

    fn at(&mut self, now: u64) {
        self.ledger.tell_time(now);
        self.store_all();
    }

    /// What a host is answered with: addresses, or why not.
    fn of(&self, namespace: &str, host: &str) -> String {
        match self.ledger.allocation(namespace, &Host::parse(host).unwrap()) {
            Allocation::Given(given) => {
                given.iter().map(|address| address.to_string()).collect::<Vec<_>>().join(" ")
            }
            Allocation::Waiting => "waiting".into(),
            Allocation::Refused(reason) => reason.into(),
        }
    }

    /// A program that starts with what is stored.
    fn restarted(&self, now: u64) -> Self {
        let rows: Vec<_> = self.store.iter().map(|(key, row)| (key.clone(), *row)).collect();
        let ledger = Ledger::new(self.ledger.rules.clone(), now, rows);
        Self { inventory: Inventory::default(), ledger, store: self.store.clone() }
    }
}

/// Every address that a host uses, may get back, or has in its spec, is there once.
fn nothing_is_given_twice(world: &World) {
    let mut seen = BTreeSet::new();
    let mut literals: BTreeSet<IpAddr> = BTreeSet::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        for namespace in ["one", "two"] {
            if let Some(entry) = world.inventory.entry(&ObjectName::new(namespace, name)) {
                literals.extend(&entry.addresses);
            }
        }
    }
    for listed in world.ledger.listing().hosts {
        for address in listed.addresses.iter() {
            assert!(seen.insert(address), "{address} has two hosts");
            assert!(!literals.contains(&address), "{address} is literal and {} has it", listed.key);
        }
    }
}
