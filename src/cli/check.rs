//! `check`: what is wrong with settings and manifests, as the server would read them.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use meshdns::config::Problems;
use meshdns::report::{CheckReport, check_text};
use meshdns::source::Report;

use super::flags::{AnswerFlags, ServerFlags};
use super::load::load;
use super::output::Output;
use super::{FINDINGS, UNUSABLE};

/// Arguments of `check`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns check --config meshdns.yaml
  meshdns check --zone cluster.local --manifests ./manifests --output json

Exit codes: 0 nothing is wrong, 1 an object has a defect, 2 the settings are refused.")]
pub(super) struct Check {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    answers: AnswerFlags,
    #[command(flatten)]
    server: ServerFlags,
}

impl Check {
    /// Prints everything that is wrong, and what was read.
    pub(super) fn run(self) -> Result<ExitCode> {
        let settings = match self.answers.settings(Some(self.server)) {
            Ok(settings) => settings,
            Err(problems) => return refused(self.output, &problems),
        };
        let report = load(&settings)?.report;
        let found = CheckReport::of(&[], &report);
        self.output.print(&found, check_text)?;
        Ok(if found.defects.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
    }
}

/// Problems go to standard error as with every command; programs get them as a result too.
fn refused(output: Output, problems: &Problems) -> Result<ExitCode> {
    eprintln!("{problems}");
    if output == Output::Json {
        let problems: Vec<_> = problems.iter().cloned().collect();
        output.print(&CheckReport::of(&problems, &Report::default()), check_text)?;
    }
    Ok(ExitCode::from(UNUSABLE))
}
