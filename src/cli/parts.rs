//! What the server runs besides its listeners: the manifests, the keeper, and the report of both as metrics.

use std::future::pending;
use std::sync::Arc;

use meshdns::catalog::Catalog;
use meshdns::config::Settings;
use meshdns::keeper::{Keeper, keep};
use meshdns::run::{Parts, Task};
use meshdns::serve::{Readiness, inspect};
use meshdns::source::{Report, SourceId, Update, manifests};
use meshdns::telemetry::metrics::{Metrics, SourceMetrics};
use tokio::sync::{mpsc, watch};

/// Updates that wait for the keeper; the source waits when there are more.
const WAITING_UPDATES: usize = 64;

/// Builds and connects them.
pub(super) fn parts(settings: &Settings) -> Parts {
    let catalog = Arc::new(Catalog::new(settings.policy()));
    let (readiness, metrics) = (Readiness::new(), Arc::new(Metrics::new()));
    let (updates, incoming) = mpsc::channel::<Update>(WAITING_UPDATES);
    let (report, reports) = watch::channel(Report::default());
    let mut listed = Some(readiness.handle("manifests"));
    let keeper = Keeper::with_allocator(Arc::clone(&catalog), settings.allocator());
    let keeping = keep(incoming, keeper, move |source| {
        if source == SourceId::MANIFESTS
            && let Some(handle) = listed.take()
        {
            handle.release();
        }
    });
    let reading = manifests::run(settings.sources.manifests.clone(), updates, report, pending());
    let counting = count(reports.clone(), Arc::clone(&metrics));
    let tasks = vec![task("keeper", keeping), task("manifests", reading), task("source metrics", counting)];
    let pages = inspect::router(Arc::clone(&catalog), reports);
    Parts { catalog, readiness, metrics, pages, tasks }
}

fn task(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Task {
    let future = Box::pin(async move {
        work.await;
        Ok(())
    });
    Task { name, future }
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
