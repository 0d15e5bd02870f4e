//! Hearing what other replicas write.
//!
//! Rules: a watch goes on where a list ended, and a list follows each watch: versions of a server that lost its data begin
//! anew. A watch that says nothing for longer than bookmarks take is cut off. Without the permission to watch,
//! everything is listed again and again.

use std::sync::Arc;
use std::time::Duration;

use kube::api::WatchEvent;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;

use super::object;
use super::requests::Requests;
use super::settings::Verb;
use super::{Shared, health::Health};
use crate::apiserver::ApiError;
use crate::random::random;

/// A watch says something within this time: an API server sends a bookmark about every minute (Kubernetes
/// `bookmarkFrequency`).
const SILENCE: Duration = Duration::from_secs(100);
/// From one list to the next without watches.
const POLL: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often permissions are looked at: all the time while one is missing.
const REVIEW: Duration = Duration::from_secs(300);
const REVIEW_MISSING: Duration = Duration::from_secs(10);

/// Follows the shards from this version on, for ever.
pub(super) async fn follow(requests: Requests, shared: Arc<Shared>, mut version: Option<String>) {
    let mut pause = FIRST_PAUSE;
    let mut current = true;
    loop {
        let heard = if current {
            watch(&requests, &shared, &mut version).await
        } else {
            list(&requests, &shared, &mut version).await
        };
        match heard {
            Ok(()) => {
                if current {
                    // Servers that end watches at once are not asked without end.
                    sleep(FIRST_PAUSE).await;
                }
                current = !current;
                pause = FIRST_PAUSE;
                shared.health(|health| health.deaf = None);
            }
            Err(ApiError::Forbidden { .. }) if current => {
                shared.lacks(Verb::Watch);
                sleep(POLL).await;
                current = false;
            }
            // The next list brings everything.
            Err(ApiError::Expired(_)) if current => current = false,
            Err(error) => {
                tracing::warn!(%error, "the shards of the ledger are not heard of");
                shared.health(|health| health.deaf = Some(error.to_string()));
                let part = f64::from(random()) / f64::from(u32::MAX);
                sleep(pause.mul_f64(0.5 + part / 2.0)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                current = false;
            }
        }
    }
}

async fn list(requests: &Requests, shared: &Shared, version: &mut Option<String>) -> Result<(), ApiError> {
    let asked = shared.known().now();
    let (objects, now) = requests.all().await?;
    shared.hear(|known| known.hear_all(&objects, asked));
    *version = now;
    Ok(())
}

/// One watch, to its end.
async fn watch(requests: &Requests, shared: &Shared, version: &mut Option<String>) -> Result<(), ApiError> {
    let mut events = Box::pin(requests.watch(version.as_deref().unwrap_or_default()).await?);
    loop {
        let next = timeout(SILENCE, events.next()).await;
        let Some(event) = next.map_err(|_| ApiError::Silent(SILENCE.as_secs()))? else { return Ok(()) };
        let (object, deleted) = match event? {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
            WatchEvent::Deleted(object) => (object, true),
            WatchEvent::Bookmark(bookmark) => {
                *version = Some(bookmark.metadata.resource_version);
                continue;
            }
            WatchEvent::Error(status) => {
                let rule = || Verb::Watch.rule(requests.namespace());
                return Err(ApiError::of_status(&status, rule));
            }
        };
        if version.is_some() || object.metadata.resource_version.is_some() {
            version.clone_from(&object.metadata.resource_version);
        }
        let (name, shards) = requests.ledger();
        let Some(number) = object::number(&object, name, shards) else { continue };
        shared.hear(|known| match deleted {
            true => known.hear_deleted(number, &object),
            false => known.hear(number, &object),
        });
    }
}

/// Looks at what we may do, again and again.
pub(super) async fn review(requests: Requests, shared: Arc<Shared>) {
    loop {
        let lacking = !shared.health.borrow().missing.is_empty();
        sleep(if lacking { REVIEW_MISSING } else { REVIEW }).await;
        // Without an answer, what was known counts.
        if let Ok(missing) = requests.missing().await {
            shared.health(|health: &mut Health| health.missing = missing.into_iter().collect());
        }
    }
}
