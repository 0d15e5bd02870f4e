//! How long queries took.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets, in nanoseconds: a prepared answer takes about a microsecond, a lookup seconds.
const BOUNDS: [u64; 14] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    1_000_000,
    10_000_000,
    50_000_000,
    250_000_000,
    1_000_000_000,
    2_500_000_000,
];

/// A histogram that one worker writes.
#[derive(Debug, Default)]
pub(super) struct Durations {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Durations {
    pub(super) fn record(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }
}

/// The sum of several histograms.
#[derive(Debug, Default)]
pub(super) struct Totals {
    buckets: [u64; BOUNDS.len() + 1],
    nanoseconds: u64,
}

impl Totals {
    pub(super) fn of<'d>(all: impl Iterator<Item = &'d Durations>) -> Self {
        let mut totals = Self::default();
        for durations in all {
            for (total, bucket) in totals.buckets.iter_mut().zip(&durations.buckets) {
                *total += bucket.load(Relaxed);
            }
            totals.nanoseconds += durations.nanoseconds.load(Relaxed);
        }
        totals
    }

    pub(super) fn seconds(&self) -> f64 {
        seconds(self.nanoseconds)
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Each with its upper bound; the last one has none.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|bound| seconds(*bound)).chain([f64::INFINITY]);
        bounds.zip(self.buckets).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days of work")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
