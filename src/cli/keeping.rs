//! The keeper that begins with what the ledger remembers.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use meshdns::catalog::Catalog;
use meshdns::config::Settings;
use meshdns::keeper::{Inbox, Keeper, Observer, keep};
use meshdns::serve::{Readiness, ReadinessHandle};
use meshdns::source::SourceId;
use meshdns::store::{FileStore, Journal, NameTables, Store, load, unix_seconds};
use meshdns::telemetry::metrics::Metrics;

use super::kept_table::Waiting;

/// What readiness calls the ledger.
const LEDGER: &str = "ledger";

/// A keeper that keeps until every source is gone.
pub(super) type Keeping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A ledger that is still to be read.
pub(super) struct Ledger {
    file: PathBuf,
    settings: Settings,
    handle: ReadinessHandle,
    readiness: Readiness,
    metrics: Arc<Metrics>,
    istiod: Option<Waiting>,
}

impl Ledger {
    /// Nothing is ready before it is read.
    pub(super) fn new(
        file: PathBuf,
        settings: Settings,
        readiness: &Readiness,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            file,
            settings,
            handle: readiness.handle(LEDGER),
            readiness: readiness.clone(),
            metrics,
            istiod: None,
        }
    }

    /// Gives this source the table of an earlier run, and keeps its tables for the next one.
    pub(super) fn with_istiod(self, istiod: Option<Waiting>) -> Self {
        Self { istiod, ..self }
    }

    /// Reads the ledger, however long that takes, and keeps from then on.
    pub(super) fn keep(
        self,
        catalog: Arc<Catalog>,
        inbox: Inbox,
        observer: impl Observer + 'static,
    ) -> Keeping {
        let Self { file, settings, handle, readiness, metrics, istiod } = self;
        Box::pin(async move {
            let mut store = FileStore::new(file.clone());
            let mut told = String::new();
            let rows = load(&mut store, |error| {
                let error = error.to_string();
                if error != told {
                    tracing::error!(error, "the ledger cannot be read; not ready until it can");
                    readiness.explain(LEDGER, &error);
                    told = error;
                }
            })
            .await;
            tracing::info!(file = %file.display(), hosts = rows.len(), "ledger read");
            let tables = match istiod {
                Some(istiod) => istiod.give(&mut store).await,
                None => NameTables::none(),
            };
            let allocator = settings.allocator_from(store.slices(), unix_seconds(), rows);
            let keeper = Keeper::with_allocator(catalog, allocator);
            // Whoever else tells of hosts tells of no entries.
            let mut sources = BTreeSet::from([SourceId::MANIFESTS]);
            if settings.sources.kubernetes.is_some() {
                sources.insert(SourceId::KUBERNETES);
            }
            let (journal, writer) = Journal::connect(store, sources, metrics.ledger().clone());
            handle.release();
            tokio::join!(writer.keeping(tables).run(), keep(inbox, keeper, journal, observer));
        })
    }
}
