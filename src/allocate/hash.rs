//! Addresses computed from all ServiceEntries, as istiod does while its status allocator is off.
//!
//! Which numbers: those of istiod 1.22 and later
//! (Istio `pilot/pkg/serviceregistry/serviceentry/auto_allocation.go`). Every host of every entry that takes part has
//! a slot, which depends on its namespace and name and, where two hosts want the same slot, on their age (`table`).
//! Slots become addresses row by row; one host on the first number of a row moves all above it by one (`rows`). So one
//! new entry can move hosts of others, and those are what [`Allocator::update`] returns.
//!
//! The outcome depends only on what the inventory has, never on the order in which it came.

mod rows;
mod service;
mod table;
mod walk;

use std::collections::{BTreeSet, HashMap};
use std::mem;

use foldhash::fast::RandomState;

use self::rows::Shifts;
use self::service::Service;
use self::table::{Id, Member, Place, Table};
use super::{Allocation, Allocator};
use crate::inventory::{Inventory, UnitKey};
use crate::model::{Host, Name};

/// More services than slots.
const TOO_MANY: &str = "as many older hosts as there are automatic addresses come first";
/// It is among the oldest, but its walk does not come to what is free.
const NO_SLOT: &str = "all automatic addresses that its hash can lead to are taken by older hosts";
/// The caller asks for a host that takes no part.
const NO_PART: &str = "no entry with this host takes part in the computation of addresses";

/// Computes addresses as istiod does.
#[derive(Debug, Default)]
pub struct HashAllocator {
    table: Table,
    /// The services of each host, oldest first.
    units: HashMap<Name, Vec<Id>, RandomState>,
    shifts: Shifts,
}

impl Allocator for HashAllocator {
    fn update(&mut self, inventory: &Inventory, touched: &BTreeSet<UnitKey>) -> BTreeSet<UnitKey> {
        // In order, as they are in `touched`.
        let mut renewed: Vec<&Name> = Vec::new();
        for key in touched {
            if let UnitKey::Host { name, wildcard: false } = key
                && self.renew(inventory, name)
            {
                renewed.push(name);
            }
        }
        if renewed.is_empty() {
            return BTreeSet::new();
        }
        let mut moved = self.table.settle();
        let before = mem::replace(&mut self.shifts, Shifts::of(|slot| self.table.occupant(slot).is_some()));
        // Those that were renewed are known to be touched: naming them again would cost a full load most of its time.
        let known = renewed.iter().filter(|name| self.units.contains_key(**name)).count();
        if known == self.units.len() {
            return BTreeSet::new();
        }
        let shifted = before.differing(&self.shifts).into_iter().flatten();
        moved
            .extend(shifted.filter_map(|slot| self.table.occupant(slot).filter(|id| self.counts(*id, slot))));
        let others = moved.into_iter().map(|id| &self.table.member(id).unit);
        let others = others.filter(|unit| renewed.binary_search(unit).is_err());
        others.map(|unit| UnitKey::Host { name: unit.clone(), wildcard: false }).collect()
    }

    fn allocation(&self, namespace: &str, host: &Host) -> Allocation {
        let of_key =
            || self.services(&host.name).filter(|member| member.service.has_key(namespace, &host.text));
        match lowest(of_key()) {
            Some(slot) => Allocation::Given(self.shifts.addresses(slot)),
            None if of_key().any(|member| member.place == Place::Stranded) => Allocation::Refused(NO_SLOT),
            None if of_key().any(|member| member.place == Place::Late) => Allocation::Refused(TOO_MANY),
            None => Allocation::Refused(NO_PART),
        }
    }
}

impl HashAllocator {
    /// Takes over what the inventory has for a host; says whether that is anything new.
    fn renew(&mut self, inventory: &Inventory, host: &Name) -> bool {
        let (mut ids, mut changed) = (Vec::new(), false);
        let mut known = self.units.remove(host).unwrap_or_default().into_iter().peekable();
        for service in Service::all_of(inventory, host) {
            while let Some(id) = known.next_if(|id| self.table.member(*id).service < service) {
                self.table.remove(id);
                changed = true;
            }
            let kept = known.next_if(|id| self.table.member(*id).service == service);
            changed |= kept.is_none();
            ids.push(kept.unwrap_or_else(|| self.table.add(service, host.clone())));
        }
        for id in known {
            self.table.remove(id);
            changed = true;
        }
        if !ids.is_empty() {
            self.units.insert(host.clone(), ids);
        }
        changed
    }

    /// Whether the slot of a service is the one that counts for its key.
    fn counts(&self, id: Id, slot: u16) -> bool {
        let member = self.table.member(id);
        match self.units.get(&member.unit).map(Vec::as_slice) {
            Some([_]) => true,
            _ => {
                let of_unit = self.services(&member.unit);
                lowest(of_unit.filter(|other| other.service.shares_key(&member.service))) == Some(slot)
            }
        }
    }

    fn services(&self, host: &Name) -> impl Iterator<Item = &Member> {
        self.units.get(host).into_iter().flatten().map(|id| self.table.member(*id))
    }
}

/// The slot that counts of several services with one key.
fn lowest<'m>(members: impl Iterator<Item = &'m Member>) -> Option<u16> {
    members.filter_map(|member| if let Place::Slot(slot) = member.place { Some(slot) } else { None }).min()
}
