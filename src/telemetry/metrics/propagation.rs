//! How long a change takes from where it was made to an answer.

use std::time::{Instant, SystemTime};

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::source::{Moment, Since};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Labels {
    kind: &'static str,
    since: &'static str,
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelSet::encode(&[("kind", self.kind), ("since", self.since)], encoder)
    }
}

/// Durations by kind, and by what is known about their beginning.
#[derive(Clone, Debug)]
pub struct PropagationMetrics(Family<Labels, Histogram, fn() -> Histogram>);

/// The buckets of CoreDNS's `dns_programming_duration` (`plugin/kubernetes/metrics.go`): 1 ms to about 524 s.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 20))
}

impl PropagationMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let family = Family::new_with_constructor(histogram as fn() -> Histogram);
        registry.register(
            "meshdns_propagation_duration_seconds",
            "From a change of an object to an answer with it; since trigger: by the time that its author wrote down, \
             received: since we heard of it",
            family.clone(),
        );
        Self(family)
    }

    /// What changed then is answered now.
    pub fn observe(&self, moment: Moment) {
        let (since, took) = match moment.since {
            Since::Received(at) => ("received", Instant::now().saturating_duration_since(at)),
            // The clock of another machine may be ahead of ours.
            Since::Trigger(at) => ("trigger", SystemTime::now().duration_since(at).unwrap_or_default()),
        };
        self.0.get_or_create(&Labels { kind: moment.kind.as_str(), since }).observe(took.as_secs_f64());
    }
}
