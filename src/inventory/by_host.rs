//! What names each host: one thing nearly always, so that is kept without a set around it.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::UnitKey;
use crate::model::Name;

/// Hosts, exact ones and wildcards, to what names them.
#[derive(Debug)]
pub(super) struct ByHost<T> {
    exact: HashMap<Name, Naming<T>, RandomState>,
    wildcard: HashMap<Name, Naming<T>, RandomState>,
}

#[derive(Debug)]
enum Naming<T> {
    One(T),
    /// At least two.
    More(BTreeSet<T>),
}

impl<T> Default for ByHost<T> {
    fn default() -> Self {
        Self { exact: HashMap::default(), wildcard: HashMap::default() }
    }
}

impl<T: Ord + Clone> ByHost<T> {
    /// Adds what names a host, if it is not there.
    pub(super) fn insert(&mut self, host: &Name, wildcard: bool, new: T) {
        let hosts = self.hosts_mut(wildcard);
        match hosts.get_mut(host) {
            None => {
                hosts.insert(host.clone(), Naming::One(new));
            }
            Some(Naming::More(all)) => {
                all.insert(new);
            }
            Some(naming) => {
                if let Naming::One(one) = naming
                    && *one != new
                {
                    *naming = Naming::More(BTreeSet::from([one.clone(), new]));
                }
            }
        }
    }

    /// Takes what named a host out, if it is there.
    pub(super) fn remove(&mut self, host: &Name, wildcard: bool, old: &T) {
        let hosts = self.hosts_mut(wildcard);
        let Some(naming) = hosts.get_mut(host) else { return };
        match naming {
            Naming::One(one) if one == old => {
                hosts.remove(host);
            }
            Naming::One(_) => {}
            Naming::More(all) => {
                all.remove(old);
                if all.len() == 1
                    && let Some(one) = all.pop_first()
                {
                    *naming = Naming::One(one);
                }
            }
        }
    }

    /// What names a host, in order.
    pub(super) fn get(&self, host: &Name, wildcard: bool) -> impl Iterator<Item = &T> {
        let naming = if wildcard { self.wildcard.get(host) } else { self.exact.get(host) };
        let (one, more) = match naming {
            None => (None, None),
            Some(Naming::One(one)) => (Some(one), None),
            Some(Naming::More(all)) => (None, Some(all)),
        };
        one.into_iter().chain(more.into_iter().flatten())
    }

    /// The units of all hosts.
    pub(super) fn units(&self) -> impl Iterator<Item = UnitKey> {
        let unit = |wildcard| move |name: &Name| UnitKey::Host { name: name.clone(), wildcard };
        self.exact.keys().map(unit(false)).chain(self.wildcard.keys().map(unit(true)))
    }

    fn hosts_mut(&mut self, wildcard: bool) -> &mut HashMap<Name, Naming<T>, RandomState> {
        if wildcard { &mut self.wildcard } else { &mut self.exact }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_has_what_an_ordinary_map_has(
            steps in proptest::collection::vec((any::<bool>(), 0u8..3, any::<bool>(), 0u8..4), 0..200),
        ) {
            let (mut hosts, mut map) = (ByHost::default(), BTreeMap::<(Name, bool), BTreeSet<u8>>::new());
            for (inserts, host, wildcard, what) in steps {
                let host = Name::parse(&format!("host-{host}")).unwrap();
                let expected = map.entry((host.clone(), wildcard)).or_default();
                if inserts {
                    hosts.insert(&host, wildcard, what);
                    expected.insert(what);
                } else {
                    hosts.remove(&host, wildcard, &what);
                    expected.remove(&what);
                }
                prop_assert!(hosts.get(&host, wildcard).eq(expected.iter()));
                let units: BTreeSet<UnitKey> = hosts.units().collect();
                let named = map.iter().filter(|(_, what)| !what.is_empty());
                let expected: BTreeSet<UnitKey> =
                    named.map(|((name, wildcard), _)| UnitKey::Host { name: name.clone(), wildcard: *wildcard }).collect();
                prop_assert_eq!(units, expected);
            }
        }
    }
}
