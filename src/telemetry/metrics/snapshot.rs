//! How the snapshot of a source fares.
//!
//! Rules: nothing is shown when no snapshots are written, and no age before there is one: both would look like trouble. The
//! age is that of the moment when it is asked for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The snapshot that a restart would begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotFigures {
    /// When it was written, in Unix seconds.
    pub written: u64,
    /// When the source last said that this is how things stand, in Unix seconds.
    pub live: u64,
    /// Its objects.
    pub objects: u64,
    /// Its size.
    pub octets: u64,
}

/// The figures that are shown; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct SnapshotMetrics(Arc<Mutex<Option<Shown>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    last: Option<SnapshotFigures>,
    failures: u64,
}

impl SnapshotMetrics {
    /// Snapshots are written from now on.
    pub fn begin(&self) {
        self.change(|_| {});
    }

    /// One was written.
    pub fn written(&self, figures: SnapshotFigures) {
        self.change(|shown| shown.last = Some(figures));
    }

    /// One could not be written.
    pub fn failed(&self) {
        self.change(|shown| shown.failures += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Shown)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default());
    }
}

impl Collector for SnapshotMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let shown = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(shown) = shown else { return Ok(()) };
        let mut gauge = |name, help, value: u64| {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(encoder)
        };
        if let Some(last) = shown.last {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let when = "When the last snapshot was written, in Unix seconds";
            gauge("meshdns_snapshot_last_success_timestamp_seconds", when, last.written)?;
            let age = "Time since the source last said what the last snapshot has";
            gauge("meshdns_snapshot_age_seconds", age, now.saturating_sub(last.live))?;
            gauge("meshdns_snapshot_bytes", "Size of the last snapshot", last.octets)?;
            gauge("meshdns_snapshot_objects", "Objects in the last snapshot", last.objects)?;
        }
        let help = "Snapshots that could not be written";
        let failures =
            encoder.encode_descriptor("meshdns_snapshot_failures", help, None, MetricType::Counter)?;
        ConstCounter::new(shown.failures).encode(failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn nothing_is_shown_without_snapshots_and_no_age_before_the_first() {
        let metrics = Metrics::new();
        assert!(!metrics.text().contains("snapshot"));
        metrics.snapshot().begin();
        let text = metrics.text();
        assert!(
            text.contains("\nmeshdns_snapshot_failures_total 0\n") && !text.contains("meshdns_snapshot_age"),
            "{text}"
        );
    }

    #[test]
    fn figures_are_those_of_the_last_one() {
        let metrics = Metrics::new();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (written, live) = (now, now - 1000);
        metrics.snapshot().written(SnapshotFigures { written, live, objects: 7, octets: 900 });
        metrics.snapshot().failed();
        let text = metrics.text();
        let success = format!("last_success_timestamp_seconds {now}\n");
        for line in [&*success, "objects 7\n", "bytes 900\n", "failures_total 1\n", "age_seconds 10"] {
            assert!(text.contains(&format!("\nmeshdns_snapshot_{line}")), "{line}\n{text}");
        }
    }
}
