//! Which units have an address.

mod owners;

use std::collections::BTreeSet;
use std::net::IpAddr;

use crossbeam_skiplist::SkipSet;

use super::table::Table;
use crate::model::Name;
pub(crate) use owners::Owners;

/// A unit that has an address. A service that has one in both ways is there twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A service, by its key in the catalog, whose cluster IP it is. First, because it alone counts then.
    ClusterIp(Box<[u8]>),
    /// A service, by its key in the catalog, that has an endpoint there.
    Endpoint(Box<[u8]>),
    /// An exact mesh host.
    Host(Name),
}

/// Addresses to the units that have them. It holds keys, not units, so it changes only when an address comes or
/// goes.
#[derive(Default)]
pub(crate) struct Reverse {
    owners: Table<IpAddr, Owners>,
    order: SkipSet<IpAddr>,
}

impl Reverse {
    /// The units that have `address`: those with it as cluster IP first, then those with an endpoint, then hosts.
    pub(crate) fn owners(&self, address: IpAddr) -> Option<Owners> {
        self.owners.get(&address)
    }

    /// Whether any unit has an address from `low` to `high`.
    pub(crate) fn any_between(&self, low: IpAddr, high: IpAddr) -> bool {
        self.order.range(low..=high).next().is_some()
    }

    /// Takes away from owners the addresses they had, and gives them those they have.
    pub(super) fn replace<'o>(
        &self,
        had: impl Iterator<Item = (IpAddr, &'o Owner)>,
        has: impl Iterator<Item = (IpAddr, &'o Owner)>,
    ) {
        let had: BTreeSet<(IpAddr, &Owner)> = had.collect();
        let has: BTreeSet<(IpAddr, &Owner)> = has.collect();
        for (address, owner) in has.difference(&had) {
            self.give(*address, owner);
        }
        for (address, owner) in had.difference(&has) {
            self.take(*address, owner);
        }
    }

    fn give(&self, address: IpAddr, owner: &Owner) {
        let with = match self.owners.get(&address) {
            None => Some(Owners::of(owner)),
            Some(owners) => owners.with(owner),
        };
        if let Some(with) = with {
            self.owners.insert(address, with);
        }
        // In place if it is there: it must not be missing for a moment.
        self.order.get_or_insert(address);
    }

    fn take(&self, address: IpAddr, owner: &Owner) {
        let Some(without) = self.owners.get(&address).and_then(|owners| owners.without(owner)) else {
            return;
        };
        if without.is_empty() {
            self.owners.remove(&address);
            self.order.remove(&address);
        } else {
            self.owners.insert(address, without);
        }
    }
}

#[cfg(test)]
mod tests;
