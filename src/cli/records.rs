//! `records`: the names that are answered, with their records.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use meshdns::report::{self, Filter, ReportedLedger, ReportedLine};
use meshdns::store::unix_seconds;

use super::flags::AnswerFlags;
use super::load::load_some;
use super::output::Output;
use super::{FINDINGS, client};

/// Arguments of `records`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns records --config meshdns.yaml
  meshdns records --server http://127.0.0.1:8081 --zone shop.svc.cluster.local
  meshdns records --server http://127.0.0.1:8081 --object Service/shop/web --output json
  meshdns records --server http://127.0.0.1:8081 --ledger

Here --zone means: only names at or below this one. Where no settings file is given, it names the zones as well.
Addresses and aliases of services, endpoints and mesh hosts are listed; SRV and PTR records follow from them.
Exit codes: 0 something is listed, 1 nothing is, 2 bad usage or settings.")]
pub(super) struct Records {
    /// List the addresses that the ledger has given to ServiceEntry hosts, and conflicts about them
    #[arg(long, conflicts_with_all = ["object", "zones"])]
    ledger: bool,
    /// Only records of this object, as Kind/namespace/name
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    /// Ask a running server by the URL of its admin listener, instead of reading manifests
    #[arg(long, value_name = "URL", env = "MESHDNS_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    answers: AnswerFlags,
}

impl Records {
    /// Prints the list.
    pub(super) fn run(self) -> Result<ExitCode> {
        if self.ledger {
            return self.run_ledger();
        }
        let filter = Filter::parse(&self.answers.zones, self.object.as_deref())?;
        let lines: Vec<ReportedLine> = match &self.server {
            Some(server) => {
                let zones = self.answers.zones.iter().map(|zone| ("zone", zone.as_str()));
                let object = self.object.iter().map(|object| ("object", object.as_str()));
                client::get(server, "/records", &zones.chain(object).collect::<Vec<_>>())?
            }
            None => {
                let mut answers = self.answers;
                if answers.config.is_some() {
                    answers.zones.clear();
                }
                let loaded = load_some(&answers.settings(None)?)?;
                report::records(&loaded.catalog, &filter)
            }
        };
        self.output.print(lines.as_slice(), report::listing_text)?;
        Ok(if lines.is_empty() { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
    }

    /// Prints what the ledger has.
    fn run_ledger(self) -> Result<ExitCode> {
        let found: ReportedLedger = match &self.server {
            Some(server) => client::get(server, "/records", &[("ledger", "true")])?,
            None => ReportedLedger::of(&load_some(&self.answers.settings(None)?)?.ledger),
        };
        let now = unix_seconds();
        self.output.print(&found, |found| report::ledger_text(found, now))?;
        Ok(if found.hosts.is_empty() { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
    }
}
