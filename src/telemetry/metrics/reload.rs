//! How often settings were read again.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Label;

/// The figures; clones are the same.
#[derive(Clone, Debug)]
pub struct ReloadMetrics {
    applied: Counter,
    refused: Counter,
    is_refused: Gauge,
}

impl ReloadMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let reloads = Family::<Label, Counter>::default();
        registry.register("meshdns_settings_reloads", "Settings read again, by outcome", reloads.clone());
        let is_refused = Gauge::default();
        registry.register(
            "meshdns_settings_refused",
            "Whether the settings file says something else than what is in force",
            is_refused.clone(),
        );
        let counter = |value| reloads.get_or_create_owned(&Label { name: "outcome", value });
        Self { applied: counter("applied"), refused: counter("refused"), is_refused }
    }

    /// They are in force.
    pub fn applied(&self) {
        self.applied.inc();
        self.is_refused.set(0);
    }

    /// They cannot be used.
    pub fn refused(&self) {
        self.refused.inc();
        self.is_refused.set(1);
    }
}
