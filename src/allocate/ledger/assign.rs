//! Who waits for an address, and giving it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::space::Family;
use super::{Ledger, Notice};
use crate::allocate::{HostKey, Origin, Row};

impl Ledger {
    /// Puts hosts that lack an address into the queues, and takes out those that do not.
    pub(super) fn queue<'k>(&mut self, keys: impl IntoIterator<Item = &'k Arc<HostKey>>) {
        for key in keys {
            for (at, family) in Family::BOTH.into_iter().enumerate() {
                let has_range = self.space.has_family(family);
                let Some(holding) = self.holdings.get_mut(key) else { continue };
                let lacks = has_range && !holding.has(family);
                let turn = holding.turn().filter(|_| lacks);
                if turn == holding.turns[at] {
                    continue;
                }
                if let Some(old) = std::mem::replace(&mut holding.turns[at], turn.clone()) {
                    self.queues[at].remove(&old);
                }
                if let Some(turn) = turn {
                    self.queues[at].insert(turn, Arc::clone(key));
                }
                self.moved.insert(key.unit());
            }
        }
    }

    /// Gives addresses to those who wait, in their order, as long as there are any.
    pub(super) fn serve(&mut self) {
        for (at, family) in Family::BOTH.into_iter().enumerate() {
            while let Some((turn, key)) = self.queues[at].pop_first() {
                let slice = self.slice(&key);
                let Some(given) = self.space.give(family, &key, slice) else {
                    self.queues[at].insert(turn, key);
                    break;
                };
                if let Some(from) = given.from {
                    self.strip(&from, given.address);
                }
                if let Some(holding) = self.holdings.get_mut(&key) {
                    holding.turns[at] = None;
                }
                self.add_address(&key, given.address, Origin::Own);
            }
        }
    }

    /// The host has this address too, which it already owns.
    pub(super) fn add_address(&mut self, key: &Arc<HostKey>, address: IpAddr, origin: Origin) {
        let fresh = Row { addresses: Default::default(), origin, since: self.now, freed: None };
        let held = self.holdings.get(key).and_then(|holding| holding.row);
        let mut row = held.filter(|row| row.freed.is_none()).unwrap_or(fresh);
        row.addresses.set(address);
        self.set_row(key, Some(row));
    }

    /// Says once that new hosts get no address.
    pub(super) fn report_waiting(&mut self, affected: &BTreeSet<Arc<HostKey>>) {
        for (at, family) in Family::BOTH.into_iter().enumerate() {
            let waits = |key: &&Arc<HostKey>| {
                self.holdings.get(*key).is_some_and(|holding| holding.turns[at].is_some())
            };
            if let Some(host) = affected.iter().find(waits) {
                let (ranges, waiting) = (self.space.named(family), self.queues[at].len());
                self.notices.push(Notice::Exhausted { ranges, host: HostKey::clone(host), waiting });
            }
        }
    }

    /// Which part of the ranges a host's address should come from (FNV-1a of its key, 64 bit).
    fn slice(&self, key: &HostKey) -> u64 {
        if self.rules.slices.get() == 1 {
            return 0;
        }
        let octets = key.namespace.bytes().chain([b'/']).chain(key.host().into_bytes());
        octets.fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}
