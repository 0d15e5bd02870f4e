//! What people ask a running server about its answers, on the admin listener.
//!
//! Both cost up to what the catalog costs, so they run beside the threads that answer queries. The shapes are those of
//! `report`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{oneshot, watch};

use crate::allocate::ledger::Listing;
use crate::catalog::Catalog;
use crate::keeper::{Question as ToKeeper, Questions};
use crate::report::{self, Filter, ParityReport, Question, ReportedLedger};
use crate::source::Report;
use crate::telemetry::witness::{QueryId, Recent};

/// What the handlers need.
#[derive(Clone)]
struct Inspected {
    catalog: Arc<Catalog>,
    reports: watch::Receiver<Report>,
    ledger: Option<Questions>,
    recent: Arc<Recent>,
}

impl Inspected {
    /// What a query asked that was told about.
    fn asked(&self, id: &str) -> Option<Question> {
        let (name, kind) = self.recent.question(QueryId::parse(id)?)?;
        Some(Question { name, kind })
    }

    /// What the ledger has; none when there is no ledger, or it is not read yet.
    async fn ledger(&self) -> Option<Listing> {
        let (answer, answered) = oneshot::channel();
        self.ledger.as_ref()?.try_send(ToKeeper::Ledger(answer)).ok()?;
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }
}

/// How long the keeper may take to say what the ledger has; it does not answer before the ledger is read.
const PATIENCE: Duration = Duration::from_secs(2);

/// Parameters of a query, in order; one may stand several times.
type Parameters = Query<Vec<(String, String)>>;

/// The routes `/explain?name=&type=`, `/explain?query=` (the id of a line of the query log), `/records?zone=&object=`, `/records?ledger=true` `/conflicts` and `/parity`. Bad
/// parameters get 400 and `{"error": …}`.
pub fn router(
    catalog: Arc<Catalog>,
    reports: watch::Receiver<Report>,
    ledger: Option<Questions>,
    recent: Arc<Recent>,
) -> Router {
    Router::new()
        .route("/explain", get(explain))
        .route("/records", get(records))
        .route("/conflicts", get(conflicts))
        .route("/parity", get(parity))
        .with_state(Inspected { catalog, reports, ledger, recent })
}

async fn explain(State(inspected): State<Inspected>, Query(parameters): Parameters) -> Response {
    let question = match (first(&parameters, "query"), first(&parameters, "name")) {
        (Some(id), _) => match inspected.asked(id) {
            Some(question) => question,
            None => return unknown(&format!("`{id}` is none of the last queries that were told about")),
        },
        (None, Some(name)) => match Question::parse(name, first(&parameters, "type")) {
            Ok(question) => question,
            Err(error) => return refused(&error),
        },
        (None, None) => {
            return refused(
                "the parameter `name` is missing: /explain?name=web.shop.svc.cluster.local&type=A",
            );
        }
    };
    let of_ledger = inspected.ledger().await.unwrap_or_default().defects;
    aside(move || {
        let mut defects = inspected.reports.borrow().defects.clone();
        defects.extend(of_ledger);
        report::explain(&inspected.catalog, &defects, &question)
    })
    .await
}

async fn records(State(inspected): State<Inspected>, Query(parameters): Parameters) -> Response {
    match first(&parameters, "ledger") {
        None | Some("false") => {}
        Some("true") => return ledger(&inspected).await,
        Some(other) => {
            return refused(&format!("the parameter `ledger` is `{other}`: true or false is expected"));
        }
    }
    let zones: Vec<&str> = all(&parameters, "zone").collect();
    match Filter::parse(&zones, first(&parameters, "object")) {
        Ok(filter) => aside(move || report::records(&inspected.catalog, &filter)).await,
        Err(error) => refused(&error),
    }
}

async fn ledger(inspected: &Inspected) -> Response {
    if inspected.ledger.is_none() {
        return refused("there is no ledger (serviceEntries.ledger)");
    }
    match inspected.ledger().await {
        Some(listing) => Json(ReportedLedger::of(&listing)).into_response(),
        None => {
            let error = json!({ "error": "the ledger is not read yet; /readyz says why" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(error)).into_response()
        }
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

fn unknown(error: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

fn refused(error: &(impl ToString + ?Sized)) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))).into_response()
}
