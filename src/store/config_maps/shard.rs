//! What one shard says.
//!
//! A host has its row in one shard, its home. An address of the home's own slice needs no more than that. For an address
//! of another slice, the shard of that slice has a reservation besides: only with it the address is the host's.
//!
//! Every write of a shard raises its revision. A reservation has the revision with which it was made as its ticket, and the
//! row that uses the address repeats it. The home's fence against that shard says: no ticket up to this one will ever be
//! put into a row again. So a reservation whose ticket is behind the fence and in no row is dead, for ever, and anybody may
//! take its place.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::allocate::{Assigned, HostKey, Row};
use crate::model::Cidr;

/// What a row needs besides the names in it, in octets, at most.
const ROW: usize = 120;

/// The content of one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shard {
    /// Grows with each write.
    pub(super) revision: u64,
    /// The ranges that its last writer knew.
    pub(super) ranges: Vec<Cidr>,
    /// Of the first shard: whether all of them were made. From then on a missing one was deleted.
    pub(super) complete: bool,
    rows: BTreeMap<Arc<HostKey>, Held>,
    /// Who has the addresses of rows without a ticket.
    by_address: HashMap<IpAddr, Arc<HostKey>, RandomState>,
    /// Addresses of this slice that hosts of other homes have, or want.
    pub(super) reserved: BTreeMap<IpAddr, Reservation>,
    /// By the number of another shard: tickets up to this one are in rows of this shard now or never.
    fences: BTreeMap<usize, u64>,
    octets: usize,
}

/// The row of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// As the allocator knows it.
    pub(super) row: Row,
    /// The tickets of the IPv4 and of the IPv6 address; 0: it is of the home's slice.
    pub(super) tickets: [u64; 2],
}

/// An address that is kept for a host of another shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reservation {
    /// The host.
    pub(super) key: Arc<HostKey>,
    /// The revision of this shard that made it; 0 in a draft.
    pub(super) ticket: u64,
}

impl Held {
    /// The ticket of an address.
    pub(super) fn ticket(&self, address: IpAddr) -> u64 {
        self.tickets[usize::from(address.is_ipv6())]
    }

    /// The addresses that need a reservation, with their tickets.
    pub(super) fn foreign(&self) -> impl Iterator<Item = (IpAddr, u64)> + '_ {
        let with_ticket = |address| (address, self.ticket(address));
        self.row.addresses.iter().map(with_ticket).filter(|(_, ticket)| *ticket != 0)
    }
}

impl Shard {
    /// Without any host.
    pub(super) fn new(revision: u64, ranges: Vec<Cidr>, complete: bool) -> Self {
        Self { revision, ranges, complete, ..Self::default() }
    }

    /// All rows, by host.
    pub(super) fn rows(&self) -> &BTreeMap<Arc<HostKey>, Held> {
        &self.rows
    }

    /// All fences, by shard.
    pub(super) fn fences(&self) -> &BTreeMap<usize, u64> {
        &self.fences
    }

    /// The host that has this address of the shard's own slice.
    pub(super) fn holder(&self, address: IpAddr) -> Option<&Arc<HostKey>> {
        self.by_address.get(&address)
    }

    /// Whether a host's row has an address by this ticket.
    pub(super) fn uses(&self, key: &HostKey, address: IpAddr, ticket: u64) -> bool {
        self.rows.get(key).is_some_and(|held| held.foreign().any(|foreign| foreign == (address, ticket)))
    }

    /// The fence against another shard.
    pub(super) fn fence(&self, shard: usize) -> u64 {
        self.fences.get(&shard).copied().unwrap_or(0)
    }

    /// No ticket of that shard up to this one gets into a row any more.
    pub(super) fn raise_fence(&mut self, shard: usize, ticket: u64) {
        let fence = self.fences.entry(shard).or_default();
        *fence = (*fence).max(ticket);
    }

    /// Gives a host this row. Returns false, and changes nothing, when another host has one of the addresses without a
    /// ticket.
    pub(super) fn put(&mut self, key: &Arc<HostKey>, held: Held) -> bool {
        let own = |address: &IpAddr| held.ticket(*address) == 0;
        let other = |address: IpAddr| self.by_address.get(&address).is_some_and(|holder| holder != key);
        if held.row.addresses.iter().filter(own).any(other) {
            return false;
        }
        self.remove(key);
        for address in held.row.addresses.iter().filter(own) {
            self.by_address.insert(address, Arc::clone(key));
        }
        self.octets += weight(key);
        self.rows.insert(Arc::clone(key), held);
        true
    }

    /// Forgets a host.
    pub(super) fn remove(&mut self, key: &HostKey) {
        let Some(held) = self.rows.remove(key) else { return };
        self.octets -= weight(key);
        for address in held.row.addresses.iter().filter(|address| held.ticket(*address) == 0) {
            self.by_address.remove(&address);
        }
    }

    /// About how much room it takes, in octets; more rather than less.
    pub(super) fn octets(&self) -> usize {
        let reserved: usize = self.reserved.values().map(|reservation| weight(&reservation.key)).sum();
        self.octets + reserved
    }
}

fn weight(key: &HostKey) -> usize {
    ROW + key.namespace.len() + key.host().len()
}

/// The row with only these of its addresses; none without any.
pub(super) fn narrowed(row: Row, addresses: Assigned) -> Option<Row> {
    (!addresses.is_empty()).then_some(Row { addresses, ..row })
}
