//! `conflicts`: which hosts are declared more than once, who answers, and why.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use meshdns::report::{self, Conflict};

use super::flags::AnswerFlags;
use super::load::load_some;
use super::output::Output;
use super::{FINDINGS, client};

/// Arguments of `conflicts`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns conflicts --config meshdns.yaml
  meshdns conflicts --server http://127.0.0.1:8081 --output json

Exit codes: 0 no host is declared more than once, 1 some are, 2 bad usage or settings.")]
pub(super) struct Conflicts {
    /// Ask a running server by the URL of its admin listener, instead of reading manifests
    #[arg(long, value_name = "URL", env = "MESHDNS_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    answers: AnswerFlags,
}

impl Conflicts {
    /// Prints the list.
    pub(super) fn run(self) -> Result<ExitCode> {
        let found: Vec<Conflict> = match &self.server {
            Some(server) => client::get(server, "/conflicts", &[])?,
            None => report::conflicts(&load_some(&self.answers.settings(None)?)?.catalog),
        };
        self.output.print(found.as_slice(), report::conflicts_text)?;
        Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
    }
}
