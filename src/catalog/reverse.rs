//! Which units have an address.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crossbeam_skiplist::SkipSet;

use super::table::Table;
use crate::model::Name;

/// A unit that has an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A service, by its key in the catalog.
    Service(Box<[u8]>),
    /// An exact mesh host.
    Host(Name),
}

/// Addresses to the units that have them. It holds keys, not units, so it changes only when an address comes or
/// goes.
#[derive(Default)]
pub(crate) struct Reverse {
    owners: Table<IpAddr, Arc<[Owner]>>,
    order: SkipSet<IpAddr>,
}

impl Reverse {
    /// The units that have `address`, services first.
    pub(crate) fn owners(&self, address: IpAddr) -> Option<Arc<[Owner]>> {
        self.owners.get(&address)
    }

    /// Whether any unit has an address from `low` to `high`.
    pub(crate) fn any_between(&self, low: IpAddr, high: IpAddr) -> bool {
        self.order.range(low..=high).next().is_some()
    }

    /// Takes `owner` away from the addresses it had and gives it those it has.
    pub(super) fn replace(
        &self,
        owner: &Owner,
        had: impl Iterator<Item = IpAddr>,
        has: impl Iterator<Item = IpAddr>,
    ) {
        let had: BTreeSet<IpAddr> = had.collect();
        let has: BTreeSet<IpAddr> = has.collect();
        let owners = &self.owners;
        for address in has.difference(&had) {
            let mut list: Vec<Owner> = owners.get(address).map(|list| list.to_vec()).unwrap_or_default();
            if let Err(at) = list.binary_search(owner) {
                list.insert(at, owner.clone());
            }
            owners.insert(*address, list.into());
            // In place if it is there: it must not be missing for a moment.
            self.order.get_or_insert(*address);
        }
        for address in had.difference(&has) {
            let list: Vec<Owner> = owners
                .get(address)
                .map(|list| list.iter().filter(|known| *known != owner).cloned().collect())
                .unwrap_or_default();
            if list.is_empty() {
                owners.remove(address);
                self.order.remove(address);
            } else {
                owners.insert(*address, list.into());
            }
        }
    }
}
