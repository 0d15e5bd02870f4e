//! The catalog of a command that reads objects itself, built as the server builds it.

use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::{Result, ensure};
use meshdns::allocate::ledger::Listing;
use meshdns::allocate::{HostKey, Row};
use meshdns::catalog::Catalog;
use meshdns::config::Settings;
use meshdns::keeper::Keeper;
use meshdns::model::Change;
use meshdns::source::{Report, SourceId, manifests};
use meshdns::store::{Remembered, StoreError, remembered, unix_seconds};

use super::ledger_file;
use super::listed::list_into;

/// What the manifests and the API server of the settings give.
pub(super) struct Loaded {
    /// Everything that can be answered.
    pub(super) catalog: Arc<Catalog>,
    /// What publishes to it, for further changes.
    pub(super) keeper: Keeper,
    /// What was read, and what is wrong with it.
    pub(super) report: Report,
    /// The addresses that the ledger has, and would give.
    pub(super) ledger: Listing,
}

/// Reads the manifests and the API server once. Addresses are given as a server would that starts now, without writing them down.
pub(super) fn load(settings: &Settings) -> Result<Loaded> {
    let mut loaded = manifests::load(&settings.sources.manifests);
    let catalog = Arc::new(Catalog::new(settings.policy()));
    let allocator = settings.allocator_from(NonZeroU32::MIN, unix_seconds(), rows(settings));
    let mut keeper = Keeper::with_allocator(catalog.clone(), allocator);
    keeper.apply(SourceId::MANIFESTS.0, Change::Replace(loaded.objects));
    if let Some(source) = settings.sources.kubernetes.clone() {
        let listed = list_into(&mut keeper, source)?;
        loaded.report = Report::joined([&loaded.report, &listed]);
    }
    keeper.settle();
    keeper.store_nowhere();
    let ledger = keeper.listing();
    loaded.report.defects.extend(ledger.defects.iter().cloned());
    Ok(Loaded { catalog, keeper, report: loaded.report, ledger })
}

/// What the ledger's file remembers; what cannot be read is told, and the rest goes on without it.
fn rows(settings: &Settings) -> Vec<(HostKey, Row)> {
    // A server would not start without a file; who only looks needs none.
    let Ok(Some(file)) = ledger_file::to_read(settings) else { return Vec::new() };
    match remembered(&file) {
        Ok(Remembered::Rows(rows)) => return rows,
        Ok(Remembered::Nothing) => {}
        Err(StoreError::InUse { path }) => eprintln!(
            "{}: a running server uses this ledger, so automatic addresses shown here are not those that it gives; \
             ask it with --server",
            path.display()
        ),
        Err(error) => eprintln!("{error}; automatic addresses shown here are made up without it"),
    }
    Vec::new()
}

/// The same, for commands that have nothing to tell without objects.
pub(super) fn load_some(settings: &Settings) -> Result<Loaded> {
    ensure!(
        !settings.sources.manifests.is_empty() || settings.sources.kubernetes.is_some(),
        "nothing to read: give --manifests PATH, --kubernetes, --kubeconfig FILE, sources in the settings, or --server URL"
    );
    load(settings)
}
