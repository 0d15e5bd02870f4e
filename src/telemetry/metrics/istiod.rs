//! How the stream of istiod stands.
//!
//! Rules: nothing is shown when istiod is no source, and no age before there is a table: both would look like
//! trouble. The age is that of the moment when it is asked for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The figures of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IstiodFigures {
    /// Whether a stream stands.
    pub connected: bool,
    /// How old the table in use is.
    pub age: TableAge,
    /// Its rows.
    pub rows: u64,
    /// Responses that we refused.
    pub nacks: u64,
    /// Attempts to connect after the first.
    pub reconnects: u64,
}

/// Time since the table was last known to be what istiod says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableAge {
    /// There is no table.
    #[default]
    NoTable,
    /// It is what istiod says now.
    Current,
    /// It grows since then.
    Since(SystemTime),
}

/// The figures that are shown.
#[derive(Debug, Default)]
pub struct IstiodMetrics(Mutex<Option<IstiodFigures>>);

impl IstiodMetrics {
    /// Shows these from now on.
    pub fn set(&self, figures: IstiodFigures) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(figures);
    }
}

impl TableAge {
    fn at(self, now: SystemTime) -> Option<Duration> {
        match self {
            Self::NoTable => None,
            Self::Current => Some(Duration::ZERO),
            Self::Since(at) => Some(now.duration_since(at).unwrap_or_default()),
        }
    }
}

impl Collector for IstiodMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let figures = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(figures) = figures else { return Ok(()) };
        let mut gauge = |name, help, value: f64| {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(encoder)
        };
        let connected = f64::from(u8::from(figures.connected));
        gauge("meshdns_istiod_connected", "Whether a stream of istiod stands", connected)?;
        if let Some(age) = figures.age.at(SystemTime::now()) {
            let help = "Time since the name table in use was last known to be what istiod says";
            gauge("meshdns_istiod_table_age_seconds", help, age.as_secs_f64())?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a table has fewer than 2^53 rows")]
        gauge("meshdns_istiod_rows", "Rows of the name table in use", figures.rows as f64)?;
        let mut counter = |name, help, value: u64| {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(encoder)
        };
        counter("meshdns_istiod_nacks", "Responses of istiod that were refused", figures.nacks)?;
        counter("meshdns_istiod_reconnects", "Attempts to connect to istiod again", figures.reconnects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn nothing_is_shown_without_istiod() {
        assert!(!Metrics::new().text().contains("istiod"));
    }

    #[test]
    fn figures_are_shown_and_the_age_grows() {
        let metrics = Metrics::new();
        metrics.istiod().set(IstiodFigures::default());
        let text = metrics.text();
        assert!(text.contains("\nmeshdns_istiod_connected 0.0\n") && !text.contains("table_age"), "{text}");
        let since = SystemTime::now() - Duration::from_secs(100);
        let age = TableAge::Since(since);
        metrics.istiod().set(IstiodFigures { connected: true, age, rows: 7, nacks: 2, reconnects: 3 });
        let text = metrics.text();
        for line in
            ["connected 1.0", "rows 7.0", "nacks_total 2", "reconnects_total 3", "table_age_seconds 10"]
        {
            assert!(text.contains(&format!("\nmeshdns_istiod_{line}")), "{line}\n{text}");
        }
        metrics.istiod().set(IstiodFigures { age: TableAge::Current, ..IstiodFigures::default() });
        assert!(metrics.text().contains("\nmeshdns_istiod_table_age_seconds 0.0\n"));
    }
}
