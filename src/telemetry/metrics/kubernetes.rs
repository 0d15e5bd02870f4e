//! How the watches of the API server stand, by kind; where namespaces are watched one by one, their sums.
//!
//! Rules: nothing is shown when the API server is no source. Ages are those of the moment when they are asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::time::Instant;

use super::Label;

/// The figures of one kind at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchFigures {
    /// Watches that stand.
    pub live: u64,
    /// All of them.
    pub watches: u64,
    /// When the watch that was silent for longest was heard last.
    pub heard: Option<Instant>,
    /// The newest version that was heard of.
    pub version: Option<u64>,
    /// Complete lists so far.
    pub lists: u64,
    /// Objects in use that the last list lacked.
    pub doubted: u64,
    /// Failures so far, by reason.
    pub failures: BTreeMap<&'static str, u64>,
}

/// The figures that are shown, by the plural of each kind.
#[derive(Debug, Default)]
pub struct KubernetesMetrics(Mutex<BTreeMap<&'static str, WatchFigures>>);

impl KubernetesMetrics {
    /// Shows these from now on.
    pub fn set(&self, figures: BTreeMap<&'static str, WatchFigures>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }
}

type Encoder<'e> = DescriptorEncoder<'e>;
type Encoded = Result<(), std::fmt::Error>;

impl Collector for KubernetesMetrics {
    fn encode(&self, mut encoder: Encoder<'_>) -> Encoded {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if kinds.is_empty() {
            return Ok(());
        }
        let age = |at: Instant| at.elapsed().as_secs_f64();
        gauge(&mut encoder, "watches", "Watches of the API server", &kinds, |f| Some(f.watches as f64))?;
        gauge(&mut encoder, "watches_live", "Watches that hear of every change", &kinds, |f| {
            Some(f.live as f64)
        })?;
        gauge(
            &mut encoder,
            "silence_seconds",
            "Since anything was heard, bookmarks included, of the watch that is silent for longest",
            &kinds,
            |f| f.heard.map(age),
        )?;
        gauge(
            &mut encoder,
            "resource_version",
            "The newest resource version that was heard of",
            &kinds,
            |f| f.version.map(|version| version as f64),
        )?;
        gauge(
            &mut encoder,
            "doubted_objects",
            "Objects in use that the last list lacked, until another one says so",
            &kinds,
            |f| Some(f.doubted as f64),
        )?;
        let mut family = encoder.encode_descriptor(
            "meshdns_kubernetes_lists",
            "Complete lists",
            None,
            MetricType::Counter,
        )?;
        for (kind, figures) in &kinds {
            let label = [("kind", *kind)];
            ConstCounter::new(figures.lists).encode(family.encode_family(&label)?)?;
        }
        let help = "Requests and watches that failed, by reason";
        let mut family =
            encoder.encode_descriptor("meshdns_kubernetes_failures", help, None, MetricType::Counter)?;
        for (kind, figures) in &kinds {
            for (reason, count) in &figures.failures {
                let labels = [("kind", *kind), ("reason", *reason)];
                ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn gauge(
    encoder: &mut Encoder<'_>,
    name: &str,
    help: &str,
    kinds: &BTreeMap<&'static str, WatchFigures>,
    value: impl Fn(&WatchFigures) -> Option<f64>,
) -> Encoded {
    let name = format!("meshdns_kubernetes_{name}");
    let mut family = encoder.encode_descriptor(&name, help, None, MetricType::Gauge)?;
    for (kind, figures) in kinds {
        if let Some(value) = value(figures) {
            let label = Label { name: "kind", value: kind };
            ConstGauge::new(value).encode(family.encode_family(&label)?)?;
        }
    }
    Ok(())
}
