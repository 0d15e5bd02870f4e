//! The units that have one address.
//!
//! An address has one unit, which is kept in place, now and then a handful: those are a slice that is replaced as a whole. But nothing keeps
//! thousands of objects from naming one address, and a slice that is copied for each of them costs the square of their
//! number. So beyond some number they are an ordered set that is changed in place.

use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

use crossbeam_skiplist::SkipSet;
use crossbeam_skiplist::set::Entry;

use super::Owner;

/// As many are a slice; a set that has become half as large is one again.
const FEW: usize = 32;
/// As many are ever looked at, so that an answer costs no more than this whatever the objects say. They are more than
/// the PTR records that fit a message: one takes 12 octets and a name below a zone, and has 65,535.
const LOOKED_AT: usize = 4096;

/// The units that have one address, in order. A clone is the same set.
#[derive(Clone, Debug)]
pub(crate) enum Owners {
    /// A single one.
    One(Owner),
    /// A slice.
    Few(Arc<[Owner]>),
    /// A set.
    Many(Arc<SkipSet<Owner>>),
}

/// One of them.
pub(crate) enum Held<'o> {
    /// In the slice.
    Few(&'o Owner),
    /// In the set.
    Many(Entry<'o, Owner>),
}

impl Deref for Held<'_> {
    type Target = Owner;

    fn deref(&self) -> &Owner {
        match self {
            Self::Few(owner) => owner,
            Self::Many(entry) => entry.value(),
        }
    }
}

impl Owners {
    /// A single one.
    pub(super) fn of(owner: &Owner) -> Self {
        Self::One(owner.clone())
    }

    /// They in order; of very many the first. One that stays while others come and go is never left out.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Held<'_>> {
        let (few, many) = match self {
            Self::One(owner) => (std::slice::from_ref(owner), None),
            Self::Few(list) => (&**list, None),
            Self::Many(set) => (&[][..], Some(&**set)),
        };
        let many = many.into_iter().flatten().map(Held::Many);
        few.iter().map(Held::Few).chain(many).take(LOOKED_AT)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Few(list) => list.is_empty(),
            Self::Many(set) => set.is_empty(),
        }
    }

    /// Adds one: what to put in place of these, if anything.
    pub(super) fn with(&self, owner: &Owner) -> Option<Self> {
        match self {
            Self::One(one) => match owner.cmp(one) {
                Ordering::Less => Some(Self::Few([owner.clone(), one.clone()].into())),
                Ordering::Equal => None,
                Ordering::Greater => Some(Self::Few([one.clone(), owner.clone()].into())),
            },
            Self::Few(list) => {
                let at = list.binary_search(owner).err()?;
                let (before, after) = list.split_at(at);
                let all = before.iter().chain([owner]).chain(after).cloned();
                Some(if list.len() < FEW {
                    Self::Few(all.collect())
                } else {
                    Self::Many(Arc::new(all.collect()))
                })
            }
            Self::Many(set) => {
                // In place if it is there: it must not be missing for a moment.
                set.get_or_insert(owner.clone());
                None
            }
        }
    }

    /// Takes one out: what to put in place of these, if anything.
    pub(super) fn without(&self, owner: &Owner) -> Option<Self> {
        match self {
            Self::One(one) => (one == owner).then(|| Self::Few([].into())),
            Self::Few(list) => {
                let at = list.binary_search(owner).ok()?;
                Some(match (&list[..at], &list[at + 1..]) {
                    ([one], []) | ([], [one]) => Self::One(one.clone()),
                    (before, after) => Self::Few([before, after].concat().into()),
                })
            }
            Self::Many(set) => {
                set.remove(owner);
                (set.len() <= FEW / 2)
                    .then(|| Self::Few(set.iter().map(|entry| entry.value().clone()).collect()))
            }
        }
    }
}
