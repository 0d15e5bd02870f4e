//! `plan`: what a change would bring, before it is applied.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use meshdns::model::{Change, Key};
use meshdns::report::{self, Plan as Found, Standing};
use meshdns::source::{SourceId, manifests};

use super::FINDINGS;
use super::flags::AnswerFlags;
use super::load::load_some;
use super::output::Output;

/// Arguments of `plan`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns plan --config meshdns.yaml -f new-service-entry.yaml
  meshdns plan --zone cluster.local --manifests ./manifests --delete ServiceEntry/shop/pay

Exit codes: 0 the change can be applied as it is, 1 it brings conflicts, defects or hosts that are not answered,
2 bad usage or settings.")]
pub(super) struct Plan {
    /// File or directory with the objects that would be new or changed; repeatable
    #[arg(short, long = "filename", value_name = "PATH", required_unless_present = "delete")]
    filenames: Vec<PathBuf>,
    /// Object that would be gone, as Kind/namespace/name; repeatable
    #[arg(long, value_name = "OBJECT", value_parser = key)]
    delete: Vec<Key>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    answers: AnswerFlags,
}

impl Plan {
    /// Prints what differs.
    pub(super) fn run(self) -> Result<ExitCode> {
        let mut loaded = load_some(&self.answers.settings(None)?)?;
        let before = Standing::of(&loaded.catalog);
        let new = manifests::load(&self.filenames);
        let gone: Vec<_> = self.delete.into_iter().map(Change::Remove).collect();
        loaded.keeper.apply(SourceId::KUBERNETES.0, Change::Batch(gone.clone()));
        let changes = gone.into_iter().chain(new.objects.into_iter().map(Change::Upsert)).collect();
        loaded.keeper.apply(SourceId::MANIFESTS.0, Change::Batch(changes));
        loaded.keeper.store_nowhere();
        let defects = new.report.defects.iter().map(Into::into).collect();
        let found = Found::between(&before, &Standing::of(&loaded.catalog), defects);
        self.output.print(&found, report::plan_text)?;
        Ok(if found.has_findings() { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
    }
}

fn key(text: &str) -> Result<Key> {
    let form = "is not of the form Kind/namespace/name, such as ServiceEntry/shop/pay";
    Key::parse(text).ok_or_else(|| anyhow!("`{text}` {form}"))
}
