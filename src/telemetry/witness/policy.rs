//! Which queries are told about, in a form that workers read without waiting and that can change at any time.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};

use super::{Fate, QueryNumber};
use crate::telemetry::spans::TraceSettings;

/// What becomes of queries that are answered with NXDOMAIN or without records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Denials {
    /// Each is logged.
    #[default]
    Always,
    /// As many as of those with records.
    Sampled,
    /// None.
    Never,
}

/// The query log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryLogSettings {
    /// Of so many queries with records one is logged; 0: none.
    pub successes: u32,
    /// What becomes of the others that are no errors.
    pub denials: Denials,
    /// So many lines in a second at most, of errors and of everything else.
    pub lines_per_second: u32,
}

impl Default for QueryLogSettings {
    fn default() -> Self {
        Self { successes: 1000, denials: Denials::default(), lines_per_second: 100 }
    }
}

/// The settings in force.
#[derive(Debug, Default)]
pub(super) struct Policy {
    is_on: AtomicBool,
    successes: AtomicU32,
    denials: AtomicU8,
    lines_per_second: AtomicU32,
    traced: Share,
}

/// A part of all queries; by default none.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::telemetry) struct Share {
    /// Those whose mixed number is not above this; 0: none.
    most: u32,
}

impl Share {
    /// This part: above 0 and up to 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
    pub(in crate::telemetry) fn of(ratio: f64) -> Self {
        Self { most: ((ratio * f64::from(u32::MAX)) as u32).max(1) }
    }

    /// Whether the query with this number belongs to it.
    #[inline]
    pub(in crate::telemetry) fn has(self, number: QueryNumber) -> bool {
        self.most > 0 && mixed(number) <= self.most
    }
}

impl Policy {
    /// With these traces, and no query log.
    pub(super) fn tracing(traces: Option<&TraceSettings>) -> Self {
        Self { traced: traces.map(|traces| Share::of(traces.ratio)).unwrap_or_default(), ..Self::default() }
    }

    /// Whether a query with this number is traced.
    #[inline]
    pub(super) fn traces(&self, number: QueryNumber) -> bool {
        self.traced.has(number)
    }

    pub(super) fn set(&self, log: Option<QueryLogSettings>) {
        if let Some(log) = log {
            self.successes.store(log.successes, Relaxed);
            self.denials.store(log.denials as u8, Relaxed);
            self.lines_per_second.store(log.lines_per_second, Relaxed);
        }
        self.is_on.store(log.is_some(), Relaxed);
    }

    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Relaxed)
    }

    pub(super) fn lines_per_second(&self) -> u32 {
        self.lines_per_second.load(Relaxed)
    }

    /// Whether a query with this number is told about.
    pub(super) fn wants(&self, fate: Fate, number: QueryNumber) -> bool {
        const ALWAYS: u8 = Denials::Always as u8;
        const NEVER: u8 = Denials::Never as u8;
        match (fate, self.denials.load(Relaxed)) {
            (Fate::Error, _) | (Fate::Denial, ALWAYS) => true,
            (Fate::Denial, NEVER) => false,
            (Fate::Denial | Fate::Success, _) => is_sampled(number, self.successes.load(Relaxed)),
        }
    }
}

/// Whether this is one of `of` queries.
fn is_sampled(number: QueryNumber, of: u32) -> bool {
    of > 0 && mixed(number) <= u32::MAX / of
}

/// Numbers count up, and clients ask in pairs and rows; multiplied by the golden ratio every n-th of them is as evenly spread as
/// all of them.
fn mixed(number: QueryNumber) -> u32 {
    const GOLDEN: u32 = 0x9E37_79B9;
    number.count().wrapping_mul(GOLDEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers as a worker gives them.
    fn numbers(count: u32, step: u32) -> impl Iterator<Item = QueryNumber> {
        (0..count).map(move |at| QueryNumber::new(7, at * step))
    }

    #[test]
    fn one_of_so_many_is_sampled_whatever_the_step() {
        for of in [1, 2, 10, 1000] {
            for step in [1, 2, 4, 10] {
                let sampled = numbers(100_000, step).filter(|number| is_sampled(*number, of)).count();
                let expected = 100_000 / of as usize;
                assert!(sampled.abs_diff(expected) <= 2 + expected / 50, "{of} {step}: {sampled}");
            }
        }
        assert!(!numbers(1000, 1).any(|number| is_sampled(number, 0)));
    }

    #[test]
    fn a_share_has_its_part_of_all_queries() {
        for (ratio, expected) in [(1.0, 10_000), (0.1, 1_000), (0.001, 10)] {
            let share = Share::of(ratio);
            let count = numbers(10_000, 1).filter(|number| share.has(*number)).count();
            assert!(count.abs_diff(expected) <= 1 + expected / 50, "{ratio}: {count}");
        }
        assert!(!numbers(10_000, 1).any(|number| Share::default().has(number)));
    }
}
