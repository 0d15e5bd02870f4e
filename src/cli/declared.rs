//! What is declared now: of objects that are read, or of a running server.

use anyhow::{Result, ensure};
use meshdns::config::Settings;
use meshdns::report::{self, Census, Declared, Filter, ReportedLine};

use super::client;
use super::load::{Loaded, load};

/// What a running server answers, or what the objects of the settings give. Without either there are only zones.
pub(super) fn declared(settings: &Settings, server: Option<&str>) -> Result<Declared> {
    if let Some(server) = server {
        let lines: Vec<ReportedLine> = client::get(server, "/records", &[])?;
        return Ok(Declared::of_lines(&lines));
    }
    if settings.sources.manifests.is_empty() && settings.sources.kubernetes.is_none() {
        return Ok(Declared::default());
    }
    let Loaded { catalog, keeper, report, .. } = load(settings)?;
    report.defects.iter().for_each(|defect| eprintln!("{defect}"));
    let lines = report::records(&catalog, &Filter::default());
    Ok(Declared::of(&catalog, &lines, Census::of(&catalog, keeper.inventory().with_ttl())))
}

/// The same, for who asks again and again.
pub(super) fn ensure_can_be_asked_often(settings: &Settings, server: Option<&str>) -> Result<()> {
    ensure!(
        server.is_some() || settings.sources.kubernetes.is_none(),
        "--watch does not watch the API server itself: ask a running meshdns, with --server URL"
    );
    ensure!(
        server.is_some() || !settings.sources.manifests.is_empty(),
        "--watch: nothing can change: give --server URL, or --manifests PATH"
    );
    Ok(())
}
