//! Which units have an address.

mod owners;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_skiplist::SkipMap;

use super::table::Table;
use crate::model::Name;
pub(crate) use owners::Owners;

/// A unit that has an address. A service that has one in both ways is there twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A service, by its key in the catalog, whose cluster IP it is. First, because it alone counts then.
    ClusterIp(Arc<[u8]>),
    /// A service, by its key in the catalog, that has an endpoint there.
    Endpoint(Arc<[u8]>),
    /// An exact mesh host.
    Host(Name),
}

/// Addresses to the units that have them. It holds keys, not units, so it changes only when an address comes or
/// goes.
#[derive(Default)]
pub(crate) struct Reverse {
    owners: Table<IpAddr, Owners>,
    /// How many addresses are known of each group, in order.
    groups: SkipMap<IpAddr, AtomicUsize>,
}

impl Reverse {
    /// The units that have `address`: those with it as cluster IP first, then those with an endpoint, then hosts.
    pub(crate) fn owners(&self, address: IpAddr) -> Option<Owners> {
        self.owners.get(&address)
    }

    /// Whether any unit has an address from `low` to `high`: what a shortened reverse name stands for, so whole groups.
    pub(crate) fn any_between(&self, low: IpAddr, high: IpAddr) -> bool {
        self.groups.range(group(low)..=group(high)).next().is_some()
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
        if let Some(with) = with
            && self.owners.insert(address, with).is_none()
        {
            self.groups
                .get_or_insert_with(group(address), AtomicUsize::default)
                .value()
                .fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&self, address: IpAddr, owner: &Owner) {
        let Some(without) = self.owners.get(&address).and_then(|owners| owners.without(owner)) else {
            return;
        };
        if without.is_empty() {
            self.owners.remove(&address);
            if let Some(group) = self.groups.get(&group(address))
                && group.value().fetch_sub(1, Ordering::Relaxed) == 1
            {
                group.remove();
            }
        } else {
            self.owners.insert(address, without);
        }
    }
}

/// What is kept in order for an address. Reverse names are cut between octets, so of IPv4 addresses three octets tell
/// everything, and there are few such groups; of IPv6 addresses, which are cut between digits, all of them.
fn group(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests;
