//! How dnstap fares.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct DnstapMetrics {
    sent: Counter,
    dropped: Counter,
    connected: Gauge,
}

impl DnstapMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self::default();
        let help = "Messages that were sent to a collector of dnstap";
        registry.register("meshdns_dnstap_messages", help, this.sent.clone());
        let help = "Messages that were dropped because the collector was away or slow";
        registry.register("meshdns_dnstap_dropped", help, this.dropped.clone());
        let help = "Whether a collector of dnstap is connected";
        registry.register("meshdns_dnstap_connected", help, this.connected.clone());
        this
    }

    /// So many were sent.
    pub(crate) fn sent(&self, count: u64) {
        self.sent.inc_by(count);
    }

    /// So many are lost.
    pub(crate) fn dropped(&self, count: u64) {
        self.dropped.inc_by(count);
    }

    /// Whether the stream stands.
    pub(crate) fn set_connected(&self, is_connected: bool) {
        self.connected.set(is_connected.into());
    }
}
