//! What a replica knows of all shards, old or new.

use std::net::IpAddr;
use std::sync::Arc;

use super::layout::Layout;
use super::shard::{Reservation, Shard, narrowed};
use crate::allocate::{HostKey, Row};

/// What is known of one shard.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// It says this.
    Good(Arc<Shard>),
    /// It cannot be used, for this reason.
    Unusable(Arc<str>),
}

/// All shards as one replica knows them.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) layout: Layout,
    pub(super) slots: Vec<Slot>,
}

/// Whom a reservation serves.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// The host has the address.
    Used,
    /// Nobody, ever.
    Dead,
    /// A host that may get it.
    Open,
    /// The home of the host cannot be read.
    Unknown,
}

impl View {
    /// A shard, or why it cannot be used.
    pub(super) fn shard(&self, number: usize) -> Result<&Arc<Shard>, &Arc<str>> {
        match &self.slots[number] {
            Slot::Good(shard) => Ok(shard),
            Slot::Unusable(reason) => Err(reason),
        }
    }

    /// What the ledger has for a host: of its row, the addresses that their own shards confirm.
    pub(super) fn row(&self, key: &HostKey) -> Option<Row> {
        self.row_in(self.shard(self.layout.home(key)).ok()?, key)
    }

    /// The same by this state of its home.
    pub(super) fn row_in(&self, home: &Shard, key: &HostKey) -> Option<Row> {
        let held = home.rows().get(key)?;
        let mut addresses = held.row.addresses;
        for (address, ticket) in held.foreign() {
            if !self.confirms(key, address, ticket) {
                addresses.remove(address);
            }
        }
        narrowed(held.row, addresses)
    }

    /// Whether the address is the host's by the shard of its slice. One that is older here than the ticket, or that
    /// cannot be read, has nothing to say against it.
    fn confirms(&self, key: &HostKey, address: IpAddr, ticket: u64) -> bool {
        let Some(owner) = self.layout.owner(address) else { return true };
        let Ok(shard) = self.shard(owner) else { return true };
        shard.revision < ticket
            || shard.reserved.get(&address).is_some_and(|found| *found.key == *key && found.ticket == ticket)
    }

    /// Whom a reservation of a shard serves.
    pub(super) fn service(&self, owner: usize, address: IpAddr, reservation: &Reservation) -> Service {
        let Ok(home) = self.shard(self.layout.home(&reservation.key)) else { return Service::Unknown };
        if home.uses(&reservation.key, address, reservation.ticket) {
            Service::Used
        } else if home.fence(owner) >= reservation.ticket {
            Service::Dead
        } else {
            Service::Open
        }
    }

    /// Puts back the reservations of shards that people began anew: what hosts of other shards have of them is known.
    pub(super) fn restore(&mut self) {
        for number in 0..self.slots.len() {
            let Ok(empty) = self.shard(number).map(Arc::clone) else { continue };
            if empty.revision != 0 || !empty.reserved.is_empty() {
                continue;
            }
            let mut shard = Shard::clone(&empty);
            let others: Vec<_> = (0..self.slots.len()).filter_map(|other| self.shard(other).ok()).collect();
            // Tickets that were given before must not be given again.
            let mut last = 0;
            for other in others {
                last = last.max(other.fence(number));
                for (key, held) in other.rows() {
                    for (address, ticket) in held.foreign() {
                        if self.layout.owner(address) == Some(number) {
                            last = last.max(ticket);
                            let reservation = Reservation { key: Arc::clone(key), ticket };
                            shard.reserved.insert(address, reservation);
                        }
                    }
                }
            }
            shard.revision = last;
            self.slots[number] = Slot::Good(Arc::new(shard));
        }
    }

    /// All hosts of all shards that can be read.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Arc<HostKey>, Row)> + '_ {
        let good = (0..self.slots.len()).filter_map(|number| self.shard(number).ok());
        good.flat_map(move |shard| {
            shard.rows().keys().filter_map(|key| Some((Arc::clone(key), self.row_in(shard, key)?)))
        })
    }
}
