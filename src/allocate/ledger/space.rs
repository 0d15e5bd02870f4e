//! Who has which address of the ranges.
//!
//! Every address of a range is free, or literal in some entry, or has one owner: a host that uses it, or one that
//! did until lately.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::range::Range;
use crate::allocate::{HostKey, Slices};
use crate::model::{Cidr, ObjectName};

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) const BOTH: [Family; 2] = [Family::V4, Family::V6];

    pub(super) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// The host that an address belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It uses it.
    Using(Arc<HostKey>),
    /// It used it until then; nobody else should get it yet.
    Cooling(Arc<HostKey>, u64),
}

/// An address that was given, and the host that it was taken from while it cooled.
pub(super) struct Given {
    pub(super) address: IpAddr,
    pub(super) from: Option<Arc<HostKey>>,
}

/// All ranges.
#[derive(Debug)]
pub(super) struct Space {
    ranges: Vec<Range>,
    owners: HashMap<IpAddr, Owner, RandomState>,
    literals: HashMap<IpAddr, BTreeSet<ObjectName>, RandomState>,
    /// Cooling addresses by the time at which they came free.
    cooling: BTreeSet<(u64, IpAddr)>,
}

impl Space {
    /// All free.
    pub(super) fn new(ranges: &[Cidr], slices: Slices) -> Self {
        Self {
            ranges: ranges.iter().map(|range| Range::new(*range, slices)).collect(),
            owners: HashMap::default(),
            literals: HashMap::default(),
            cooling: BTreeSet::new(),
        }
    }

    /// All ranges, in order.
    pub(super) fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// Whether a family has any range.
    pub(super) fn has_family(&self, family: Family) -> bool {
        self.of_family(family).next().is_some()
    }

    /// The ranges of a family in words.
    pub(super) fn named(&self, family: Family) -> String {
        let all: Vec<String> = self.of_family(family).map(|range| range.cidr().to_string()).collect();
        all.join(", ")
    }

    fn of_family(&self, family: Family) -> impl Iterator<Item = &Range> {
        self.ranges.iter().filter(move |range| Family::of(range.cidr().network()) == family)
    }

    /// Whether the address can be given at all.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.has(address))
    }

    pub(super) fn owner(&self, address: IpAddr) -> Option<&Owner> {
        self.owners.get(&address)
    }

    /// The first of the entries that have the address in their spec.
    pub(super) fn literal(&self, address: IpAddr) -> Option<&ObjectName> {
        self.literals.get(&address)?.first()
    }

    /// An entry has the address in its spec from now on. It may still have an owner, who has to leave it.
    pub(super) fn add_literal(&mut self, address: IpAddr, entry: &ObjectName) {
        self.take(address);
        self.literals.entry(address).or_default().insert(entry.clone());
    }

    /// The entry no longer has it.
    pub(super) fn remove_literal(&mut self, address: IpAddr, entry: &ObjectName) {
        let Some(entries) = self.literals.get_mut(&address) else { return };
        entries.remove(entry);
        if entries.is_empty() {
            self.literals.remove(&address);
            self.release(address);
        }
    }

    /// A host uses the address from now on; nobody else may have it.
    pub(super) fn own(&mut self, address: IpAddr, key: &Arc<HostKey>) {
        self.take(address);
        if let Some(Owner::Cooling(_, freed)) = self.owners.insert(address, Owner::Using(Arc::clone(key))) {
            self.cooling.remove(&(freed, address));
        }
    }

    /// The owner used the address until now.
    pub(super) fn cool(&mut self, address: IpAddr, key: &Arc<HostKey>, freed: u64) {
        self.own(address, key);
        self.owners.insert(address, Owner::Cooling(Arc::clone(key), freed));
        self.cooling.insert((freed, address));
    }

    /// Nobody owns the address any more.
    pub(super) fn disown(&mut self, address: IpAddr) {
        if let Some(Owner::Cooling(_, freed)) = self.owners.remove(&address) {
            self.cooling.remove(&(freed, address));
        }
        self.release(address);
    }

    /// The next free address of a family for a host, else the one that has cooled for the longest time of those that
    /// may be taken.
    pub(super) fn give(
        &mut self,
        family: Family,
        key: &Arc<HostKey>,
        slice: u32,
        may: impl Fn(u64, IpAddr, &HostKey) -> bool,
    ) -> Option<Given> {
        let next = self
            .ranges
            .iter_mut()
            .filter(|range| Family::of(range.cidr().network()) == family)
            .find_map(|range| range.next(slice));
        let address = match next {
            Some(address) => address,
            None => {
                let usable = |(freed, address): &&(u64, IpAddr)| {
                    let owner = self.owners.get(address);
                    let may = matches!(owner, Some(Owner::Cooling(key, _)) if may(*freed, *address, key));
                    Family::of(*address) == family && may
                };
                self.cooling.iter().find(usable)?.1
            }
        };
        let from = match self.owners.get(&address) {
            Some(Owner::Cooling(from, _)) => Some(Arc::clone(from)),
            _ => None,
        };
        self.own(address, key);
        Some(Given { address, from })
    }

    /// Frees what came free at `until` or before and may be freed, and says what and whose it was.
    pub(super) fn expire(
        &mut self,
        until: u64,
        may: impl Fn(IpAddr, &HostKey) -> bool,
    ) -> Vec<(IpAddr, Arc<HostKey>)> {
        let due = self.cooling.iter().take_while(|(freed, _)| *freed <= until);
        let expired: Vec<_> = due
            .filter_map(|(_, address)| match self.owners.get(address) {
                Some(Owner::Cooling(key, _)) if may(*address, key) => Some((*address, Arc::clone(key))),
                _ => None,
            })
            .collect();
        for (address, _) in &expired {
            self.disown(*address);
        }
        expired
    }

    fn take(&mut self, address: IpAddr) {
        if let Some(range) = self.range_of(address) {
            range.take(address);
        }
    }

    /// Frees the address unless somebody still has it.
    fn release(&mut self, address: IpAddr) {
        if self.owners.contains_key(&address) || self.literals.contains_key(&address) {
            return;
        }
        if let Some(range) = self.range_of(address) {
            range.free(address);
        }
    }

    fn range_of(&mut self, address: IpAddr) -> Option<&mut Range> {
        self.ranges.iter_mut().find(|range| range.has(address))
    }
}

/// Addresses of a family that hosts wait for, in the order in which they get them.
pub(super) type Queue = BTreeMap<super::holding::Turn, Arc<HostKey>>;
