//! What the store says: that a claim is stored, or that somebody else was first.

use std::sync::Arc;

use super::{Ledger, Owner};
use crate::allocate::{HostKey, Outcome, Row, Settled};

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
            }
        }
    }

    fn acknowledge(&mut self, key: &Arc<HostKey>, row: Option<Row>) {
        let Some(holding) = self.holdings.get_mut(key) else { return };
        holding.stored = row;
        if !holding.entries.is_empty() {
            self.moved.insert(key.unit());
        }
        if holding.is_empty() {
            self.holdings.remove(key);
        }
    }

    /// The store's row counts, and whatever of ours stands against it has to go.
    fn adopt(&mut self, key: &Arc<HostKey>, stored: Option<Row>) {
        let holding = self.holdings.entry(Arc::clone(key)).or_default();
        holding.stored = stored;
        let (ours, wanted) = (holding.row, !holding.entries.is_empty());
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
            if !self.space.has(address) || self.space.literal(address).is_some() {
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
