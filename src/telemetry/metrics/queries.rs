//! Queries by listener and RCODE, and how long they took.
//!
//! Rules: a query costs three additions to memory that only its worker writes; shards are added up when somebody
//! reads. Every label of the fixed set is shown from the beginning, so that rates start at zero.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::{Label, Listener};

/// How a query ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rcode {
    /// NOERROR.
    NoError,
    /// FORMERR.
    FormErr,
    /// SERVFAIL.
    ServFail,
    /// NXDOMAIN.
    NxDomain,
    /// NOTIMP.
    NotImp,
    /// REFUSED.
    Refused,
    /// Another RCODE.
    Other,
    /// A gRPC status in place of a DNS message.
    Status,
    /// No reply at all.
    Dropped,
}

const RCODES: [(Rcode, &str); 9] = [
    (Rcode::NoError, "NOERROR"),
    (Rcode::FormErr, "FORMERR"),
    (Rcode::ServFail, "SERVFAIL"),
    (Rcode::NxDomain, "NXDOMAIN"),
    (Rcode::NotImp, "NOTIMP"),
    (Rcode::Refused, "REFUSED"),
    (Rcode::Other, "other"),
    (Rcode::Status, "status"),
    (Rcode::Dropped, "dropped"),
];
const LISTENERS: [Listener; 3] = [Listener::Grpc, Listener::Udp, Listener::Tcp];

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

impl Rcode {
    /// Of a DNS message; one without a header counts as dropped.
    pub fn of(message: &[u8]) -> Self {
        match message.get(3).map(|octet| octet & 0x0f) {
            None => Self::Dropped,
            Some(0) => Self::NoError,
            Some(1) => Self::FormErr,
            Some(2) => Self::ServFail,
            Some(3) => Self::NxDomain,
            Some(4) => Self::NotImp,
            Some(5) => Self::Refused,
            Some(_) => Self::Other,
        }
    }
}

/// Counters of one listener.
#[derive(Debug, Default)]
struct Counts {
    rcodes: [AtomicU64; RCODES.len()],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The query counters of one worker.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct QueryShard {
    listeners: [Counts; LISTENERS.len()],
}

impl QueryShard {
    /// Counts a query. The admin listener has none.
    pub fn record(&self, listener: Listener, rcode: Rcode, took: Duration) {
        let Some(counts) = self.listeners.get(listener as usize) else { return };
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BOUNDS.len());
        counts.rcodes[rcode as usize].fetch_add(1, Relaxed);
        counts.buckets[bucket].fetch_add(1, Relaxed);
        counts.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }
}

/// All shards.
#[derive(Debug, Default)]
pub(super) struct Queries {
    shards: Mutex<Vec<Arc<QueryShard>>>,
}

impl Queries {
    /// A new shard, counted from now on.
    pub(super) fn shard(&self) -> Arc<QueryShard> {
        let shard = Arc::new(QueryShard::default());
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&shard));
        shard
    }

    fn sum(&self, count: impl Fn(&QueryShard) -> u64) -> u64 {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|shard| count(shard)).sum()
    }
}

impl Collector for Queries {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut totals = encoder.encode_descriptor(
            "meshdns_queries",
            "Queries, by RCODE of the reply",
            None,
            MetricType::Counter,
        )?;
        for (index, listener) in LISTENERS.iter().enumerate() {
            let at = Label { name: "listener", value: listener.as_str() };
            for (rcode, name) in RCODES {
                let total = self.sum(|shard| shard.listeners[index].rcodes[rcode as usize].load(Relaxed));
                let labels = (at, Label { name: "rcode", value: name });
                totals.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&total, None)?;
            }
        }
        let mut durations = encoder.encode_descriptor(
            "meshdns_query_duration_seconds",
            "Time from reading a query to its reply being ready",
            None,
            MetricType::Histogram,
        )?;
        for (index, listener) in LISTENERS.iter().enumerate() {
            let mut buckets = Vec::with_capacity(BOUNDS.len() + 1);
            for position in 0..=BOUNDS.len() {
                let bound = BOUNDS.get(position).map_or(f64::MAX, |bound| seconds(*bound));
                let count = self.sum(|shard| shard.listeners[index].buckets[position].load(Relaxed));
                buckets.push((bound, count));
            }
            let count = buckets.iter().map(|(_, count)| count).sum();
            let sum = seconds(self.sum(|shard| shard.listeners[index].nanoseconds.load(Relaxed)));
            let at = Label { name: "listener", value: listener.as_str() };
            durations.encode_family(&at)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days of work")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
