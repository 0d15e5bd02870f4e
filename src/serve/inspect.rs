//! What people ask a running server about its answers, on the admin listener.
//!
//! Both cost up to what the catalog costs, so they run beside the threads that answer queries. The shapes are those of
//! `report`.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use crate::catalog::Catalog;
use crate::report::{self, Filter, ParityReport, Question};
use crate::source::Report;

/// What the handlers need.
#[derive(Clone)]
struct Inspected {
    catalog: Arc<Catalog>,
    reports: watch::Receiver<Report>,
}

/// Parameters of a query, in order; one may stand several times.
type Parameters = Query<Vec<(String, String)>>;

/// The routes `/explain?name=&type=`, `/records?zone=&object=`, `/conflicts` and `/parity`. Bad parameters get 400 and `{"error": …}`.
pub fn router(catalog: Arc<Catalog>, reports: watch::Receiver<Report>) -> Router {
    Router::new()
        .route("/explain", get(explain))
        .route("/records", get(records))
        .route("/conflicts", get(conflicts))
        .route("/parity", get(parity))
        .with_state(Inspected { catalog, reports })
}

async fn explain(State(inspected): State<Inspected>, Query(parameters): Parameters) -> Response {
    let Some(name) = first(&parameters, "name") else {
        return refused("the parameter `name` is missing: /explain?name=web.shop.svc.cluster.local&type=A");
    };
    let question = match Question::parse(name, first(&parameters, "type")) {
        Ok(question) => question,
        Err(error) => return refused(&error),
    };
    aside(move || {
        let defects = inspected.reports.borrow().defects.clone();
        report::explain(&inspected.catalog, &defects, &question)
    })
    .await
}

async fn records(State(inspected): State<Inspected>, Query(parameters): Parameters) -> Response {
    let zones: Vec<&str> = all(&parameters, "zone").collect();
    match Filter::parse(&zones, first(&parameters, "object")) {
        Ok(filter) => aside(move || report::records(&inspected.catalog, &filter)).await,
        Err(error) => refused(&error),
    }
}

async fn conflicts(State(inspected): State<Inspected>) -> Response {
    aside(move || report::conflicts(&inspected.catalog)).await
}

async fn parity(State(inspected): State<Inspected>) -> Response {
    aside(move || ParityReport::of(&inspected.catalog)).await
}

/// The values of a parameter, empty ones left out.
fn all<'p>(parameters: &'p [(String, String)], key: &'p str) -> impl Iterator<Item = &'p str> {
    let given = parameters.iter().filter(move |(name, value)| name == key && !value.is_empty());
    given.map(|(_, value)| value.as_str())
}

fn first<'p>(parameters: &'p [(String, String)], key: &'p str) -> Option<&'p str> {
    all(parameters, key).next()
}

/// Runs work on a thread of its own and sends its result.
async fn aside<T: Serialize + Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(found) => Json(found).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refused(error: &(impl ToString + ?Sized)) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))).into_response()
}
