//! What goes from the feeds to the keeper.

use tokio::sync::mpsc;

use crate::model::Change;
use crate::source::{Moment, SourceId, Update};

/// Nobody takes updates any more.
#[derive(Debug)]
pub(super) struct KeeperGone;

/// The way to the keeper.
#[derive(Clone, Debug)]
pub(super) struct Outlet(mpsc::Sender<Update>);

impl Outlet {
    pub(super) fn new(updates: mpsc::Sender<Update>) -> Self {
        Self(updates)
    }

    /// Sends what changed together; waits while the keeper has enough to do.
    pub(super) async fn send(
        &self,
        mut changes: Vec<Change>,
        moments: Vec<Moment>,
    ) -> Result<(), KeeperGone> {
        let change = match changes.len() {
            0 => return Ok(()),
            1 => changes.remove(0),
            _ => Change::Batch(changes),
        };
        let update = Update { moments, ..Update::new(SourceId::KUBERNETES, change) };
        self.0.send(update).await.map_err(|_| KeeperGone)
    }

    /// Everything has been said once.
    pub(super) async fn complete(&self) -> Result<(), KeeperGone> {
        self.0.send(Update::complete(SourceId::KUBERNETES)).await.map_err(|_| KeeperGone)
    }
}
