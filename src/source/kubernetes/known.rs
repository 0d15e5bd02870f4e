//! Which objects of a feed are known: just enough to tell how many a list takes away.

use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::Resource;
use crate::model::ObjectName;

/// Fewer objects than these may go at once without a doubt. Not so namespaces: whatever is in one is denied without it, and
/// all of that goes before a namespace does when it is deleted.
const FEW: usize = 16;

/// The objects of one feed, by the hashes of their names: a collision makes a count wrong by one, nothing else.
#[derive(Debug)]
pub(super) struct Known {
    hasher: RandomState,
    hashes: HashSet<u64, RandomState>,
    are_namespaces: bool,
}

impl Known {
    pub(super) fn new(resource: Resource) -> Self {
        let are_namespaces = resource == Resource::Namespaces;
        Self { hasher: RandomState::default(), hashes: HashSet::default(), are_namespaces }
    }

    pub(super) fn insert(&mut self, name: &ObjectName) {
        self.hashes.insert(self.hasher.hash_one(name));
    }

    pub(super) fn remove(&mut self, name: &ObjectName) {
        self.hashes.remove(&self.hasher.hash_one(name));
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// How many of them a complete list of `names` takes away.
    pub(super) fn missing_in(&self, names: &BTreeSet<ObjectName>) -> usize {
        let there: usize =
            names.iter().filter(|name| self.hashes.contains(&self.hasher.hash_one(*name))).count();
        self.hashes.len().saturating_sub(there)
    }

    /// Whether it is hard to believe that so many of them are gone.
    pub(super) fn doubts(&self, missing: usize) -> bool {
        if self.are_namespaces { missing > 0 } else { missing >= FEW && missing > self.hashes.len() / 2 }
    }

    /// From now on these.
    pub(super) fn replace(&mut self, names: &BTreeSet<ObjectName>) {
        self.hashes = names.iter().map(|name| self.hasher.hash_one(name)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(from: usize, to: usize) -> BTreeSet<ObjectName> {
        (from..to).map(|index| ObjectName::new("shop", format!("s{index}"))).collect()
    }

    #[test]
    fn a_list_that_takes_most_away_is_doubted() {
        let mut known = Known::new(Resource::Services);
        known.replace(&names(0, 100));
        assert_eq!(known.len(), 100);
        for (list, missing, doubted) in [
            (names(0, 100), 0, false),
            (names(0, 50), 50, false),
            (names(0, 49), 51, true),
            (names(0, 0), 100, true),
            (names(60, 300), 60, true),
        ] {
            assert_eq!(known.missing_in(&list), missing);
            assert_eq!(known.doubts(missing), doubted, "{missing}");
        }
        known.replace(&names(0, 15));
        assert!(!known.doubts(known.missing_in(&names(0, 0))), "a few go without a doubt");
    }

    #[test]
    fn a_list_that_takes_a_namespace_away_is_doubted() {
        let mut known = Known::new(Resource::Namespaces);
        known.replace(&names(0, 4));
        assert!(known.doubts(known.missing_in(&names(0, 3))));
        assert!(!known.doubts(known.missing_in(&names(0, 5))));
    }

    #[test]
    fn what_comes_and_goes_is_counted() {
        let mut known = Known::new(Resource::Services);
        for name in &names(0, 3) {
            known.insert(name);
            known.insert(name);
        }
        known.remove(&ObjectName::new("shop", "s1"));
        known.remove(&ObjectName::new("shop", "unknown"));
        assert_eq!(known.len(), 2);
    }
}
