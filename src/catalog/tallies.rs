//! Counts of what operators watch, kept while units are published.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{HostUnit, Parity};

/// Mesh hosts that somebody should look at.
#[derive(Debug, Default)]
pub struct Tallies {
    contested: AtomicU64,
    different: AtomicU64,
}

impl Tallies {
    /// Hosts that more than one entry declares.
    pub fn contested(&self) -> u64 {
        self.contested.load(Ordering::Relaxed)
    }

    /// Hosts whose entries give other addresses than istiod's name table has.
    pub fn different(&self) -> u64 {
        self.different.load(Ordering::Relaxed)
    }

    /// Takes `old` out and `new` in.
    pub(super) fn replace(&self, old: Option<&HostUnit>, new: Option<&HostUnit>) {
        step(&self.contested, HostUnit::is_contested, old, new);
        step(&self.different, |unit| matches!(unit.parity, Parity::Differs(_)), old, new);
    }
}

fn step(tally: &AtomicU64, counts: fn(&HostUnit) -> bool, old: Option<&HostUnit>, new: Option<&HostUnit>) {
    match (old.is_some_and(counts), new.is_some_and(counts)) {
        (false, true) => tally.fetch_add(1, Ordering::Relaxed),
        (true, false) => tally.fetch_sub(1, Ordering::Relaxed),
        _ => return,
    };
}
