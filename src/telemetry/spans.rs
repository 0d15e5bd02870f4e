//! Traces: a span for each query that is sampled, sent to a collector over OTLP.
//!
//! Rules: nobody waits for the collector. Spans wait in a queue for a task of their own; what does not fit, or cannot be
//! delivered within a time, is dropped and counted. There are no spans but those of queries, and they are made of what the
//! workers saw, so nothing is measured twice. The id of a span is the id of its query.

use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig, WithTonicConfig};
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
    /// The collector: `http://host:port` or `https://host:port`.
    pub endpoint: String,
    /// File with the certificates of authorities, PEM, that its certificate must lead to; with `https` and only then.
    pub ca: Option<PathBuf>,
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
    ca: Option<PathBuf>,
    queue: mpsc::Receiver<Box<SpanData>>,
    metrics: TraceMetrics,
}

impl Spans {
    /// A way to the collector. Nothing is sent before [`Sending::run`].
    pub fn new(settings: &TraceSettings, metrics: &TraceMetrics) -> (Self, Sending) {
        let (queue, waiting) = mpsc::channel(WAITING);
        let (endpoint, ca) = (settings.endpoint.clone(), settings.ca.clone());
        let sending = Sending { endpoint, ca, queue: waiting, metrics: metrics.clone() };
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
        let (mut exporter, mut is_refused) = (None, false);
        while let Some(first) = self.queue.recv().await {
            let batch = self.gather(*first).await;
            let count = batch.len() as u64;
            match self.export(&mut exporter, batch).await {
                Ok(()) => {
                    self.metrics.exported(count);
                    is_refused = false;
                }
                Err(error) => {
                    self.metrics.dropped(count);
                    // The next one reads the file of authorities anew.
                    exporter = None;
                    // Once is enough: the counter says how it goes on.
                    if !is_refused {
                        let endpoint = self.endpoint.as_str();
                        tracing::warn!(endpoint, error, "traces are not taken: they are dropped");
                    }
                    is_refused = true;
                }
            }
        }
    }

    async fn export(&self, made: &mut Option<OtlpExporter>, batch: Vec<SpanData>) -> Result<(), String> {
        let exporter = match made {
            Some(exporter) => exporter,
            None => made.insert(self.exporter()?),
        };
        match timeout(PATIENCE, exporter.export(batch)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("{error:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn exporter(&self) -> Result<OtlpExporter, String> {
        let mut builder =
            OtlpExporter::builder().with_tonic().with_endpoint(&self.endpoint).with_timeout(PATIENCE);
        if let Some(ca) = &self.ca {
            let pem = std::fs::read(ca).map_err(|error| format!("{}: {error}", ca.display()))?;
            let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
            builder = builder.with_tls_config(tls);
        }
        let mut exporter = builder.build().map_err(|error| error.to_string())?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("meshdns").with_attribute(version).build();
        exporter.set_resource(&resource);
        Ok(exporter)
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
