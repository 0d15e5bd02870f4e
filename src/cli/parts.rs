//! What the server runs besides its listeners: the manifests, the keeper with its ledger, and the report of both as
//! metrics.

use std::collections::BTreeSet;
use std::future::pending;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use meshdns::catalog::Catalog;
use meshdns::config::Settings;
use meshdns::keeper::{Keeper, keep};
use meshdns::run::{Parts, Task};
use meshdns::serve::{Readiness, ReadinessHandle, inspect};
use meshdns::source::{Report, SourceId, Update, manifests};
use meshdns::store::{FileStore, Journal, Store, load, unix_seconds};
use meshdns::telemetry::metrics::{Metrics, SourceMetrics};
use tokio::sync::{mpsc, watch};

use super::ledger_file;

/// Updates that wait for the keeper; the source waits when there are more.
const WAITING_UPDATES: usize = 64;

/// Builds and connects them.
pub(super) fn parts(settings: &Settings) -> Result<Parts> {
    let catalog = Arc::new(Catalog::new(settings.policy()));
    let (readiness, metrics) = (Readiness::new(), Arc::new(Metrics::new()));
    let (updates, incoming) = mpsc::channel::<Update>(WAITING_UPDATES);
    let (report, reports) = watch::channel(Report::default());
    let mut listed = Some(readiness.handle("manifests"));
    let listed = move |source| {
        if source == SourceId::MANIFESTS
            && let Some(handle) = listed.take()
        {
            handle.release();
        }
    };
    let (keeping, requests) = match ledger_file::to_write(settings)? {
        Some(file) => {
            let (requests, asked) = Journal::requests();
            let ledger = Ledger {
                settings: settings.clone(),
                handle: readiness.handle(LEDGER),
                readiness: readiness.clone(),
                metrics: Arc::clone(&metrics),
            };
            let keeping = ledger.keep(file, Arc::clone(&catalog), incoming, asked, listed);
            (task("keeper", keeping), Some(requests))
        }
        None => {
            let allocator = settings.allocator(NonZeroU32::MIN, unix_seconds(), Vec::new());
            let keeper = Keeper::with_allocator(Arc::clone(&catalog), allocator);
            (task("keeper", keep(incoming, keeper, Journal::none(), listed)), None)
        }
    };
    let reading = manifests::run(settings.sources.manifests.clone(), updates, report, pending());
    let counting = count(reports.clone(), Arc::clone(&metrics));
    let tasks = vec![keeping, task("manifests", reading), task("source metrics", counting)];
    let pages = inspect::router(Arc::clone(&catalog), reports, requests);
    Ok(Parts { catalog, readiness, metrics, pages, tasks })
}

fn task(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Task {
    let future = Box::pin(async move {
        work.await;
        Ok(())
    });
    Task { name, future }
}

/// What readiness calls the ledger.
const LEDGER: &str = "ledger";

/// What the keeper needs to begin with what the ledger remembers.
struct Ledger {
    settings: Settings,
    handle: ReadinessHandle,
    readiness: Readiness,
    metrics: Arc<Metrics>,
}

impl Ledger {
    /// Reads the ledger, however long that takes, and keeps from then on. Until then nothing is answered.
    async fn keep(
        self,
        file: PathBuf,
        catalog: Arc<Catalog>,
        updates: mpsc::Receiver<Update>,
        asked: mpsc::Receiver<tokio::sync::oneshot::Sender<meshdns::allocate::ledger::Listing>>,
        listed: impl FnMut(SourceId) + Send,
    ) {
        let Self { settings, handle, readiness, metrics } = self;
        let mut store = FileStore::new(file.clone());
        let mut handle = Some(handle);
        let mut told = String::new();
        let rows = load(&mut store, |error| {
            let error = error.to_string();
            if error == told {
                return;
            }
            tracing::error!(error, "the ledger cannot be read; not ready until it can");
            // The new condition stands before the old one goes: it is never ready in between.
            let explained = readiness.handle(format!("{LEDGER}: {error}"));
            handle.replace(explained).into_iter().for_each(ReadinessHandle::release);
            told = error;
        })
        .await;
        tracing::info!(file = %file.display(), hosts = rows.len(), "ledger read");
        let allocator = settings.allocator(store.slices(), unix_seconds(), rows);
        let keeper = Keeper::with_allocator(catalog, allocator);
        let sources = BTreeSet::from([SourceId::MANIFESTS]);
        let (journal, writing) = Journal::connect(store, sources, asked, metrics.ledger().clone());
        handle.into_iter().for_each(ReadinessHandle::release);
        tokio::join!(writing, keep(updates, keeper, journal, listed));
    }
}

/// Keeps the metrics of sources equal to their report.
async fn count(mut reports: watch::Receiver<Report>, metrics: Arc<Metrics>) {
    loop {
        show(&reports.borrow_and_update(), metrics.sources());
        if reports.changed().await.is_err() {
            return;
        }
    }
}

fn show(report: &Report, metrics: &SourceMetrics) {
    metrics.set_objects(&report.objects);
    metrics.set_skipped(report.skipped.values().sum());
    metrics.set_defects(report.defects.len() as u64);
    metrics.set_reloads(report.reloads);
}
