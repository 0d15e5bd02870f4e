//! Queries by listener, kind of zone, type, RCODE and what knew the name, and how long they took.
//!
//! Rules: a query costs three additions to memory that only its worker writes; shards are added up when somebody
//! reads. There are some thousand combinations of labels, so those are shown that were counted, and from the beginning those of
//! queries of which nothing was read or asked: that is where failures are, and their rates start at zero.

mod duration;
mod label;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::answer::Facts;
use duration::{Durations, Totals};
use label::{LISTENERS, ORIGINS, RCODES, SCOPES, TYPES, of_type};

pub use label::{Listener, Rcode, origin_label, scope_label};

/// Combinations of labels.
const CELLS: usize = LISTENERS.len() * SCOPES.len() * TYPES.len() * RCODES.len() * ORIGINS.len();

/// What is counted of a query.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Where it came in.
    pub listener: Listener,
    /// What the answer said of itself.
    pub facts: Facts,
    /// How it ended.
    pub rcode: Rcode,
    /// Whether it waited for a lookup elsewhere.
    pub chased: bool,
    /// From reading it to its reply being ready.
    pub took: Duration,
}

/// The query counters of one worker.
#[derive(Debug)]
#[repr(align(128))]
pub struct QueryShard {
    queries: Box<[AtomicU64]>,
    /// By listener: of queries that waited for nobody, and of those that did.
    durations: [[Durations; 2]; LISTENERS.len()],
}

impl QueryShard {
    fn new() -> Self {
        Self { queries: (0..CELLS).map(|_| AtomicU64::new(0)).collect(), durations: Default::default() }
    }

    /// Counts a query. The admin listener has none.
    pub fn record(&self, query: &Counted) {
        let Some(durations) = self.durations.get(query.listener as usize) else { return };
        if let Some(cell) = self.queries.get(cell(query)) {
            cell.fetch_add(1, Relaxed);
        }
        durations[usize::from(query.chased)].record(query.took);
    }
}

/// The place of a query's labels.
fn cell(query: &Counted) -> usize {
    let Facts { kind, scope, origin } = query.facts;
    let mut cell = query.listener as usize;
    cell = cell * SCOPES.len() + scope as usize;
    cell = cell * TYPES.len() + of_type(kind);
    cell = cell * RCODES.len() + query.rcode as usize;
    cell * ORIGINS.len() + origin as usize
}

/// All shards.
#[derive(Debug, Default)]
pub(super) struct Queries {
    shards: Mutex<Vec<Arc<QueryShard>>>,
}

impl Queries {
    /// A new shard, counted from now on.
    pub(super) fn shard(&self) -> Arc<QueryShard> {
        let shard = Arc::new(QueryShard::new());
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&shard));
        shard
    }
}

impl Collector for Queries {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut totals = encoder.encode_descriptor(
            "meshdns_queries",
            "Queries, by RCODE of the reply, what was asked for and what knew the name",
            None,
            MetricType::Counter,
        )?;
        let mut cell = 0..CELLS;
        for listener in LISTENERS {
            for (scope, zone) in SCOPES {
                for kind in TYPES {
                    for (_, rcode) in RCODES {
                        for (origin, source) in ORIGINS {
                            let Some(cell) = cell.next() else { return Ok(()) };
                            let total: u64 =
                                shards.iter().map(|shard| shard.queries[cell].load(Relaxed)).sum();
                            if total == 0 && !label::is_basic(scope, kind, origin) {
                                continue;
                            }
                            let labels = [
                                ("listener", listener.as_str()),
                                ("zone", zone),
                                ("type", kind),
                                ("rcode", rcode),
                                ("source", source),
                            ];
                            totals
                                .encode_family(&labels)?
                                .encode_counter::<NoLabelSet, u64, u64>(&total, None)?;
                        }
                    }
                }
            }
        }
        let mut durations = encoder.encode_descriptor(
            "meshdns_query_duration_seconds",
            "Time from reading a query to its reply being ready; chased: with a lookup elsewhere",
            None,
            MetricType::Histogram,
        )?;
        for (index, listener) in LISTENERS.iter().enumerate() {
            for (which, chased) in ["false", "true"].into_iter().enumerate() {
                let totals = Totals::of(shards.iter().map(|shard| &shard.durations[index][which]));
                let labels = [("listener", listener.as_str()), ("chased", chased)];
                durations.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                    totals.seconds(),
                    totals.count(),
                    &totals.buckets(),
                    None,
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Origin, Scope, kind};
    use crate::telemetry::metrics::Metrics;

    fn query(facts: Facts, rcode: Rcode) -> Counted {
        Counted { listener: Listener::Tcp, facts, rcode, chased: false, took: Duration::from_micros(3) }
    }

    #[test]
    fn every_combination_has_a_place_of_its_own_with_its_labels() {
        let mut places = std::collections::BTreeSet::new();
        for listener in LISTENERS {
            for (scope, _) in SCOPES {
                for kind in [kind::A, kind::AAAA, kind::SRV, kind::PTR, 5, 16, kind::NS, kind::SOA, 65] {
                    for (rcode, _) in RCODES {
                        for (origin, _) in ORIGINS {
                            let facts = Facts { kind: Some(kind), scope, origin };
                            places.insert(cell(&Counted { listener, ..query(facts, rcode) }));
                        }
                    }
                }
            }
        }
        assert_eq!((places.len(), places.last()), (CELLS, Some(&(CELLS - 1))));
        let metrics = Metrics::new();
        let shard = metrics.query_shard();
        let facts = Facts { kind: Some(kind::SRV), scope: Scope::ClusterSet, origin: Origin::Kubernetes };
        shard.record(&query(facts, Rcode::NoError));
        let sample = r#"{listener="tcp",zone="clusterset",type="SRV",rcode="NOERROR",source="kubernetes"} 1"#;
        let text = metrics.text();
        assert!(text.contains(&format!("\nmeshdns_queries_total{sample}\n")), "{text}");
        // Besides that only what is always shown.
        let shown = text.lines().filter(|line| line.starts_with("meshdns_queries_total{")).count();
        assert_eq!(shown, 1 + LISTENERS.len() * RCODES.len());
    }

    #[test]
    fn chased_queries_have_durations_of_their_own() {
        let metrics = Metrics::new();
        let shard = metrics.query_shard();
        let plain = query(Facts::default(), Rcode::NoError);
        shard.record(&plain);
        shard.record(&Counted { chased: true, took: Duration::from_millis(300), ..plain });
        let text = metrics.text();
        for sample in [
            r#"count{listener="tcp",chased="false"} 1"#,
            r#"count{listener="tcp",chased="true"} 1"#,
            r#"bucket{le="0.000005",listener="tcp",chased="false"} 1"#,
            r#"bucket{le="0.25",listener="tcp",chased="true"} 0"#,
            r#"bucket{le="1.0",listener="tcp",chased="true"} 1"#,
        ] {
            assert!(
                text.contains(&format!("\nmeshdns_query_duration_seconds_{sample}\n")),
                "{sample}\n{text}"
            );
        }
    }
}
