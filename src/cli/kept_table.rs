//! The name table of istiod that the ledger's file keeps over restarts.

use std::time::SystemTime;

use meshdns::source::istiod::{IstiodSettings, Kept, Status};
use meshdns::store::{FileStore, NameTables};
use tokio::sync::{oneshot, watch};

/// A source of istiod that waits for the table of an earlier run before it connects.
pub(super) struct Waiting {
    settings: IstiodSettings,
    status: watch::Receiver<Status>,
    given: oneshot::Sender<Option<Kept>>,
}

impl Waiting {
    /// For a source with these settings that stands so, and what it has to wait for.
    pub(super) fn new(
        settings: IstiodSettings,
        status: watch::Receiver<Status>,
    ) -> (Self, oneshot::Receiver<Option<Kept>>) {
        let (given, waited) = oneshot::channel();
        (Self { settings, status, given }, waited)
    }

    /// Gives it the table that the store has, if that may be used. Returns what the store has to keep from now on.
    pub(super) async fn give(self, store: &mut FileStore) -> NameTables {
        let Self { settings, status, given } = self;
        let (kept, tables) = if settings.keep.is_zero() {
            (None, NameTables::none())
        } else {
            let kept = usable(&settings, store).await;
            (kept.clone(), NameTables::new(status, settings.view(), kept))
        };
        // If the source is gone, so is the process soon.
        let _ = given.send(kept);
        tables
    }
}

async fn usable(settings: &IstiodSettings, store: &mut FileStore) -> Option<Kept> {
    let kept = match store.name_table().await {
        Ok(kept) => kept?,
        Err(error) => {
            tracing::warn!(source = "istiod", %error, "the name table of an earlier run is not used");
            return None;
        }
    };
    match kept.check(settings, SystemTime::now()) {
        Ok(()) => Some(kept),
        Err(cause) => {
            tracing::warn!(source = "istiod", %cause, "the name table of an earlier run is not used");
            None
        }
    }
}
