//! A lookup under way, held by those who wait for it.

use std::sync::{Arc, Weak};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::Chaser;
use crate::wire::ChaseKey;

/// The upstream's message, if there is one.
pub(super) type Answer = Option<Arc<[u8]>>;

/// A lookup; when the last one who waits drops it, it ends.
#[derive(Debug)]
pub(super) struct Flight {
    chaser: Weak<Chaser>,
    key: ChaseKey,
    number: u64,
    answer: watch::Receiver<Option<Answer>>,
    task: AbortHandle,
}

impl Flight {
    pub(super) fn new(
        chaser: &Arc<Chaser>,
        key: ChaseKey,
        number: u64,
        answer: watch::Receiver<Option<Answer>>,
        task: AbortHandle,
    ) -> Self {
        Self { chaser: Arc::downgrade(chaser), key, number, answer, task }
    }

    /// Waits for its end. A lookup that was torn down with its runtime has no answer.
    pub(super) async fn landed(&self) -> Answer {
        let mut answer = self.answer.clone();
        answer.wait_for(Option::is_some).await.ok()?.clone().flatten()
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(chaser) = self.chaser.upgrade() {
            chaser.forget(&self.key, self.number);
        }
    }
}
