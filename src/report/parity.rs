//! Where our calculation and istiod's name table differ.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::render::table;
use crate::catalog::{Catalog, HostUnit};

/// A host that the entries give other addresses than istiod's name table has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportedDifference {
    /// The host, with its final dot; a wildcard begins with `*.`.
    pub host: String,
    /// What the entries give; nothing if they give none.
    pub ours: Vec<IpAddr>,
    /// What the table has; nothing if it lacks the host.
    pub theirs: Vec<IpAddr>,
    /// The entries that declare it, as `namespace/name`.
    pub entries: Vec<String>,
}

/// All differences of a catalog, by host.
pub fn differences(catalog: &Catalog) -> Vec<ReportedDifference> {
    let units = catalog.hosts.all();
    let mut found: Vec<_> = units.iter().filter_map(|unit| difference(unit)).collect();
    found.sort();
    found
}

fn difference(unit: &HostUnit) -> Option<ReportedDifference> {
    let difference = unit.difference.as_deref()?;
    let star = if unit.wildcard { "*." } else { "" };
    let passed_over = unit.passed_over.iter().map(|passed| &passed.entry);
    Some(ReportedDifference {
        host: format!("{star}{}", unit.name),
        ours: difference.ours.clone(),
        theirs: difference.theirs.clone(),
        entries: unit.entries.iter().chain(passed_over).map(ToString::to_string).collect(),
    })
}

/// Differences as a table: host, ours, theirs, entries.
pub fn differences_text(found: &[ReportedDifference]) -> String {
    let told = |addresses: &[IpAddr]| match addresses {
        [] => "nothing".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let rows: Vec<[String; 4]> = found
        .iter()
        .map(|difference| {
            [
                difference.host.clone(),
                format!("entries: {}", told(&difference.ours)),
                format!("istiod: {}", told(&difference.theirs)),
                difference.entries.join(", "),
            ]
        })
        .collect();
    table(&rows)
}
