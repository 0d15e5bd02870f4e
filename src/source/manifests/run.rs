//! The running source: everything at first, then each change as one batch.
//!
//! Changes are found by looking at the fingerprints of all files several times a second. Notifications of the
//! kernel (inotify) would be cheaper, but they miss what matters here: the swap of a mounted ConfigMap happens in
//! a hidden directory, and changes made by others on network and FUSE file systems raise none.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, spawn_blocking};

use super::load::Manifests;
use crate::model::{Change, Defect};
use crate::source::{Report, SourceId, Update};

/// Pause between two looks.
const INTERVAL: Duration = Duration::from_millis(250);
/// A pause lasts at least so many times as long as the look before it, so that a huge tree takes 5% of a core.
const PAUSE_PER_LOOK: u32 = 19;

/// Reads `paths`, sends everything as a replacement, and from then on each change within about a second, until
/// `stop` is done or nobody takes updates any more. A path that does not exist is picked up when it appears.
pub async fn run(
    paths: Vec<PathBuf>,
    updates: mpsc::Sender<Update>,
    report: watch::Sender<Report>,
    stop: impl Future<Output = ()>,
) {
    tokio::select! {
        () = stop => {}
        () = follow(paths, &updates, &report) => {}
    }
}

async fn follow(paths: Vec<PathBuf>, updates: &mpsc::Sender<Update>, report: &watch::Sender<Report>) {
    let first = spawn_blocking(move || {
        let mut manifests = Manifests::new(paths);
        let objects = manifests.first();
        (manifests, objects)
    });
    let Some((mut manifests, objects)) = finished(first.await) else { return };
    if send(updates, Change::Replace(objects)).await.is_err() {
        return;
    }
    publish(report, manifests.report());
    let mut pause = INTERVAL;
    loop {
        tokio::time::sleep(pause).await;
        let next = spawn_blocking(move || {
            let look = manifests.look();
            (manifests, look)
        });
        let look;
        (manifests, look) = match finished(next.await) {
            Some(both) => both,
            None => return,
        };
        if !look.changes.is_empty() && send(updates, Change::Batch(look.changes)).await.is_err() {
            return;
        }
        if look.reported {
            publish(report, manifests.report());
        }
        pause = INTERVAL.max(look.took * PAUSE_PER_LOOK);
    }
}

/// What a task on another thread returned; nothing when the runtime ends. A panic goes on here.
fn finished<T>(joined: Result<T, JoinError>) -> Option<T> {
    match joined {
        Ok(value) => Some(value),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}

async fn send(updates: &mpsc::Sender<Update>, change: Change) -> Result<(), mpsc::error::SendError<Update>> {
    updates.send(Update::new(SourceId::MANIFESTS, change)).await
}

/// Publishes a report, and logs the defects that the last one did not have.
fn publish(report: &watch::Sender<Report>, new: Report) {
    let old = report.send_replace(new);
    let new = report.borrow();
    let known: BTreeSet<&Defect> = old.defects.iter().collect();
    for defect in new.defects.iter().filter(|defect| !known.contains(defect)) {
        tracing::warn!(source = "manifests", %defect, "manifest used in part");
    }
    tracing::info!(
        source = "manifests",
        objects = new.objects.values().sum::<u64>(),
        defects = new.defects.len(),
        "manifests read"
    );
}
