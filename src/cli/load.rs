//! The catalog of a command that reads objects itself, built as the server builds it.

use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::{Result, ensure};
use meshdns::allocate::ledger::Listing;
use meshdns::allocate::{HostKey, Row};
use meshdns::catalog::Catalog;
use meshdns::config::{LedgerPlace, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::Change;
use meshdns::source::{Report, SourceId, manifests};
use meshdns::store::{
    ConfigMapSettings, Remembered, RememberedInMaps, StoreError, remembered, remembered_in, unix_seconds,
};

use super::ledger_place::{self, Place};
use super::listed::list_into;

/// What follows when a ledger cannot be read.
const MADE_UP: &str = "automatic addresses shown here are made up without it";

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
    catalog.policy.ttl.clock().tell(unix_seconds(), None);
    let slices = match settings.service_entries.ledger.as_ref().map(|ledger| &ledger.place) {
        Some(LedgerPlace::Kubernetes(shared)) => shared.shards,
        _ => NonZeroU32::MIN,
    };
    let allocator = settings.allocator_from(slices, unix_seconds(), rows(settings));
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
    loaded.report.defects.append(&mut keeper.refused_ttls());
    Ok(Loaded { catalog, keeper, report: loaded.report, ledger })
}

/// What the ledger remembers; what cannot be read is told, and the rest goes on without it.
fn rows(settings: &Settings) -> Vec<(HostKey, Row)> {
    // A server would not start without a place for it; who only looks needs none.
    let Ok(Some(place)) = ledger_place::to_read(settings) else { return Vec::new() };
    match place {
        Place::File(file) => match remembered(&file) {
            Ok(Remembered::Rows(rows)) => return rows,
            Ok(Remembered::Nothing) => {}
            Err(StoreError::InUse { path }) => eprintln!(
                "{}: a running server uses this ledger, so automatic addresses shown here are not those that it gives; \
                 ask it with --server",
                path.display()
            ),
            Err(error) => eprintln!("{error}; {MADE_UP}"),
        },
        Place::ConfigMaps(shared) => match shared_rows(&shared) {
            Ok(RememberedInMaps { rows, unusable }) => {
                unusable
                    .iter()
                    .for_each(|reason| eprintln!("{reason}; automatic addresses in it are not known here"));
                return rows;
            }
            Err(error) => eprintln!("{error:#}; {MADE_UP}"),
        },
    }
    Vec::new()
}

/// Reads ConfigMaps, and changes nothing in them.
fn shared_rows(settings: &ConfigMapSettings) -> Result<RememberedInMaps> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(remembered_in(settings))?)
}

/// The same, for commands that have nothing to tell without objects.
pub(super) fn load_some(settings: &Settings) -> Result<Loaded> {
    ensure!(
        !settings.sources.manifests.is_empty() || settings.sources.kubernetes.is_some(),
        "nothing to read: give --manifests PATH, --kubernetes, --kubeconfig FILE, sources in the settings, or --server URL"
    );
    load(settings)
}
