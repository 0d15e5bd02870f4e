//! Which file the ledger is in.

use std::path::PathBuf;

use anyhow::{Context, Result};
use meshdns::config::{NoLedgerFile, Settings};

/// The file that the settings or the environment name; none when there is no ledger.
pub(super) fn to_read(settings: &Settings) -> Result<Option<PathBuf>, NoLedgerFile> {
    let Some(ledger) = &settings.service_entries.ledger else { return Ok(None) };
    ledger.file_or_default(|variable| std::env::var(variable).ok()).map(Some)
}

/// The same. A state directory that nobody named is made; one that the settings name has to be there.
pub(super) fn to_write(settings: &Settings) -> Result<Option<PathBuf>> {
    let Some(file) = to_read(settings)? else { return Ok(None) };
    let named = settings.service_entries.ledger.as_ref().is_some_and(|ledger| ledger.file.is_some());
    if let (false, Some(directory)) = (named, file.parent()) {
        std::fs::create_dir_all(directory).with_context(|| {
            format!(
                "{} cannot be created for the ledger; name a file in serviceEntries.ledger.file or with --ledger-file",
                directory.display()
            )
        })?;
    }
    Ok(Some(file))
}
