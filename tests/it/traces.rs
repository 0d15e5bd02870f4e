//! Traces, as a collector gets them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio::sync::{Semaphore, mpsc};
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

use crate::support::certificates::Authority;
use crate::support::dig::dig;
use crate::support::process::{Meshdns, free_address, written};

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
";

/// Passes on what it gets, once it may.
struct Collector {
    got: mpsc::UnboundedSender<ExportTraceServiceRequest>,
    may: Arc<Semaphore>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.may.acquire().await.unwrap().forget();
        self.got.send(request.into_inner()).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Where it listens, and what it gets.
fn collector(may: Arc<Semaphore>) -> (String, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let (address, receiver) = collecting(may, Server::builder());
    (format!("http://{address}"), receiver)
}

fn collecting(
    may: Arc<Semaphore>,
    mut server: Server,
) -> (SocketAddr, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let (address, (got, receiver)) = (free_address(), mpsc::unbounded_channel());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let service = TraceServiceServer::new(Collector { got, may });
        runtime.block_on(server.add_service(service).serve(address)).unwrap();
    });
    (address, receiver)
}

fn start(endpoint: &str, ratio: &str) -> Meshdns {
    start_with(&format!("endpoint: '{endpoint}', ratio: {ratio}"))
}

fn start_with(traces: &str) -> Meshdns {
    let manifests = written("objects.yaml", OBJECTS).display().to_string();
    Meshdns::start(&format!(
        "zones: [cluster.local]\nsources: {{manifests: ['{manifests}']}}\n\
         telemetry: {{traces: {{{traces}}}, queryLog: {{successes: 1}}}}\n"
    ))
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &AnyValue| match value.value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref().unwrap()))).collect()
}

#[test]
fn a_collector_gets_a_span_for_each_query() {
    let (endpoint, mut got) = collector(Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)));
    let mut server = start(&endpoint, "1");
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    dig(server.dns, ["www.example.org", "AAAA"]);
    let mut spans: Vec<Span> = Vec::new();
    while spans.len() < 2 {
        let request = got.blocking_recv().unwrap();
        for resource in request.resource_spans {
            let service = texts(&resource.resource.unwrap().attributes);
            assert_eq!(service["service.name"], "meshdns");
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    let by_name = |name: &str| {
        let span = spans.iter().find(|span| texts(&span.attributes)["dns.question.name"] == name).unwrap();
        (span, texts(&span.attributes))
    };
    let (span, found) = by_name("web.shop.svc.cluster.local.");
    for (key, value) in [
        ("dns.question.type", "A"),
        ("dns.response_code", "NOERROR"),
        ("client.address", "127.0.0.1"),
        ("meshdns.listener", "udp"),
        ("meshdns.zone", "cluster"),
        ("meshdns.source", "kubernetes"),
        ("meshdns.object", "Service shop/web"),
        ("meshdns.ttl", "5"),
    ] {
        assert_eq!(found[key], value, "{key}: {found:?}");
    }
    assert_eq!((span.name.as_str(), span.trace_id.len(), span.parent_span_id.len()), ("dns query", 16, 0));
    let took = span.end_time_unix_nano - span.start_time_unix_nano;
    assert!((1..1_000_000_000).contains(&took), "{took}");
    // The log has the same id, and it is that of the span.
    let id: String = span.span_id.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(found["meshdns.query"], id);
    server.wait_for_log(&format!("\"query\":\"{id}\""));
    let (span, found) = by_name("www.example.org.");
    assert_eq!((&*found["dns.response_code"], &*found["meshdns.zone"]), ("REFUSED", "none"));
    assert!(found["meshdns.reason"].contains("no configured zone takes the name"), "{found:?}");
    assert_ne!(span.status.clone().unwrap_or_default().code, StatusCode::Error as i32);
    server.wait_until("counted", |metrics| metrics.sample("meshdns_trace_spans_exported_total") == 2);
}

#[test]
fn a_collector_that_is_away_costs_spans_and_no_answer() {
    let mut server = start(&format!("http://{}", free_address()), "1");
    for _ in 0..20 {
        assert_eq!(dig(server.dns, ["web.shop.svc.cluster.local", "A"]).status, "NOERROR");
    }
    server.wait_until("dropped", |metrics| metrics.sample("meshdns_trace_spans_dropped_total") == 20);
    server.wait_for_log("traces are not taken: they are dropped");
    assert_eq!(server.logged("traces are not taken"), 1);
}

#[test]
fn a_collector_that_does_not_answer_is_not_waited_for() {
    let may = Arc::new(Semaphore::new(0));
    let (endpoint, mut got) = collector(Arc::clone(&may));
    let mut server = start(&endpoint, "1.0");
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    server.wait_until("given up", |metrics| metrics.sample("meshdns_trace_spans_dropped_total") == 1);
    may.add_permits(10);
    dig(server.dns, ["www.example.org", "A"]);
    while got.blocking_recv().unwrap().resource_spans.is_empty() {}
    server.wait_until("taken", |metrics| metrics.sample("meshdns_trace_spans_exported_total") > 0);
}

#[test]
fn a_collector_with_tls_is_asked_if_its_authority_is_the_right_one() {
    let (authority, other) = (Authority::new("collectors"), Authority::new("others"));
    let pair = authority.pair("localhost");
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(pair.certificate, pair.key));
    let may = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
    let (address, mut got) = collecting(may, Server::builder().tls_config(tls).unwrap());
    let ca = written("ca.pem", &other.pem);
    let endpoint = format!("https://localhost:{}", address.port());
    let mut server = start_with(&format!("endpoint: '{endpoint}', ca: '{}', ratio: 1", ca.display()));
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    server.wait_until("refused", |metrics| metrics.sample("meshdns_trace_spans_dropped_total") == 1);
    server.wait_for_log("traces are not taken: they are dropped");
    // The file is read again.
    std::fs::remove_file(&ca).unwrap();
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    server.wait_until("no file", |metrics| metrics.sample("meshdns_trace_spans_dropped_total") == 2);
    std::fs::write(&ca, authority.pem).unwrap();
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    server.wait_until("taken", |metrics| metrics.sample("meshdns_trace_spans_exported_total") == 1);
    assert!(!got.blocking_recv().unwrap().resource_spans.is_empty());
}
