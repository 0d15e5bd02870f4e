//! What is logged, as an admin page: shown and changed while the server runs.
//!
//! Rules: for who asks from this machine, whatever the settings say of other pages: a log that says everything is slow and tells
//! names. Not kept over a restart.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::{Router, routing::get};
use serde_json::json;

use super::admin;
use crate::telemetry::log::Level;

/// The route `/log`: GET shows the filter, PUT with a filter as its body changes it. A bad one gets 400 and `{"error": …}`.
pub fn router(level: Level) -> Router {
    admin::always_local(Router::new().route("/log", get(show).put(change)).with_state(level))
}

async fn show(State(level): State<Level>) -> Response {
    Json(json!({ "filter": level.filter() })).into_response()
}

async fn change(State(level): State<Level>, filter: String) -> Response {
    let before = level.filter();
    match level.change(filter.trim()) {
        Ok(()) => {
            // Whatever the filter says, this is to be seen.
            tracing::error!(filter = filter.trim(), before, "log filter changed");
            show(State(level)).await
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))).into_response(),
    }
}
