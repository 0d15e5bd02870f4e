//! The metrics registry, and the handles that its parts count with.
//!
//! Rules: names begin with `meshdns_`, but for those of the process (`process`), base units stand in names, every label is an enum or fixed for the life of
//! the process. Queries are counted in one shard per worker (`queries`); everything rarer in plain atomics.

mod dnstap;
mod hosts;
mod istiod;
mod kubernetes;
mod ledger;
mod process;
mod propagation;
mod queries;
mod reload;
mod snapshot;
mod sources;
mod stale;
mod tls;
mod trace;
mod witness;

use std::fmt::Write;
use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub use dnstap::DnstapMetrics;
pub use hosts::HostMetrics;
pub use istiod::{IstiodFigures, IstiodMetrics, TableAge};
pub use kubernetes::{KubernetesMetrics, WatchFigures};
pub use ledger::{LedgerMetrics, ShardWrite};
pub use propagation::PropagationMetrics;
pub use queries::{Counted, Listener, QueryShard, Rcode, origin_label, scope_label};
pub use reload::ReloadMetrics;
pub use snapshot::{SnapshotFigures, SnapshotMetrics};
pub use sources::SourceMetrics;
pub use stale::StaleMetrics;
pub use tls::{Handshake, TlsMetrics};
pub use trace::TraceMetrics;
pub use witness::WitnessMetrics;

use process::ProcessMetrics;
use queries::Queries;

/// How the lookup of an alias target outside our zones ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChaseOutcome {
    /// An upstream answered.
    Answered,
    /// No upstream gave an answer that can be used.
    Failed,
    /// The time was up.
    TimedOut,
    /// Too many lookups were under way.
    Refused,
}

impl ChaseOutcome {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
        }
    }
}

/// One label with one of a fixed set of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Label {
    name: &'static str,
    value: &'static str,
}

impl EncodeLabelSet for Label {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut label = encoder.encode_label();
        let mut key = label.encode_label_key()?;
        key.write_str(self.name)?;
        let mut value: LabelValueEncoder<'_> = key.encode_label_value()?;
        EncodeLabelValue::encode(&self.value, &mut value)?;
        value.finish()
    }
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    queries: Arc<Queries>,
    connections: Family<Label, Gauge>,
    chases: Family<Label, Counter>,
    sources: SourceMetrics,
    istiod: Arc<IstiodMetrics>,
    kubernetes: Arc<KubernetesMetrics>,
    propagation: PropagationMetrics,
    hosts: Arc<HostMetrics>,
    ledger: LedgerMetrics,
    snapshot: SnapshotMetrics,
    stale: StaleMetrics,
    tls: TlsMetrics,
    reloads: ReloadMetrics,
    witness: WitnessMetrics,
    traces: TraceMetrics,
    dnstap: DnstapMetrics,
    ready: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry where everything is zero.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let queries = Arc::new(Queries::default());
        registry.register_collector(Box::new(Arc::clone(&queries)));
        let connections = Family::<Label, Gauge>::default();
        registry.register("meshdns_connections", "Open connections", connections.clone());
        let chases = Family::<Label, Counter>::default();
        registry.register(
            "meshdns_chases",
            "Lookups of alias targets outside the zones, by how they ended",
            chases.clone(),
        );
        let build = Family::<Label, Gauge>::default();
        build.get_or_create(&Label { name: "version", value: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("meshdns_build_info", "Which version runs", build);
        registry.register_collector(Box::new(ProcessMetrics::default()));
        let ready = Gauge::default();
        registry.register("meshdns_ready", "Whether the process wants to be asked", ready.clone());
        let sources = SourceMetrics::register(&mut registry);
        let istiod = Arc::new(IstiodMetrics::default());
        registry.register_collector(Box::new(Arc::clone(&istiod)));
        let kubernetes = Arc::new(KubernetesMetrics::default());
        registry.register_collector(Box::new(Arc::clone(&kubernetes)));
        let propagation = PropagationMetrics::register(&mut registry);
        let hosts = Arc::new(HostMetrics::default());
        registry.register_collector(Box::new(Arc::clone(&hosts)));
        let ledger = LedgerMetrics::register(&mut registry);
        let snapshot = SnapshotMetrics::default();
        registry.register_collector(Box::new(snapshot.clone()));
        let stale = StaleMetrics::default();
        registry.register_collector(Box::new(stale.clone()));
        let tls = TlsMetrics::default();
        registry.register_collector(Box::new(tls.clone()));
        let reloads = ReloadMetrics::register(&mut registry);
        let witness = WitnessMetrics::register(&mut registry);
        let traces = TraceMetrics::register(&mut registry);
        let dnstap = DnstapMetrics::register(&mut registry);
        Self {
            registry,
            queries,
            connections,
            chases,
            sources,
            istiod,
            kubernetes,
            propagation,
            hosts,
            ledger,
            snapshot,
            stale,
            tls,
            reloads,
            witness,
            traces,
            dnstap,
            ready,
        }
    }

    /// A new shard of the query counters; every worker takes one.
    pub fn query_shard(&self) -> Arc<QueryShard> {
        self.queries.shard()
    }

    /// The gauge of a listener's open connections.
    pub fn connections(&self, listener: Listener) -> Gauge {
        self.connections.get_or_create_owned(&Label { name: "listener", value: listener.as_str() })
    }

    /// The counter of lookups that ended in some way.
    pub fn chases(&self, outcome: ChaseOutcome) -> Counter {
        self.chases.get_or_create_owned(&Label { name: "outcome", value: outcome.as_str() })
    }

    /// Shows whether the process wants to be asked.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// The gauges of what the sources hold.
    pub fn sources(&self) -> &SourceMetrics {
        &self.sources
    }

    /// What the ledger and its store count.
    pub fn ledger(&self) -> &LedgerMetrics {
        &self.ledger
    }

    /// Whether answers may have changed meanwhile.
    pub fn stale(&self) -> &StaleMetrics {
        &self.stale
    }

    /// How TLS of the gRPC listener fares.
    pub fn tls(&self) -> &TlsMetrics {
        &self.tls
    }

    /// How the snapshot of a source fares.
    pub fn snapshot(&self) -> &SnapshotMetrics {
        &self.snapshot
    }

    /// How the stream of istiod stands.
    pub fn istiod(&self) -> &IstiodMetrics {
        &self.istiod
    }

    /// How the watches of the API server stand.
    pub fn kubernetes(&self) -> &KubernetesMetrics {
        &self.kubernetes
    }

    /// How often settings were read again.
    pub fn reloads(&self) -> &ReloadMetrics {
        &self.reloads
    }

    /// How traces fare.
    pub fn traces(&self) -> &TraceMetrics {
        &self.traces
    }

    /// How dnstap fares.
    pub fn dnstap(&self) -> &DnstapMetrics {
        &self.dnstap
    }

    /// How telling of single queries fares.
    pub fn witness(&self) -> &WitnessMetrics {
        &self.witness
    }

    /// How long changes take to an answer.
    pub fn propagation(&self) -> &PropagationMetrics {
        &self.propagation
    }

    /// What the catalog counts.
    pub fn hosts(&self) -> &HostMetrics {
        &self.hosts
    }

    /// Everything in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing into a String cannot fail.
            text.clear();
        }
        text
    }
}
