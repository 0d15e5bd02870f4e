//! Annotations that ask for a TTL out of bounds, told in the log.

use meshdns::keeper::{Question, Questions};
use tokio::sync::oneshot;

/// So many are told one by one; `meshdns check` tells all.
const TOLD: usize = 10;

/// Tells those that are refused now. Returns when the keeper has answered, or is gone.
pub(super) async fn tell(keeper: &Questions) {
    let (answer, answered) = oneshot::channel();
    if keeper.send(Question::RefusedTtls(answer)).await.is_err() {
        return;
    }
    let refused = answered.await.unwrap_or_default();
    for defect in refused.iter().take(TOLD) {
        tracing::warn!(%defect, "an annotation out of bounds counts as left out");
    }
    if let Some(more) = refused.len().checked_sub(TOLD).filter(|more| *more > 0) {
        tracing::warn!(more, "annotations out of bounds count as left out, with values like these");
    }
}
