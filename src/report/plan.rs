//! What a change would bring, before it is applied.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::conflicts::{Conflict, conflicts, conflicts_text};
use super::explanation::ReportedDefect;
use super::listing::{Filter, ReportedLine, records};
use super::render::listing_text;
use crate::catalog::{Catalog, HostState};

/// What is answered at one moment.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    records: BTreeSet<ReportedLine>,
    conflicts: BTreeSet<Conflict>,
    silent: BTreeSet<Silent>,
}

/// A host that is declared and not answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Silent {
    /// The host, with its final dot; a wildcard begins with `*.`.
    pub host: String,
    /// Why, as the rest of a sentence about an entry that declares it.
    pub reason: String,
}

/// What differs after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Records that come.
    pub added: Vec<ReportedLine>,
    /// Records that go.
    pub removed: Vec<ReportedLine>,
    /// Hosts that are declared and not answered, newly or for another reason.
    pub silent: Vec<Silent>,
    /// Conflicts that come, or that come to stand otherwise.
    pub conflicts: Vec<Conflict>,
    /// Hosts whose conflict is over.
    pub settled: Vec<String>,
    /// What is wrong with the objects of the change.
    pub defects: Vec<ReportedDefect>,
}

impl Standing {
    /// Everything that a catalog answers now.
    pub fn of(catalog: &Catalog) -> Self {
        let silent = catalog.hosts.all().into_iter().filter_map(|unit| {
            let reason = match &unit.state {
                HostState::Pending => unit.passed_over.last().map(|passed| passed.reason)?,
                HostState::Declined(reason) if unit.visible => reason,
                _ => return None,
            };
            let star = if unit.wildcard { "*." } else { "" };
            Some(Silent { host: format!("{star}{}", unit.name), reason: reason.to_owned() })
        });
        Self {
            records: records(catalog, &Filter::default()).into_iter().collect(),
            conflicts: conflicts(catalog).into_iter().collect(),
            silent: silent.collect(),
        }
    }
}

impl Plan {
    /// What leads from one standing to another.
    pub fn between(before: &Standing, after: &Standing, defects: Vec<ReportedDefect>) -> Self {
        let standing: BTreeSet<&String> = after.conflicts.iter().map(|conflict| &conflict.host).collect();
        let settled = before.conflicts.iter().map(|conflict| &conflict.host);
        Self {
            added: missing(&before.records, &after.records),
            removed: missing(&after.records, &before.records),
            silent: after.silent.difference(&before.silent).cloned().collect(),
            conflicts: after.conflicts.difference(&before.conflicts).cloned().collect(),
            settled: settled.filter(|host| !standing.contains(host)).cloned().collect(),
            defects,
        }
    }

    /// Whether somebody should look before the change is applied.
    pub fn has_findings(&self) -> bool {
        !(self.defects.is_empty() && self.conflicts.is_empty() && self.silent.is_empty())
    }
}

/// The lines of `to` whose records `from` lacks, whatever object they come from.
fn missing(from: &BTreeSet<ReportedLine>, to: &BTreeSet<ReportedLine>) -> Vec<ReportedLine> {
    fn record(line: &ReportedLine) -> (&str, &str, &str, u32) {
        (&line.name, &line.kind, &line.data, line.ttl)
    }
    let known: BTreeSet<_> = from.iter().map(record).collect();
    to.iter().filter(|line| !known.contains(&record(line))).cloned().collect()
}

/// A plan as text: records with `+` and `-`, then what to look at.
pub fn plan_text(plan: &Plan) -> String {
    let marked = |mark: &str, lines: &[ReportedLine]| -> String {
        listing_text(lines).lines().map(|line| format!("{mark} {line}\n")).collect()
    };
    let mut text = marked("-", &plan.removed) + &marked("+", &plan.added);
    if text.is_empty() {
        text.push_str("no record comes or goes\n");
    }
    for Silent { host, reason } in &plan.silent {
        text.push_str(&format!("not answered: {host}: {reason}\n"));
    }
    if !plan.conflicts.is_empty() {
        text.push_str(&format!("\nconflicts\n{}", conflicts_text(&plan.conflicts)));
    }
    for host in &plan.settled {
        text.push_str(&format!("no longer in conflict: {host}\n"));
    }
    if !plan.defects.is_empty() {
        text.push_str("\ndefects\n");
        for defect in &plan.defects {
            text.push_str(&format!("  {defect}\n"));
        }
    }
    text
}
