//! What the ledger holds, and how its store fares.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Label;
use crate::allocate::ledger::Stats;

/// Upper bounds of commit durations, in seconds.
const COMMIT_SECONDS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// The label `range`; there are as many as the settings name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RangeLabel(Arc<str>);

impl EncodeLabelSet for RangeLabel {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        [("range", &*self.0)].encode(encoder)
    }
}

/// Handles of what the ledger reports.
#[derive(Clone, Debug)]
pub struct LedgerMetrics {
    entries: Family<Label, Gauge>,
    capacity: Family<RangeLabel, Gauge>,
    used: Family<RangeLabel, Gauge>,
    conflicts: Counter,
    errors: Counter,
    commits: Histogram,
    writes: Family<Label, Counter>,
    missing: Family<Label, Gauge>,
    unusable: Gauge,
}

/// How the write of a shard of a shared ledger ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardWrite {
    /// It is stored.
    Stored,
    /// Another replica was first.
    Conflict,
    /// It was refused, or nobody answered.
    Failed,
}

impl ShardWrite {
    const ALL: [ShardWrite; 3] = [ShardWrite::Stored, ShardWrite::Conflict, ShardWrite::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            ShardWrite::Stored => "stored",
            ShardWrite::Conflict => "conflict",
            ShardWrite::Failed => "failed",
        }
    }
}

impl LedgerMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            entries: Family::default(),
            capacity: Family::default(),
            used: Family::default(),
            conflicts: Counter::default(),
            errors: Counter::default(),
            commits: Histogram::new(COMMIT_SECONDS),
            writes: Family::default(),
            missing: Family::default(),
            unusable: Gauge::default(),
        };
        registry.register("meshdns_ledger_entries", "Hosts in the ledger, by state", this.entries.clone());
        registry.register(
            "meshdns_ledger_capacity",
            "Addresses that a range has to give",
            this.capacity.clone(),
        );
        registry.register("meshdns_ledger_used", "Those of them that are not free", this.used.clone());
        registry.register(
            "meshdns_ledger_conflicts",
            "How often two entries wanted one address",
            this.conflicts.clone(),
        );
        registry.register(
            "meshdns_ledger_store_errors",
            "Commits to the ledger's store that failed",
            this.errors.clone(),
        );
        registry.register(
            "meshdns_ledger_commit_duration_seconds",
            "Time that a commit to the ledger's store takes",
            this.commits.clone(),
        );
        registry.register(
            "meshdns_ledger_shard_writes",
            "Writes of shards of a shared ledger, by how they ended",
            this.writes.clone(),
        );
        registry.register(
            "meshdns_ledger_permission_missing",
            "Whether a permission of a shared ledger is missing, by verb",
            this.missing.clone(),
        );
        registry.register(
            "meshdns_ledger_unusable_shards",
            "Shards of a shared ledger that cannot be used",
            this.unusable.clone(),
        );
        this
    }

    /// What there is now.
    pub fn show(&self, stats: &Stats) {
        let states = [("in_use", stats.in_use), ("cooling", stats.cooling), ("waiting", stats.waiting)];
        for (value, count) in states {
            self.entries.get_or_create(&Label { name: "state", value }).set(gauge(count));
        }
        for range in &stats.ranges {
            let label = RangeLabel(range.range.as_str().into());
            self.capacity.get_or_create(&label).set(gauge(range.capacity));
            self.used.get_or_create(&label).set(gauge(range.used));
        }
        self.conflicts.inc_by(stats.conflicts.saturating_sub(self.conflicts.get()));
    }

    /// A ledger is shared: shows what concerns only those.
    pub fn show_shared(&self, missing: impl Iterator<Item = (&'static str, bool)>, unusable: usize) {
        for (verb, missing) in missing {
            self.missing.get_or_create(&Label { name: "verb", value: verb }).set(i64::from(missing));
        }
        for outcome in ShardWrite::ALL {
            self.writes.get_or_create(&Label { name: "outcome", value: outcome.as_str() }).inc_by(0);
        }
        self.unusable.set(gauge(unusable as u64));
    }

    /// A shard was written, or not.
    pub fn wrote(&self, outcome: ShardWrite) {
        self.writes.get_or_create(&Label { name: "outcome", value: outcome.as_str() }).inc();
    }

    /// A commit took this long; whether it succeeded.
    pub fn committed(&self, took: Duration, stored: bool) {
        if stored {
            self.commits.observe(took.as_secs_f64());
        } else {
            self.errors.inc();
        }
    }
}

fn gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
