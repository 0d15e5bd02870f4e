//! A ledger that lasts as long as the process. Its clones share it, as replicas share a store.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Store, StoreError};
use crate::allocate::{Claim, HostKey, Outcome, Row};

/// Rows in memory. A claim is refused when the store has something else than the claimer knows of, or when another host
/// has one of its addresses.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    rows: Arc<Mutex<Rows>>,
}

#[derive(Debug, Default)]
struct Rows {
    by_host: BTreeMap<Arc<HostKey>, Row>,
    /// No address has two hosts.
    by_address: HashMap<IpAddr, Arc<HostKey>>,
}

impl Store for MemoryStore {
    async fn load(&mut self) -> Result<Vec<(HostKey, Row)>, StoreError> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.by_host.iter().map(|(key, row)| (HostKey::clone(key), *row)).collect())
    }

    async fn commit(&mut self, claims: Arc<[Claim]>) -> Result<Vec<Outcome>, StoreError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcomes = vec![Outcome::Stored; claims.len()];
        // What comes free goes first: another claim may be for it.
        let kept = |claim: &Claim| claim.row.map_or(0, |row| row.addresses.iter().count());
        let mut order: Vec<usize> = (0..claims.len()).collect();
        order.sort_by_key(|at| kept(&claims[*at]));
        for at in order {
            outcomes[at] = rows.commit(&claims[at]);
        }
        Ok(outcomes)
    }
}

impl Rows {
    fn commit(&mut self, claim: &Claim) -> Outcome {
        let current = self.by_host.get(&claim.key).copied();
        if current != claim.was {
            return Outcome::Holds(current);
        }
        let wanted = claim.row.map(|row| row.addresses).unwrap_or_default();
        let holders = wanted.iter().filter_map(|address| self.by_address.get(&address));
        if let Some(holder) = holders.filter(|holder| **holder != claim.key).min()
            && let Some(held) = self.by_host.get(holder)
        {
            return Outcome::Taken(Arc::clone(holder), *held);
        }
        for address in current.iter().flat_map(|row| row.addresses.iter()) {
            self.by_address.remove(&address);
        }
        for address in wanted.iter() {
            self.by_address.insert(address, Arc::clone(&claim.key));
        }
        match claim.row {
            Some(row) => self.by_host.insert(Arc::clone(&claim.key), row),
            None => self.by_host.remove(&claim.key),
        };
        Outcome::Stored
    }
}
