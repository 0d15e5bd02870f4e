//! Queries are counted, and have ids.
//!
//! Rules: the number of a query says everything: which record its answer begins with, whether it belongs to a sample, and what
//! it is called. So whoever meets it, at its beginning or at its end, calls it the same and decides the same.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::random::random;

/// Counts the queries of a worker.
#[derive(Debug)]
pub struct Numbers {
    /// At random: no two workers, and no two runs, have the same numbers.
    worker: u32,
    next: AtomicU32,
}

/// Which query it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryNumber {
    worker: u32,
    count: u32,
}

/// What a query is called in log, trace, dnstap and `explain`: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryId(u64);

impl Numbers {
    /// They begin at random, so that workers and replicas do not move in step.
    pub(crate) fn new() -> Self {
        Self { worker: random(), next: AtomicU32::new(random()) }
    }

    /// That of the next query.
    #[inline]
    pub(crate) fn next(&self) -> QueryNumber {
        QueryNumber { worker: self.worker, count: self.next.fetch_add(1, Relaxed) }
    }
}

impl QueryNumber {
    #[cfg(test)]
    pub(in crate::telemetry) fn new(worker: u32, count: u32) -> Self {
        Self { worker, count }
    }

    /// Goes up by one from query to query of a worker.
    #[inline]
    pub(crate) fn count(self) -> u32 {
        self.count
    }

    /// What the query is called: different numbers give different ids that do not look like a row.
    pub(crate) fn id(self) -> QueryId {
        QueryId::of(u64::from(self.worker) << 32 | u64::from(self.count))
    }
}

impl QueryId {
    /// The last steps of splitmix64, which can be undone.
    pub(super) fn of(number: u64) -> Self {
        let mixed = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(mixed ^ (mixed >> 31))
    }

    /// As a number.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// Reads what was written.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 16 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
        is_id.then(|| u64::from_str_radix(text, 16).ok().map(Self))?
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
