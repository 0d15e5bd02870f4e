//! How telling of single queries fares.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// The counters; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct WitnessMetrics {
    written: Counter,
    suppressed: Counter,
    dropped: Counter,
}

impl WitnessMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self::default();
        let help = "Lines of the query log";
        registry.register("meshdns_query_log_lines", help, this.written.clone());
        let help = "Queries that were left out of the log because there were too many in a second";
        registry.register("meshdns_query_log_suppressed", help, this.suppressed.clone());
        let help = "Queries that were not told about because whoever tells of them was behind";
        registry.register("meshdns_query_log_dropped", help, this.dropped.clone());
        this
    }

    /// A line was written.
    pub(crate) fn written(&self) {
        self.written.inc();
    }

    /// One was left out.
    pub(crate) fn suppressed(&self) {
        self.suppressed.inc();
    }

    /// One was lost.
    pub(crate) fn dropped(&self) {
        self.dropped.inc();
    }
}
