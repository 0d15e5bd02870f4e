//! What the store says: that a claim is stored, or that somebody else was first.

use std::sync::Arc;

use super::{Ledger, Owner};
use crate::allocate::{HostKey, Outcome, Row, Settled};

/// An address of a shared ledger that came free so many seconds before that was stored begins to rest anew.
const LATE: u64 = 10;

impl Ledger {
    pub(super) fn learn(&mut self, settled: Vec<Settled>) {
        for Settled { claim, outcome } in settled {
            match outcome {
                Outcome::Stored => self.acknowledge(&claim.key, claim.row),
                Outcome::Holds(row) => self.adopt(&claim.key, row),
                Outcome::Taken(holder, row) => {
                    self.unstored.insert(claim.key);
                    self.adopt(&holder, Some(row));
                }
                Outcome::Deferred(reason) => {
                    if let Some(holding) = self.holdings.get_mut(&claim.key) {
                        holding.deferred = Some(reason);
                        self.deferred.insert(claim.key);
                    }
                }
            }
        }
    }

    fn acknowledge(&mut self, key: &Arc<HostKey>, row: Option<Row>) {
        let Some(holding) = self.holdings.get_mut(key) else { return };
        let was = std::mem::replace(&mut holding.stored, row);
        (holding.deferred, holding.bridged) = (None, false);
        if !holding.entries.is_empty() {
            self.moved.insert(key.unit());
        }
        if holding.is_empty() {
            self.holdings.remove(key);
            return;
        }
        let late = |row: &Row| row.freed.is_some_and(|freed| freed + LATE < self.now);
        let in_use = was.is_some_and(|row| row.freed.is_none());
        if let (true, true, Some(row)) = (self.rules.shared, in_use, row.filter(late))
            && holding.row == Some(row)
        {
            // The rest begins when others can know of it.
            for address in row.addresses.iter() {
                self.space.cool(address, key, self.now);
            }
            self.set_row(key, Some(Row { freed: Some(self.now), ..row }));
        }
    }

    /// The store's row counts, and whatever of ours stands against it has to go.
    fn adopt(&mut self, key: &Arc<HostKey>, stored: Option<Row>) {
        let shared = self.rules.shared;
        let holding = self.holdings.entry(Arc::clone(key)).or_default();
        let answered = !holding.published().is_empty();
        (holding.stored, holding.deferred) = (stored, None);
        holding.bridged = answered && stored.is_some_and(|row| row.freed.is_some());
        let (ours, wanted) = (holding.row, !holding.entries.is_empty());
        if stored.is_none() && !wanted {
            // It has cooled, as others see it: if we kept it, we would store it again.
            for address in ours.iter().flat_map(|row| row.addresses.iter()) {
                self.space.disown(address);
            }
            return self.set_row(key, None);
        }
        let Some(mut row) = stored.filter(|_| stored != ours) else {
            // Forgotten by another: what is in use here is claimed again.
            self.unstored.insert(Arc::clone(key));
            self.moved.insert(key.unit());
            return;
        };
        for address in ours.iter().flat_map(|row| row.addresses.iter()) {
            self.space.disown(address);
        }
        if wanted {
            row.freed = None;
        }
        for address in row.addresses.iter().collect::<Vec<_>>() {
            // Who names the host moves it.
            let ours = wanted || !shared;
            let usable = shared || self.space.has(address);
            if !usable || ours && self.space.literal(address).is_some() {
                row.addresses.remove(address);
                continue;
            }
            match self.space.owner(address).cloned() {
                Some(Owner::Using(other)) if other != *key => self.give_back(&other, address),
                Some(Owner::Cooling(other, _)) if other != *key => self.strip(&other, address),
                _ => {}
            }
            match row.freed {
                None => self.space.own(address, key),
                Some(freed) => self.space.cool(address, key, freed),
            }
        }
        self.set_row(key, Some(row).filter(|row| !row.addresses.is_empty()));
        self.queue([key]);
    }
}
