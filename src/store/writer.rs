//! The task that waits for the store, so that nobody else has to.
//!
//! It takes one batch of claims after the other. A batch that cannot be stored is tried again, with longer and longer pauses
//! and as it is: what was claimed since then comes behind it, in its order. Between batches it keeps name tables; one
//! that cannot be kept holds up nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{NameTables, Store, StoreError};
use crate::allocate::{Claim, HostKey, Outcome, Row, Settled};
use crate::telemetry::metrics::LedgerMetrics;

/// Pause after a first failure; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What the writer has to say.
#[derive(Debug)]
pub(super) enum News {
    /// A batch is done.
    Settled(Vec<Settled>),
    /// Other writers did this.
    Learned(Vec<Settled>),
    /// A batch failed for the first time, and is tried again.
    Failing,
}

/// Reads the store, again and again until that succeeds. `failed` is told of every failure.
pub async fn load<S: Store>(store: &mut S, mut failed: impl FnMut(&StoreError)) -> Vec<(HostKey, Row)> {
    let mut pause = FIRST_PAUSE;
    loop {
        match store.load().await {
            Ok(rows) => return rows,
            Err(error) => failed(&error),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What writes to a store.
#[derive(Debug)]
pub struct Writer<S> {
    pub(super) store: S,
    pub(super) batches: mpsc::Receiver<Vec<Claim>>,
    pub(super) news: mpsc::Sender<News>,
    pub(super) metrics: LedgerMetrics,
    pub(super) tables: NameTables,
}

impl<S: Store> Writer<S> {
    /// Keeps these name tables too.
    #[must_use]
    pub fn keeping(self, tables: NameTables) -> Self {
        Self { tables, ..self }
    }

    /// Stores batches until nobody sends any.
    pub async fn run(self) {
        let Self { mut store, mut batches, news, metrics, mut tables } = self;
        loop {
            let told = tokio::select! {
                batch = batches.recv() => match batch {
                    None => return,
                    Some(claims) => News::Settled(settle(&mut store, claims, &news, &metrics).await),
                },
                changes = store.changes() => News::Learned(changes),
                kept = tables.next() => {
                    let begin = Instant::now();
                    let result = store.keep(kept.clone()).await;
                    metrics.committed(begin.elapsed(), result.is_ok());
                    tables.tried(kept, result);
                    continue;
                }
            };
            if news.send(told).await.is_err() {
                return;
            }
        }
    }
}

async fn settle<S: Store>(
    store: &mut S,
    claims: Vec<Claim>,
    news: &mpsc::Sender<News>,
    metrics: &LedgerMetrics,
) -> Vec<Settled> {
    let claims: Arc<[Claim]> = claims.into();
    let outcomes = commit(store, &claims, news, metrics).await;
    let settled = claims.iter().cloned().zip(outcomes);
    settled.map(|(claim, outcome)| Settled { claim, outcome }).collect()
}

async fn commit<S: Store>(
    store: &mut S,
    claims: &Arc<[Claim]>,
    news: &mpsc::Sender<News>,
    metrics: &LedgerMetrics,
) -> Vec<Outcome> {
    let mut pause = FIRST_PAUSE;
    let mut failing = false;
    loop {
        let begin = Instant::now();
        let result = store.commit(Arc::clone(claims)).await;
        metrics.committed(begin.elapsed(), result.is_ok());
        match result {
            Ok(outcomes) => {
                if failing {
                    tracing::info!(hosts = claims.len(), "addresses can be stored again");
                }
                return outcomes;
            }
            Err(error) => tracing::error!(%error, hosts = claims.len(), "addresses are not stored"),
        }
        if !std::mem::replace(&mut failing, true) {
            // Whoever does not listen any more needs no news.
            let _ = news.send(News::Failing).await;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
