//! A concurrent map for one writer and many readers, in which a key may come and go at any rate.
//!
//! papaya leaves a tombstone for every removed entry, and a key that is put in and taken out again fills its own
//! probe sequence with them until the whole table is copied: a few such steps cost as much as the table is large.
//! So a removed key stays with nothing in it, which a later insert fills in place. Once such keys are many beside
//! the living, they are all taken out together, so that a step costs the same in a small table and in a large one.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;

/// Fewer empty keys than this are never taken out.
const FEW: usize = 1024;

/// The map. Values are cheap to clone: `Arc`s, units.
pub(super) struct Table<K, V> {
    entries: papaya::HashMap<K, Option<V>, RandomState>,
    /// Keys that are in `entries` with nothing in them. Only the writer looks at it.
    empty: Mutex<HashSet<K, RandomState>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            entries: papaya::HashMap::with_hasher(RandomState::default()),
            empty: Mutex::new(HashSet::with_hasher(RandomState::default())),
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Table<K, V> {
    /// The value of a key.
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.entries.pin().get(key)?.clone()
    }

    /// A key as it stands in the table.
    pub(super) fn key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<K>
    where
        K: Borrow<Q>,
    {
        self.entries.pin().get_key_value(key).map(|(key, _)| key.clone())
    }

    /// Puts a value in and returns the one before.
    pub(super) fn insert(&self, key: K, value: V) -> Option<V> {
        let entries = self.entries.pin();
        let before = entries.get(&key).cloned();
        if matches!(before, Some(None)) {
            self.empty.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
        entries.insert(key, Some(value));
        before.flatten()
    }

    /// Takes a value out and returns it.
    pub(super) fn remove(&self, key: &K) -> Option<V> {
        let entries = self.entries.pin();
        let before = entries.get(key)?.clone()?;
        entries.insert(key.clone(), None);
        let mut empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        empty.insert(key.clone());
        if empty.len() >= FEW && empty.len() * 4 > entries.len() {
            empty.drain().for_each(|key| {
                entries.remove(&key);
            });
        }
        Some(before)
    }

    /// How many values there are, while the writer does nothing: otherwise a few more or less.
    pub(super) fn len(&self) -> usize {
        let empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.entries.len().saturating_sub(empty)
    }

    /// Every value, in no particular order.
    pub(super) fn values(&self) -> Vec<V> {
        self.entries.pin().values().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_an_ordinary_map_holds(
            steps in proptest::collection::vec((0u16..40, proptest::option::of(any::<u8>())), 0..400),
        ) {
            let (table, mut map) = (Table::<u16, u8>::default(), HashMap::new());
            for (key, value) in steps {
                match value {
                    Some(value) => prop_assert_eq!(table.insert(key, value), map.insert(key, value)),
                    None => prop_assert_eq!(table.remove(&key), map.remove(&key)),
                }
                prop_assert_eq!(table.get(&key), map.get(&key).copied());
                prop_assert_eq!(table.len(), map.len());
            }
            let (mut values, mut expected) = (table.values(), map.into_values().collect::<Vec<_>>());
            values.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(values, expected);
        }
    }

    #[test]
    fn keys_that_are_gone_are_forgotten() {
        let table = Table::<usize, usize>::default();
        for key in 0..100 * FEW {
            table.insert(key, key);
            table.remove(&key);
        }
        assert!(table.entries.len() <= FEW, "{} keys are kept", table.entries.len());
        assert!(table.values().is_empty());
    }
}
