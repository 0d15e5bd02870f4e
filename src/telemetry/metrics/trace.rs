//! How traces fare.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// The counters; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct TraceMetrics {
    exported: Counter,
    dropped: Counter,
}

impl TraceMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self::default();
        let help = "Spans that a collector has taken";
        registry.register("meshdns_trace_spans_exported", help, this.exported.clone());
        let help = "Spans that were dropped because the collector was away, slow or refused them";
        registry.register("meshdns_trace_spans_dropped", help, this.dropped.clone());
        this
    }

    /// The collector has taken so many.
    pub(crate) fn exported(&self, count: u64) {
        self.exported.inc_by(count);
    }

    /// So many are lost.
    pub(crate) fn dropped(&self, count: u64) {
        self.dropped.inc_by(count);
    }
}
