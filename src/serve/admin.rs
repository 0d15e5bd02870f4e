//! Admin HTTP: is it alive, is it ready, what does it count, which version is it.
//!
//! Rules: `/livez` says that this task answers and every worker gets something done, no more: a restart would not help a
//! source that is away. `/readyz` is 503 with one line for everything that is missing, and says besides what works in
//! part. Further pages (`/records`, `/explain`) are mounted by those who know them; they show every name, so they may be kept to
//! who asks from this machine. Connections are limited, and who does not send a request is closed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::{Router, routing::get};
use tonic::transport::Server;

use super::accept::Incoming;
use super::connection::Peer;
use super::liveness::Liveness;
use super::readiness::Readiness;
use super::stop::Stop;
use crate::telemetry::metrics::Metrics;

/// The OpenMetrics text format, version 1.0.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Shown {
    liveness: Liveness,
    readiness: Readiness,
    metrics: Arc<Metrics>,
}

/// All pages, `more` included.
pub fn router(liveness: Liveness, readiness: Readiness, metrics: Arc<Metrics>, more: Router) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_text))
        .route("/version", get(version))
        .with_state(Shown { liveness, readiness, metrics })
        .merge(more)
}

/// These pages for who asks from this machine. Not all of 127.0.0.0/8 counts: where a sidecar of Istio takes what comes to a pod, all
/// of it comes from 127.0.0.6 (`InboundPassthroughBindIpv4` in `pilot/pkg/networking/core/listener.go`).
pub fn local_only(pages: Router) -> Router {
    pages.layer(middleware::from_fn(|peer, request, next| {
        let error =
            "this page is shown to who asks from the machine or pod itself, unless listen.inspect is anywhere";
        turn_others_away(error, peer, request, next)
    }))
}

/// The same for pages that change something: no setting opens them to others.
pub(super) fn always_local(pages: Router) -> Router {
    pages.layer(middleware::from_fn(|peer, request, next| {
        turn_others_away("this page is for who asks from the machine or pod itself", peer, request, next)
    }))
}

async fn turn_others_away(
    error: &'static str,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    if peer.0.is_some_and(|peer| here.contains(&peer.ip().to_canonical())) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, Json(serde_json::json!({ "error": error }))).into_response()
}

/// Serves the pages until stopped; requests under way are finished.
pub async fn serve(incoming: Incoming, pages: Router, stop: Stop) -> Result<(), tonic::transport::Error> {
    // Of the servers at hand, this one has deadlines for HTTP/1 headers.
    Server::builder()
        .accept_http1(true)
        .serve_with_incoming_shutdown(pages, incoming, async move { stop.requested().await })
        .await
}

async fn live(State(shown): State<Shown>) -> Response {
    let silent = shown.liveness.silent();
    if silent.is_empty() {
        return "ok\n".into_response();
    }
    let line = |(worker, silence): &(usize, Duration)| {
        format!("worker {worker}: nothing done for {} s\n", silence.as_secs())
    };
    (StatusCode::SERVICE_UNAVAILABLE, silent.iter().map(line).collect::<String>()).into_response()
}

async fn ready(State(shown): State<Shown>) -> Response {
    let notes: String = shown.readiness.notes().iter().map(|note| format!("{note}\n")).collect();
    if shown.readiness.is_ready() {
        return format!("ok\n{notes}").into_response();
    }
    let mut lines = String::new();
    if shown.readiness.is_stopping() {
        lines.push_str("stopping\n");
    }
    for name in shown.readiness.missing() {
        lines.push_str(&name);
        lines.push('\n');
    }
    lines.push_str(&notes);
    (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
}

async fn metrics_text(State(shown): State<Shown>) -> Response {
    shown.metrics.set_ready(shown.readiness.is_ready());
    ([(header::CONTENT_TYPE, OPEN_METRICS)], shown.metrics.text()).into_response()
}

async fn version() -> Json<serde_json::Value> {
    Json(serde_json::json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("MESHDNS_COMMIT"),
    }))
}
