//! What is declared now: of objects that are read, or of a running server.

use anyhow::Result;
use meshdns::config::Settings;
use meshdns::report::{self, Census, Declared, Filter, ReportedLine};

use super::client;
use super::load::{Loaded, load};

/// What a running server answers, or what the objects of the settings give. Without either there are only zones.
pub(super) fn declared(settings: &Settings, server: Option<&str>) -> Result<Declared> {
    if let Some(server) = server {
        return asked(server);
    }
    if settings.sources.manifests.is_empty() && settings.sources.kubernetes.is_none() {
        return Ok(Declared::default());
    }
    let loaded = load(settings)?;
    loaded.report.defects.iter().for_each(|defect| eprintln!("{defect}"));
    Ok(known(&loaded))
}

/// What a running server answers.
pub(super) fn asked(server: &str) -> Result<Declared> {
    let lines: Vec<ReportedLine> = client::get(server, "/records", &[])?;
    Ok(Declared::of_lines(&lines))
}

/// What objects that were read give.
pub(super) fn known(loaded: &Loaded) -> Declared {
    let Loaded { catalog, keeper, .. } = loaded;
    let lines = report::records(catalog, &Filter::default());
    Declared::of(catalog, &lines, Census::of(catalog, keeper.inventory().with_ttl()))
}
