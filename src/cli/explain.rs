//! `explain`: what a name is answered with, and why.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use meshdns::model::dotted;
use meshdns::report::{self, Explanation, Question};
use meshdns::wire::type_name;

use super::flags::AnswerFlags;
use super::load::load_some;
use super::output::Output;
use super::{FINDINGS, client};

/// Arguments of `explain`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns explain web.shop.svc.cluster.local --zone cluster.local --manifests ./manifests
  meshdns explain _http._tcp.web.shop.svc.cluster.local SRV --config meshdns.yaml
  meshdns explain 10.96.0.20 --server http://127.0.0.1:8081
  meshdns explain payments.example.com AAAA --server http://127.0.0.1:8081 --output json

Exit codes: 0 the name has such records, 1 the answer is negative, 2 bad usage or settings.")]
pub(super) struct Explain {
    /// The name, or an address to ask for its PTR
    name: String,
    /// The record type: A, AAAA, SRV, PTR, TXT, NS, SOA, CNAME, TYPE65 … [default: A; PTR for an address]
    #[arg(value_name = "TYPE")]
    kind: Option<String>,
    /// Ask a running server by the URL of its admin listener, instead of reading manifests
    #[arg(long, value_name = "URL", env = "MESHDNS_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    answers: AnswerFlags,
}

impl Explain {
    /// Prints the explanation.
    pub(super) fn run(self) -> Result<ExitCode> {
        let question = Question::parse(&self.name, self.kind.as_deref())?;
        let found: Explanation = match &self.server {
            Some(server) => {
                let (name, kind) = (dotted(question.name.wire()), type_name(question.kind));
                client::get(server, "/explain", &[("name", &name), ("type", &kind)])?
            }
            None => {
                let loaded = load_some(&self.answers.settings(None)?)?;
                report::explain(&loaded.catalog, &loaded.report.defects, &question)
            }
        };
        self.output.print(&found, report::text)?;
        Ok(if found.status.is_positive() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
    }
}
