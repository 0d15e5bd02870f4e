//! Traces: a span for each query that is sampled, sent to a collector over OTLP.
//!
//! Rules: nobody waits for the collector. Spans wait in a queue for a task of their own; what does not fit, or cannot be
//! delivered within a time, is dropped and counted. There are no spans but those of queries, and they are made of what the
//! workers saw, so nothing is measured twice. The id of a span is the id of its query.

use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter, SpanLinks};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::metrics::{Rcode, TraceMetrics, origin_label, scope_label};
use super::witness::Told;

/// Spans that wait for the collector; more are dropped.
const WAITING: usize = 2048;
/// Spans of one request at most.
const BATCH: usize = 512;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where traces go.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// The collector: `http://host:port`.
    pub endpoint: String,
    /// Of all queries this part, above 0 and up to 1.
    pub ratio: f64,
}

/// Where spans are put.
#[derive(Clone, Debug)]
pub struct Spans {
    queue: mpsc::Sender<Box<SpanData>>,
    metrics: TraceMetrics,
}

/// What sends them.
#[derive(Debug)]
pub struct Sending {
    endpoint: String,
    queue: mpsc::Receiver<Box<SpanData>>,
    metrics: TraceMetrics,
}

impl Spans {
    /// A way to the collector. Nothing is sent before [`Sending::run`].
    pub fn new(settings: &TraceSettings, metrics: &TraceMetrics) -> (Self, Sending) {
        let (queue, waiting) = mpsc::channel(WAITING);
        let endpoint = settings.endpoint.clone();
        let sending = Sending { endpoint, queue: waiting, metrics: metrics.clone() };
        (Self { queue, metrics: metrics.clone() }, sending)
    }

    pub(super) fn put(&self, told: &Told) {
        if self.queue.try_send(Box::new(span(told))).is_err() {
            self.metrics.dropped(1);
        }
    }
}

impl Sending {
    /// Sends what comes, as long as somebody may put something there.
    pub async fn run(mut self) {
        let built =
            OtlpExporter::builder().with_tonic().with_endpoint(&self.endpoint).with_timeout(PATIENCE).build();
        let mut exporter = match built {
            Ok(exporter) => exporter,
            Err(error) => {
                tracing::error!(endpoint = self.endpoint, %error, "traces cannot be sent: they are dropped");
                while self.queue.recv().await.is_some() {
                    self.metrics.dropped(1);
                }
                return;
            }
        };
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("meshdns").with_attribute(version).build();
        exporter.set_resource(&resource);
        let mut is_refused = false;
        while let Some(first) = self.queue.recv().await {
            let batch = self.gather(*first).await;
            let count = batch.len() as u64;
            match timeout(PATIENCE, exporter.export(batch)).await {
                Ok(Ok(())) => {
                    self.metrics.exported(count);
                    is_refused = false;
                }
                failed => {
                    self.metrics.dropped(count);
                    // Once is enough: the counter says how it goes on.
                    if !is_refused {
                        let error = failed.map_or_else(|error| error.to_string(), |sent| format!("{sent:?}"));
                        tracing::warn!(
                            endpoint = self.endpoint,
                            error,
                            "traces are not taken: they are dropped"
                        );
                    }
                    is_refused = true;
                }
            }
        }
    }

    /// What comes within a moment.
    async fn gather(&mut self, first: SpanData) -> Vec<SpanData> {
        let (mut batch, end) = (vec![first], Instant::now() + GATHER);
        while batch.len() < BATCH
            && let Ok(Some(span)) = timeout_at(end, self.queue.recv()).await
        {
            batch.push(*span);
        }
        batch
    }
}

fn span(told: &Told) -> SpanData {
    let id = told.id.number();
    let trace = TraceId::from(u128::from(id.rotate_left(32)) << 64 | u128::from(id));
    let (span, state) = (SpanId::from(id), TraceState::default());
    let text = |key: &'static str, value: Option<String>| value.map(|value| KeyValue::new(key, value));
    let mut attributes = vec![
        KeyValue::new("meshdns.query", told.id.to_string()),
        KeyValue::new("meshdns.listener", told.listener.as_str()),
        KeyValue::new("meshdns.zone", scope_label(told.facts.scope)),
        KeyValue::new("meshdns.source", origin_label(told.facts.origin)),
        KeyValue::new("dns.response_code", told.rcode.as_str()),
    ];
    attributes.extend(told.ttl.map(|ttl| KeyValue::new("meshdns.ttl", i64::from(ttl))));
    attributes.extend(told.peer.map(|peer| KeyValue::new("client.address", peer.ip().to_string())));
    attributes.extend(text("dns.question.name", told.question.as_ref().map(|(name, _)| name.clone())));
    attributes.extend(text("dns.question.type", told.type_name()));
    attributes.extend(text("meshdns.object", told.object.clone()));
    attributes.extend(text("meshdns.reason", told.reason.clone()));
    SpanData {
        span_context: SpanContext::new(trace, span, TraceFlags::SAMPLED, false, state),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Server,
        name: "dns query".into(),
        start_time: told.ended.checked_sub(told.took).unwrap_or(told.ended),
        end_time: told.ended,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        // Refusals and negative answers are what was asked for; these two are our own fault.
        status: match told.rcode {
            Rcode::ServFail | Rcode::Status => Status::error(told.rcode.as_str()),
            _ => Status::Unset,
        },
        instrumentation_scope: InstrumentationScope::builder("meshdns").build(),
    }
}
