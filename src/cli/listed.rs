//! What an API server has now, for commands that look once.

use std::future::pending;
use std::time::Duration;

use anyhow::{Result, anyhow};
use meshdns::keeper::Keeper;
use meshdns::source::kubernetes::{self, KubernetesSource, Status};
use meshdns::source::{Report, Update};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// How long everything may take: a list of 100,000 services is a matter of seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may be away, in which time it is asked several times.
const PATIENCE_WHILE_AWAY: Duration = Duration::from_secs(5);
/// Updates that wait for the keeper.
const WAITING: usize = 16;

/// Lists everything that the source watches into the keeper, and reports on it.
pub(super) fn list_into(keeper: &mut Keeper, source: KubernetesSource) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (updates, mut incoming) = mpsc::channel::<Update>(WAITING);
        let (status, told) = watch::channel(Status::default());
        let taken = async {
            while let Some(update) = incoming.recv().await {
                keeper.apply(update.source.0, update.change);
                if update.complete {
                    return true;
                }
            }
            false
        };
        let complete = tokio::select! {
            () = kubernetes::run(source, Vec::new(), updates, status, pending()) => false,
            complete = taken => complete,
            () = too_long(&told) => false,
        };
        let status = told.borrow();
        if complete { Ok(status.report()) } else { Err(anyhow!("the API server: {}", status.waits_for())) }
    })
}

async fn too_long(status: &watch::Receiver<Status>) {
    sleep(PATIENCE_WHILE_AWAY).await;
    if !status.borrow().is_away() {
        sleep(PATIENCE - PATIENCE_WHILE_AWAY).await;
    }
}
