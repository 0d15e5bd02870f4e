//! Where the ledger is kept.

use std::path::PathBuf;

use anyhow::{Context, Result};
use meshdns::config::{LedgerPlace, Settings, ledger_file_or_default};
use meshdns::store::ConfigMapSettings;

/// A place that the settings or the environment name.
pub(super) enum Place {
    File(PathBuf),
    ConfigMaps(ConfigMapSettings),
}

impl Place {
    /// Whether it is a file, which has room for more than addresses.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Place::File(_))
    }
}

/// The place; none when there is no ledger.
pub(super) fn to_read(settings: &Settings) -> Result<Option<Place>> {
    let Some(ledger) = &settings.service_entries.ledger else { return Ok(None) };
    let place = match &ledger.place {
        LedgerPlace::File(file) => {
            Place::File(ledger_file_or_default(file.as_ref(), |variable| std::env::var(variable).ok())?)
        }
        LedgerPlace::Kubernetes(shared) => Place::ConfigMaps(ConfigMapSettings {
            api: shared.api.clone(),
            namespace: shared.namespace_or_own(|path| std::fs::read_to_string(path).ok())?,
            name: shared.name.clone(),
            shards: shared.shards,
            ranges: settings.service_entries.ranges.clone(),
        }),
    };
    Ok(Some(place))
}

/// The same. A state directory that nobody named is made; one that the settings name has to be there.
pub(super) fn to_write(settings: &Settings) -> Result<Option<Place>> {
    let place = to_read(settings)?;
    let named = settings.service_entries.ledger.as_ref().map(|ledger| &ledger.place);
    if let (Some(Place::File(file)), Some(LedgerPlace::File(None))) = (&place, named)
        && let Some(directory) = file.parent()
    {
        std::fs::create_dir_all(directory).with_context(|| {
            format!(
                "{} cannot be created for the ledger; name a file in serviceEntries.ledger.file or with --ledger-file",
                directory.display()
            )
        })?;
    }
    Ok(place)
}
