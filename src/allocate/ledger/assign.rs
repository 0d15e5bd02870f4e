//! Who waits for an address, and giving it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::space::Family;
use super::{Ledger, Notice};
use crate::allocate::{HostKey, Origin, Row, Slices};

/// How long an address of a shared ledger rests in any case, in seconds: long enough for another replica that still
/// names its host to say so.
const LEAST_REST: u64 = 60;

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
        let rested = self.now.saturating_sub(if self.rules.shared { LEAST_REST } else { 0 });
        for (at, family) in Family::BOTH.into_iter().enumerate() {
            while let Some((turn, key)) = self.queues[at].pop_first() {
                let slice = Slices::new(self.rules.slices).of_host(&key);
                let (shared, holdings) = (self.rules.shared, &self.holdings);
                let may = |freed, address, key: &HostKey| {
                    freed <= rested
                        && (!shared || holdings.get(key).is_none_or(|holding| holding.let_go(address)))
                };
                let Some(given) = self.space.give(family, &key, slice, may) else {
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
}
