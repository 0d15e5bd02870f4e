//! `check`: what is wrong with settings and manifests, as the server would read them, and with the Corefiles before it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use meshdns::config::{Problems, Settings};
use meshdns::corefile::{Corefile, Corefiles};
use meshdns::report::{Census, CheckReport, CorefileReport, check_text};
use meshdns::source::Report;
use meshdns::store::unix_seconds;
use meshdns::tls::examined;

use super::flags::{AnswerFlags, ServerFlags};
use super::load::load;
use super::output::Output;
use super::surroundings::{corefiles, dns_address};
use super::{FINDINGS, UNUSABLE};

/// Arguments of `check`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns check --config meshdns.yaml
  meshdns check --zone cluster.local --manifests ./manifests --output json
  meshdns check --config meshdns.yaml --corefile Corefile
  meshdns check --config meshdns.yaml --corefile nodelocal/Corefile --corefile coredns/Corefile

Exit codes: 0 nothing is wrong, 1 an object or a certificate has a defect or a Corefile a finding, 2 the settings or a Corefile are refused.")]
pub(super) struct Check {
    /// Corefile that leads to meshdns: tells the TTLs that clients see, and what is wrong; repeatable, in the order from the client
    #[arg(long = "corefile", value_name = "FILE")]
    corefiles: Vec<PathBuf>,
    /// Address at which Corefiles ask meshdns over plain DNS; repeatable [beside setting: listen.dns]
    #[arg(long, value_name = "ADDRESS", value_parser = dns_address, requires = "corefiles")]
    meshdns_at: Vec<SocketAddr>,
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
        let corefiles = match corefiles(&self.corefiles)? {
            Ok(corefiles) => corefiles,
            Err(error) => {
                eprintln!("{error}");
                return unusable(self.output, &CheckReport::of_refused(&error));
            }
        };
        let loaded = load(&settings)?;
        let mut found = CheckReport::of(&[], &loaded.report);
        if let Some(tls) = &settings.listen.grpc_tls {
            found.certificates = examined(tls, unix_seconds()).iter().map(Into::into).collect();
        }
        if !corefiles.is_empty() {
            let has_objects = !settings.sources.manifests.is_empty() || settings.sources.kubernetes.is_some();
            let census =
                has_objects.then(|| Census::of(&loaded.catalog, loaded.keeper.inventory().with_ttl()));
            found.corefile = Some(told(corefiles, self.meshdns_at, &settings, census.as_ref()));
        }
        self.output.print(&found, check_text)?;
        Ok(if found.has_findings() { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
    }
}

/// What Corefiles do to our answers.
fn told(
    files: Vec<Corefile>,
    mut meshdns_at: Vec<SocketAddr>,
    settings: &Settings,
    census: Option<&Census>,
) -> CorefileReport {
    meshdns_at.extend(&settings.listen.dns);
    CorefileReport::of(&Corefiles::new(files, meshdns_at), settings, census)
}

/// Problems go to standard error as with every command; programs get them as a result too.
fn refused(output: Output, problems: &Problems) -> Result<ExitCode> {
    eprintln!("{problems}");
    let problems: Vec<_> = problems.iter().cloned().collect();
    unusable(output, &CheckReport::of(&problems, &Report::default()))
}

fn unusable(output: Output, report: &CheckReport) -> Result<ExitCode> {
    if output == Output::Json {
        output.print(report, check_text)?;
    }
    Ok(ExitCode::from(UNUSABLE))
}
