//! The keeper that begins with what the ledger remembers.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use meshdns::allocate::{HostKey, Row};
use meshdns::catalog::Catalog;
use meshdns::config::Settings;
use meshdns::keeper::{Inbox, Keeper, Observer, keep};
use meshdns::serve::{Readiness, ReadinessHandle};
use meshdns::source::SourceId;
use meshdns::store::{
    ConfigMapSettings, ConfigMapStore, FileStore, Health, Journal, NameTables, Store, Verb, load,
    unix_seconds,
};
use meshdns::telemetry::metrics::Metrics;
use tokio::sync::watch;

use super::kept_table::Waiting;
use super::ledger_place::Place;

/// What readiness calls the ledger.
const LEDGER: &str = "ledger";

/// A keeper that keeps until every source is gone.
pub(super) type Keeping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A ledger that is still to be read.
pub(super) struct Ledger {
    place: Place,
    settings: Settings,
    handle: ReadinessHandle,
    readiness: Readiness,
    metrics: Arc<Metrics>,
    istiod: Option<Waiting>,
}

/// What keeps once the ledger is read.
struct Kept<O> {
    settings: Settings,
    handle: ReadinessHandle,
    metrics: Arc<Metrics>,
    catalog: Arc<Catalog>,
    inbox: Inbox,
    observer: O,
}

impl Ledger {
    /// Nothing is ready before it is read.
    pub(super) fn new(
        place: Place,
        settings: Settings,
        readiness: &Readiness,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            place,
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
        let Self { place, settings, handle, readiness, metrics, istiod } = self;
        let kept = Kept { settings, handle, metrics: Arc::clone(&metrics), catalog, inbox, observer };
        match place {
            Place::File(file) => Box::pin(async move {
                let mut store = FileStore::new(file.clone());
                let rows = read(&mut store, &readiness).await;
                tracing::info!(file = %file.display(), hosts = rows.len(), "ledger read");
                let tables = match istiod {
                    Some(istiod) => istiod.give(&mut store).await,
                    None => NameTables::none(),
                };
                kept.run(store, rows, tables).await;
            }),
            Place::ConfigMaps(place) => Box::pin(async move {
                let mut store = ConfigMapStore::new(place.clone(), metrics.ledger().clone());
                let told = tell(store.health(), place.clone(), readiness.clone(), metrics);
                let keeping = async move {
                    let rows = read(&mut store, &readiness).await;
                    tracing::info!(shared = %place, hosts = rows.len(), "ledger read");
                    kept.run(store, rows, NameTables::none()).await;
                };
                tokio::select! {
                    () = keeping => {}
                    () = told => {}
                }
            }),
        }
    }
}

/// Reads a store, however long that takes.
async fn read<S: Store>(store: &mut S, readiness: &Readiness) -> Vec<(HostKey, Row)> {
    let mut told = String::new();
    let failed = |error: &meshdns::store::StoreError| {
        let error = error.to_string();
        if error != told {
            tracing::error!(error, "the ledger cannot be read; not ready until it can");
            readiness.explain(LEDGER, &error);
            told = error;
        }
    };
    load(store, failed).await
}

impl<O: Observer + 'static> Kept<O> {
    async fn run<S: Store>(self, store: S, rows: Vec<(HostKey, Row)>, tables: NameTables) {
        let Self { settings, handle, metrics, catalog, inbox, observer } = self;
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
    }
}

/// Says what stands in the way of a shared ledger, whenever that changes.
async fn tell(
    mut health: watch::Receiver<Health>,
    settings: ConfigMapSettings,
    readiness: Readiness,
    metrics: Arc<Metrics>,
) {
    let mut before = Vec::new();
    loop {
        let now = health.borrow_and_update().clone();
        let lines = now.lines(&settings);
        for line in lines.iter().filter(|line| !before.contains(*line)) {
            tracing::warn!(problem = line, "the shared ledger works in part");
        }
        for line in before.iter().filter(|line| !lines.contains(line)) {
            tracing::info!(problem = line, "the shared ledger works again");
        }
        readiness.note(LEDGER, &lines);
        let missing = Verb::ALL.map(|verb| (verb.as_str(), now.missing.contains(&verb)));
        metrics.ledger().show_shared(missing.into_iter(), now.unusable.len());
        before = lines;
        if health.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}
