//! Automatic addresses of ServiceEntry hosts that are not read from the objects themselves.
//!
//! An allocator is told which hosts changed and says which addresses moved. It belongs to the keeper, the one writer.

mod hash;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

pub use hash::HashAllocator;

use crate::inventory::{Inventory, UnitKey};
use crate::model::Host;

/// The automatic addresses of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assigned {
    /// Of IPv4, if there is one.
    pub v4: Option<Ipv4Addr>,
    /// Of IPv6, if there is one.
    pub v6: Option<Ipv6Addr>,
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
    /// whose addresses this changed, in `touched` or not.
    fn update(&mut self, inventory: &Inventory, touched: &BTreeSet<UnitKey>) -> BTreeSet<UnitKey>;

    /// What a host of a namespace's entries has. Only asked for hosts of entries that take automatic addresses.
    fn allocation(&self, namespace: &str, host: &Host) -> Allocation;
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
