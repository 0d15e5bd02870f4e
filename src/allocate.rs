//! Automatic addresses of ServiceEntry hosts that are not read from the objects themselves.
//!
//! An allocator is told which hosts changed and says which addresses moved. It belongs to the keeper, the one writer.
//! One that remembers what it gave hands out claims, which somebody stores, and gives nothing before it is stored.

mod host_key;
pub mod ledger;
mod recorder;
mod row;
mod slices;

mod hash;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use host_key::HostKey;
pub use recorder::Recorder;
pub use row::{Claim, Origin, Outcome, Row, Settled};
pub use slices::Slices;

pub use hash::HashAllocator;

use crate::inventory::{Inventory, UnitKey};
use crate::model::{Host, Name, ServiceEntry};
use ledger::{Listing, Notice, Stats};

/// The automatic addresses of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assigned {
    /// Of IPv4, if there is one.
    pub v4: Option<Ipv4Addr>,
    /// Of IPv6, if there is one.
    pub v6: Option<Ipv6Addr>,
}

impl Assigned {
    /// What `status.addresses` of an entry gives to its host, found by exact text. The last of each family counts.
    pub fn of_status(entry: &ServiceEntry, name: &Name, wildcard: bool) -> Self {
        let spelled = |host: &&Host| host.wildcard == wildcard && host.name == *name;
        let texts: Vec<&str> = entry.hosts.iter().filter(spelled).map(|host| &*host.text).collect();
        let mut assigned = Self::default();
        for (_, address) in entry.assigned.iter().filter(|(host, _)| texts.contains(&&**host)) {
            assigned.set(*address);
        }
        assigned
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }

    /// They, IPv4 first.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }

    /// Whether this is one of them.
    pub fn has(self, address: IpAddr) -> bool {
        self.iter().any(|own| own == address)
    }

    /// Puts an address in the place of its family.
    pub fn set(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.v4 = Some(address),
            IpAddr::V6(address) => self.v6 = Some(address),
        }
    }

    /// Takes an address out, if it is one of them.
    pub fn remove(&mut self, address: IpAddr) {
        self.v4 = self.v4.filter(|own| IpAddr::V4(*own) != address);
        self.v6 = self.v6.filter(|own| IpAddr::V6(*own) != address);
    }

    /// Those that `other` has as well.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self { v4: self.v4.filter(|_| self.v4 == other.v4), v6: self.v6.filter(|_| self.v6 == other.v6) }
    }
}

/// What an allocator has for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// These addresses, at least one.
    Given(Assigned),
    /// None yet: it can come any moment.
    Waiting,
    /// None, for this reason.
    Refused(&'static str),
}

/// Gives addresses to hosts.
pub trait Allocator: Send {
    /// Looks at all units of `touched` that are mesh hosts as `inventory` now has them, and returns the host units
    /// whose addresses this changed; those in `touched` may be left out.
    fn update(&mut self, inventory: &Inventory, touched: &BTreeSet<UnitKey>) -> BTreeSet<UnitKey>;

    /// What a host of a namespace's entries has. Only asked for hosts of entries that take automatic addresses.
    fn allocation(&self, namespace: &str, host: &Host) -> Allocation;

    /// What time it is, in Unix seconds; earlier times than those told before are ignored. Returns the host units
    /// that this changed.
    fn tell_time(&mut self, _now: u64) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    /// Every source has said everything: what is remembered and nobody named is no longer in use. Returns the host
    /// units that this changed.
    fn settle(&mut self) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    /// Hands out what has to be stored, once. Stored as a whole or not at all, it keeps the store free of addresses
    /// with two hosts.
    fn claims(&mut self) -> Vec<Claim> {
        Vec::new()
    }

    /// What became of claims that were handed out, or what others stored. Returns the host units that this changed.
    fn stored(&mut self, _settled: Vec<Settled>) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    /// What happened since the last call that people should know.
    fn notices(&mut self) -> Vec<Notice> {
        Vec::new()
    }

    /// Counts, if it remembers what it gave.
    fn stats(&self) -> Option<Stats> {
        None
    }

    /// Everything that it remembers; empty if it does not.
    fn listing(&self) -> Listing {
        Listing::default()
    }
}

/// Gives nothing: for addresses that are read from the objects, or not used at all.
#[derive(Debug, Default)]
pub struct NoAllocator;

impl Allocator for NoAllocator {
    fn update(&mut self, _: &Inventory, _: &BTreeSet<UnitKey>) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    fn allocation(&self, _: &str, _: &Host) -> Allocation {
        Allocation::Refused("nothing allocates addresses")
    }
}
