//! A ledger that lasts as long as the process. Its clones share it, as replicas share a store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Store, StoreError};
use crate::allocate::{Claim, HostKey, Outcome, Row};

/// Rows in memory. A claim is refused when the store has something else than the claimer knows of, or when another host
/// has one of its addresses.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    rows: Arc<Mutex<BTreeMap<Arc<HostKey>, Row>>>,
}

impl Store for MemoryStore {
    async fn load(&mut self) -> Result<Vec<(HostKey, Row)>, StoreError> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.iter().map(|(key, row)| (HostKey::clone(key), *row)).collect())
    }

    async fn commit(&mut self, claims: Arc<[Claim]>) -> Result<Vec<Outcome>, StoreError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcomes = vec![Outcome::Stored; claims.len()];
        // What comes free goes first: another claim may be for it.
        let kept = |claim: &Claim| claim.row.map_or(0, |row| row.addresses.iter().count());
        let mut order: Vec<usize> = (0..claims.len()).collect();
        order.sort_by_key(|at| kept(&claims[*at]));
        for at in order {
            outcomes[at] = commit_one(&mut rows, &claims[at]);
        }
        Ok(outcomes)
    }
}

fn commit_one(rows: &mut BTreeMap<Arc<HostKey>, Row>, claim: &Claim) -> Outcome {
    let current = rows.get(&claim.key).copied();
    if current != claim.was {
        return Outcome::Holds(current);
    }
    let Some(row) = claim.row else {
        rows.remove(&claim.key);
        return Outcome::Stored;
    };
    let shares = |other: &Row| row.addresses.iter().any(|address| other.addresses.has(address));
    if let Some((holder, held)) = rows.iter().find(|(key, other)| **key != claim.key && shares(other)) {
        return Outcome::Taken(Arc::clone(holder), *held);
    }
    rows.insert(Arc::clone(&claim.key), row);
    Outcome::Stored
}
