//! The commands: one file each.
//!
//! Exit codes: 0 fine, 1 findings, 2 bad usage or settings. What was asked for goes to standard output, what is wrong
//! to standard error, one problem per line.

mod certificates;
mod check;
mod client;
mod clock;
mod conflicts;
mod corefile;
mod declared;
mod doctor;
mod explain;
mod flags;
mod import_file;
mod keeping;
mod kept_blocks;
mod kept_table;
mod ledger_place;
mod listed;
mod load;
mod output;
mod parts;
mod plan;
mod records;
mod refused_ttls;
mod reload;
mod restored;
mod serve;
mod surroundings;

use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

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
    /// List the hosts that are declared more than once: who answers, and why
    Conflicts(conflicts::Conflicts),
    /// Compare the answers with what istiod tells proxies
    Doctor(doctor::Doctor),
    /// Say what a change would bring, before it is applied
    Plan(plan::Plan),
    /// Print the server blocks that lead every declared name to meshdns, and what does not come to it
    Corefile(corefile::Corefile),
    /// Check settings, manifests and Corefiles without serving anything
    Check(check::Check),
}

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let matches =
        Cli::command().mut_subcommands(|command| command.mut_args(without_empty_variable)).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Explain(explain) => explain.run(),
        Command::Records(records) => records.run(),
        Command::Conflicts(conflicts) => conflicts.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Plan(plan) => plan.run(),
        Command::Corefile(corefile) => corefile.run(),
        Command::Check(check) => check.run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(UNUSABLE)
    })
}

/// A variable that is set to nothing counts as not set, because many tools can only set one.
fn without_empty_variable(argument: Arg) -> Arg {
    let variable = argument.get_env().and_then(std::env::var_os);
    if variable.is_some_and(|value| value.is_empty()) { argument.env(Resettable::Reset) } else { argument }
}
