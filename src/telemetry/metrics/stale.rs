//! Whether answers may have changed meanwhile, as the catalog says at the moment of asking.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::catalog::Catalog;

/// Which catalog is looked at.
#[derive(Clone, Default)]
pub struct StaleMetrics(Arc<OnceLock<Arc<Catalog>>>);

impl std::fmt::Debug for StaleMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaleMetrics")
    }
}

impl StaleMetrics {
    /// Looks at this catalog from now on; the first one stays.
    pub fn watch(&self, catalog: Arc<Catalog>) {
        // A process has one catalog.
        let _ = self.0.set(catalog);
    }
}

impl Collector for StaleMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(catalog) = self.0.get() else { return Ok(()) };
        let mark = catalog.staleness();
        let help = "Whether answers are given that may have changed meanwhile";
        let gauge = encoder.encode_descriptor("meshdns_stale", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::from(mark.get().is_some())).encode(gauge)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let age = mark.get().map_or(0, |stale| now.saturating_sub(stale.since));
        let help =
            "Time since the API server last said that objects are what they are; 0 while it tells of changes";
        let gauge = encoder.encode_descriptor("meshdns_stale_age_seconds", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(age).unwrap_or(i64::MAX)).encode(gauge)?;
        let help = "Answers that may have changed meanwhile";
        let answers = encoder.encode_descriptor("meshdns_stale_answers", help, None, MetricType::Counter)?;
        ConstCounter::new(mark.answers()).encode(answers)
    }
}
