//! The catalog of a command that reads manifests itself, built as the server builds it.

use std::sync::Arc;

use anyhow::{Result, ensure};
use meshdns::catalog::Catalog;
use meshdns::config::Settings;
use meshdns::keeper::Keeper;
use meshdns::model::Change;
use meshdns::source::{Report, SourceId, manifests};

/// What the manifests of the settings give.
pub(super) struct Loaded {
    /// Everything that can be answered.
    pub(super) catalog: Arc<Catalog>,
    /// What publishes to it, for further changes.
    pub(super) keeper: Keeper,
    /// What was read, and what is wrong with it.
    pub(super) report: Report,
}

/// Reads the manifests once.
pub(super) fn load(settings: &Settings) -> Loaded {
    let loaded = manifests::load(&settings.sources.manifests);
    let catalog = Arc::new(Catalog::new(settings.policy()));
    let mut keeper = Keeper::with_allocator(catalog.clone(), settings.allocator());
    keeper.apply(SourceId::MANIFESTS.0, Change::Replace(loaded.objects));
    Loaded { catalog, keeper, report: loaded.report }
}

/// The same, for commands that have nothing to tell without manifests.
pub(super) fn load_some(settings: &Settings) -> Result<Loaded> {
    ensure!(
        !settings.sources.manifests.is_empty(),
        "nothing to read: give --manifests PATH, sources.manifests or --server URL"
    );
    Ok(load(settings))
}
