//! The commands: one file each.
//!
//! Exit codes: 0 fine, 1 findings, 2 bad usage or settings. What was asked for goes to standard output, what is wrong
//! to standard error, one problem per line.

mod check;
mod client;
mod explain;
mod flags;
mod load;
mod output;
mod parts;
mod records;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Findings: a negative answer, a defect, an empty list.
const FINDINGS: u8 = 1;
/// Bad usage or settings, or something that cannot be read.
const UNUSABLE: u8 = 2;

/// Kubernetes and Istio names for CoreDNS, over its stock grpc plugin.
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 fine, 1 findings, 2 bad usage or settings."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer DNS queries
    Serve(serve::Serve),
    /// Say what a name is answered with, and why
    Explain(explain::Explain),
    /// List the names that are answered, with their records
    Records(records::Records),
    /// Check settings and manifests without serving them
    Check(check::Check),
}

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Explain(explain) => explain.run(),
        Command::Records(records) => records.run(),
        Command::Check(check) => check.run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(UNUSABLE)
    })
}
