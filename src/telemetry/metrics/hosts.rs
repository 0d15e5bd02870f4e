//! The size of the catalog, and mesh hosts that somebody should look at, as it counts them at the moment of asking.

use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::catalog::Catalog;

/// Counts the hosts of a catalog that differ from istiod's name table, at the cost of looking at all of them.
type Differences = fn(&Catalog) -> usize;

/// Which catalog is counted.
#[derive(Default)]
pub struct HostMetrics(OnceLock<(Arc<Catalog>, Differences)>);

impl std::fmt::Debug for HostMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostMetrics")
    }
}

impl HostMetrics {
    /// Counts this catalog from now on; the first one stays.
    pub fn watch(&self, catalog: Arc<Catalog>, differences: Differences) {
        // A process has one catalog.
        let _ = self.0.set((catalog, differences));
    }
}

impl Collector for HostMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some((catalog, differences)) = self.0.get() else { return Ok(()) };
        let help = "Units that answers are made of, by kind";
        let mut units = encoder.encode_descriptor("meshdns_catalog_units", help, None, MetricType::Gauge)?;
        for (kind, count) in catalog.sizes() {
            let count = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            count.encode(units.encode_family(&[("kind", kind)])?)?;
        }
        let mut gauge = |name, help, value: u64| {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(encoder)
        };
        let tallies = catalog.tallies();
        let contested = "Mesh hosts that more than one ServiceEntry declares";
        gauge("meshdns_contested_hosts", contested, tallies.contested())?;
        let different =
            "Mesh hosts that the ServiceEntries give other addresses than the name table of istiod has";
        // Some of what differs is a rule. Where nothing does, nothing has to be looked at.
        let count = if tallies.different() == 0 { 0 } else { differences(catalog) as u64 };
        gauge("meshdns_parity_differences", different, count)
    }
}
