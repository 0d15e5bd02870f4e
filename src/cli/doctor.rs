//! `doctor`: whether what we answer is what the mesh's proxies do.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use meshdns::catalog::AutomaticAddresses;
use meshdns::config::Settings;
use meshdns::model::Name;
use meshdns::report::{ParityReport, parity_text};
use meshdns::source::SourceId;
use meshdns::source::istiod::{Fetched, Subscriptions, fetch};

use super::flags::{AnswerFlags, ServerFlags};
use super::load::load_some;
use super::output::Output;
use super::{FINDINGS, client};

/// Arguments of `doctor`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns doctor --config meshdns.yaml --istiod istiod.istio-system.svc:15010
  meshdns doctor --manifests ./manifests --zone cluster.local --istiod 127.0.0.1:15010 --output json
  meshdns doctor pay.example --config meshdns.yaml --istiod 127.0.0.1:15010
  meshdns doctor --server http://127.0.0.1:8081

Compares, host by host, what the ServiceEntries that were read give with what istiod tells a sidecar that captures DNS: its
name table, and the listeners that it gets. With --server, a running server that has both sources is asked.
Exit codes: 0 nothing differs, 1 something does, 2 bad usage or settings, or istiod cannot be asked.")]
pub(super) struct Doctor {
    /// Hosts whose listeners are shown
    #[arg(value_name = "HOST", value_parser = name)]
    hosts: Vec<Name>,
    /// Ask a running server by the URL of its admin listener
    #[arg(long, value_name = "URL", env = "MESHDNS_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// Seconds that istiod may take
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    answers: AnswerFlags,
    #[command(flatten)]
    listen: ServerFlags,
}

impl Doctor {
    /// Prints what differs.
    pub(super) fn run(self) -> Result<ExitCode> {
        let report = match &self.server {
            Some(server) => client::get(server, "/parity", &[])?,
            None => {
                let mut settings = self.answers.settings(Some(self.listen))?;
                let istiod = settings.sources.istiod.take();
                let mut istiod =
                    istiod.context("nobody to compare with: give --istiod ADDRESS or --server URL")?;
                // So that an istiod that computes addresses tells them, whatever we take them for.
                istiod.node.auto_allocate = true;
                let asked = fetch(&istiod, Subscriptions::WithListeners, Duration::from_secs(self.timeout));
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let fetched = runtime.block_on(asked)?;
                for defect in &fetched.defects {
                    eprintln!("{defect}");
                }
                let report = compare(&settings, &fetched)?;
                if !report.differences.is_empty() {
                    advise(settings, &fetched, report.differences.len())?;
                }
                report
            }
        };
        self.output.print(&report, |report| parity_text(report, &self.hosts))?;
        Ok(if report.has_findings() { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
    }
}

fn name(text: &str) -> Result<Name> {
    Ok(Name::parse(text)?)
}

/// Reads the manifests, and holds what they give against what istiod said.
fn compare(settings: &Settings, fetched: &Fetched) -> Result<ParityReport> {
    let mut loaded = load_some(settings)?;
    loaded.keeper.apply(SourceId::ISTIOD.0, fetched.table.replacement());
    let mut report = ParityReport::of(&loaded.catalog);
    let bound: BTreeSet<_> = fetched.listeners.iter().map(|bound| (bound.address, bound.port)).collect();
    report.hear(&loaded.catalog, loaded.keeper.inventory(), &bound);
    Ok(report)
}

/// Says which other mode of addresses agrees better, if one does.
fn advise(mut settings: Settings, fetched: &Fetched, differences: usize) -> Result<()> {
    for (mode, name) in [(AutomaticAddresses::Status, "status"), (AutomaticAddresses::Hash, "hash")] {
        settings.service_entries.addresses = mode;
        let count = compare(&settings, fetched)?.differences.len();
        if count < differences {
            eprintln!(
                "with serviceEntries.addresses: {name} there are {count} differences instead of {differences}"
            );
        }
    }
    Ok(())
}
