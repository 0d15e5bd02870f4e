//! The hosts of ServiceEntries, and what becomes of them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::catalog::{Catalog, Class, HostState};
use crate::corefile::Zone;
use crate::model::Name;
use crate::report::census::{ANY, Census};
use crate::report::listing::ReportedLine;

/// What is declared now.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// All hosts, by name.
    pub(super) hosts: Vec<DeclaredHost>,
    /// The TTLs of names; none where nobody looked for objects.
    census: Option<Census>,
}

/// A host of ServiceEntries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredHost {
    /// Its name; of a wildcard, what stands after the star.
    pub name: Zone,
    /// Whether it is a wildcard.
    pub wildcard: bool,
    /// What declares it, as `Kind namespace/name`, joined by commas.
    pub objects: String,
    /// What it is answered with.
    pub fate: Fate,
    /// The addresses that the mesh gave it.
    pub automatic: Vec<IpAddr>,
}

/// What becomes of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// It will be: it waits for an address.
    Waits,
    /// It is left to others, for this reason.
    Left(String),
}

impl Declared {
    /// Of a catalog, with what its census has.
    pub fn of(catalog: &Catalog, lines: &[ReportedLine], census: Census) -> Self {
        let mut declared = Self { hosts: answered(lines), census: Some(census) };
        for unit in catalog.hosts.all().iter().filter(|unit| unit.visible) {
            let fate = match &unit.state {
                HostState::Pending => Fate::Waits,
                HostState::Declined(reason) => Fate::Left((*reason).to_owned()),
                _ => continue,
            };
            let entries = unit.entries.iter().chain(unit.passed_over.iter().map(|passed| &passed.entry));
            let mut objects: Vec<String> = entries.map(|entry| format!("ServiceEntry {entry}")).collect();
            objects.sort();
            objects.dedup();
            declared.hosts.push(DeclaredHost {
                name: Zone::from(&unit.name),
                wildcard: unit.wildcard,
                objects: objects.join(", "),
                fate,
                automatic: Vec::new(),
            });
        }
        declared.hosts.sort_by(|one, other| (&one.name, one.wildcard).cmp(&(&other.name, other.wildcard)));
        declared
    }

    /// Of what a running server lists, which are the hosts that it answers.
    pub fn of_lines(lines: &[ReportedLine]) -> Self {
        Self { hosts: answered(lines), census: Some(Census::of_lines(lines)) }
    }

    /// The TTLs of names.
    pub(super) fn census(&self) -> Option<&Census> {
        self.census.as_ref()
    }

    /// Hosts that are answered or will be.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &DeclaredHost> {
        self.hosts.iter().filter(|host| !matches!(host.fate, Fate::Left(_)))
    }
}

impl DeclaredHost {
    /// As objects write it.
    pub fn written(&self) -> String {
        format!("{}{}", if self.wildcard { "*." } else { "" }, self.name.written())
    }

    /// A name that it is asked by.
    pub(super) fn asked(&self) -> Zone {
        let below = || Name::parse(&format!("{ANY}.{}", self.name)).ok();
        self.wildcard.then(below).flatten().map_or_else(|| self.name.clone(), |name| Zone::from(&name))
    }
}

/// The hosts among lines: names of Services are in zones.
fn answered(lines: &[ReportedLine]) -> Vec<DeclaredHost> {
    let mut found: BTreeMap<(Zone, bool), DeclaredHost> = BTreeMap::new();
    let of_service = |line: &&ReportedLine| {
        ["Service ", "ServiceImport "].iter().any(|kind| line.object.starts_with(kind))
    };
    for line in lines.iter().filter(|line| !of_service(line)) {
        let wildcard = line.name.starts_with("*.");
        let Ok(name) = Name::parse(line.name.trim_start_matches("*.")) else { continue };
        let name = Zone::from(&name);
        let host = found.entry((name.clone(), wildcard)).or_insert_with(|| DeclaredHost {
            name,
            wildcard,
            objects: line.object.clone(),
            fate: Fate::Answered,
            automatic: Vec::new(),
        });
        if line.class == Class::Vip.as_str() && !wildcard {
            host.automatic.extend(line.data.parse::<IpAddr>());
        }
    }
    found.into_values().collect()
}
