//! What the sources hold, and what they could not use.
//!
//! Rules: kinds of objects are ours and therefore bounded; kinds that we have no use for are only counted together,
//! because their names come from outside.

use std::collections::BTreeMap;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Label;
use crate::model::Kind;

/// Handles of what sources report.
#[derive(Debug)]
pub struct SourceMetrics {
    objects: Family<Label, Gauge>,
    skipped: Gauge,
    defects: Gauge,
    reloads: Counter,
}

impl SourceMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            objects: Family::default(),
            skipped: Gauge::default(),
            defects: Gauge::default(),
            reloads: Counter::default(),
        };
        registry.register("meshdns_objects", "Objects in use, by kind", this.objects.clone());
        registry.register("meshdns_skipped_objects", "Objects that DNS has no use for", this.skipped.clone());
        registry.register("meshdns_defects", "Things wrong with objects, now", this.defects.clone());
        registry.register("meshdns_reloads", "How often a source was read anew", this.reloads.clone());
        this
    }

    /// Objects in use; kinds that are missing have none.
    pub fn set_objects(&self, objects: &BTreeMap<Kind, u64>) {
        self.objects.clear();
        for (kind, count) in objects {
            self.objects.get_or_create(&Label { name: "kind", value: kind.as_str() }).set(gauge(*count));
        }
    }

    /// Objects that DNS has no use for.
    pub fn set_skipped(&self, count: u64) {
        self.skipped.set(gauge(count));
    }

    /// Things wrong with objects.
    pub fn set_defects(&self, count: u64) {
        self.defects.set(gauge(count));
    }

    /// How often sources were read anew since the start; never falls.
    pub fn set_reloads(&self, total: u64) {
        self.reloads.inc_by(total.saturating_sub(self.reloads.get()));
    }
}

fn gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
