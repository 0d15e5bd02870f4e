//! The query log: a line for each query that is told about.
//!
//! Rules: the fields are part of the interface (`docs/logging.md`). Names are escaped as in zone files, so that a line stays a
//! line whatever was asked.

use super::metrics::origin_label;
use super::witness::Told;

/// Writes the line of a query.
pub(super) fn write(told: &Told) {
    tracing::info!(
        target: "meshdns::query",
        query = %told.id,
        listener = told.listener.as_str(),
        client = told.peer.map(tracing::field::display),
        name = told.question.as_ref().map(|(name, _)| name.as_str()),
        r#type = told.type_name(),
        rcode = told.rcode.as_str(),
        ttl = told.ttl,
        duration_seconds = told.took.as_secs_f64(),
        source = origin_label(told.facts.origin),
        object = told.object.as_deref(),
        reason = told.reason.as_deref(),
        "query"
    );
}
