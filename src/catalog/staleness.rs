//! Whether what is answered may have changed meanwhile, because nobody tells of changes.
//!
//! The source of Kubernetes objects sets it; answers made of such objects are marked while it is set. It costs a query one
//! load.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::model::Utc;

/// How old the objects are, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// Since when nobody has told of changes, in Unix seconds.
    pub since: u64,
    /// Where the objects come from.
    pub from: StaleFrom,
}

/// Where objects come from that may have changed meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleFrom {
    /// From the API server, before it was lost.
    Memory,
    /// From the snapshot of an earlier run.
    Snapshot,
}

impl fmt::Display for Staleness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.from {
            StaleFrom::Memory => "data",
            StaleFrom::Snapshot => "snapshot",
        };
        write!(f, "Kubernetes API unreachable, {what} of {}", Utc(self.since))
    }
}

/// What is set at the moment, and how many answers were given under it.
#[derive(Debug, Default)]
pub struct StalenessMark {
    /// 0 when nothing is set; else the time, and in the lowest two bits a number for where from.
    packed: AtomicU64,
    answers: AtomicU64,
}

impl StalenessMark {
    /// Marks answers from now on, or no longer.
    pub fn set(&self, staleness: Option<Staleness>) {
        let packed = staleness.map_or(0, |Staleness { since, from }| {
            let from = match from {
                StaleFrom::Memory => 1,
                StaleFrom::Snapshot => 2,
            };
            (since << 2) | from
        });
        self.packed.store(packed, Relaxed);
    }

    /// What is set.
    pub fn get(&self) -> Option<Staleness> {
        let packed = self.packed.load(Relaxed);
        let from = match packed & 3 {
            0 => return None,
            1 => StaleFrom::Memory,
            _ => StaleFrom::Snapshot,
        };
        Some(Staleness { since: packed >> 2, from })
    }

    /// How many answers were given that may be wrong by now.
    pub fn answers(&self) -> u64 {
        self.answers.load(Relaxed)
    }

    /// Counts one.
    pub(crate) fn count(&self) {
        self.answers.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_set() {
        let mark = StalenessMark::default();
        assert_eq!(mark.get(), None);
        for (since, from) in [(0, StaleFrom::Memory), (1_795_262_400, StaleFrom::Snapshot)] {
            let staleness = Some(Staleness { since, from });
            mark.set(staleness);
            assert_eq!(mark.get(), staleness);
        }
        let text = mark.get().unwrap().to_string();
        assert_eq!(text, "Kubernetes API unreachable, snapshot of 2026-11-21T12:00:00Z");
        mark.set(None);
        assert_eq!(mark.get(), None);
    }
}
