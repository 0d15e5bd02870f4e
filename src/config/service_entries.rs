//! `serviceEntries`: how the hosts of Istio ServiceEntries are answered.
//!
//! What a later version will know (`hash`, `endpoints`, `decline`, other `exportedTo`) is recognised and refused;
//! written with its default value it is accepted.

use super::field::Field;
use super::ledger::{self, LedgerSettings};
use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;
use crate::catalog::{AutomaticAddresses, Families};
use crate::model::Cidr;

/// How the hosts of ServiceEntries are answered, as used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntrySettings {
    /// Where automatic addresses come from. Default: the ledger if there are settings for one, else the status of the
    /// object.
    pub addresses: AutomaticAddresses,
    /// What a host without literal addresses is answered with. Default: its automatic address.
    pub answer: EntryAnswer,
    /// Of which families automatic addresses are. Default: those of the cluster.
    pub families: Families,
    /// Where the ledger takes addresses from: at least one, none overlapping. Default: the ranges of Istio.
    pub ranges: Vec<Cidr>,
    /// Where the ledger is kept. Default: only where addresses come from it.
    pub ledger: Option<LedgerSettings>,
}

/// What a host without literal addresses is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EntryAnswer {
    /// Its automatic address. The default.
    #[default]
    Vip,
}

impl Default for ServiceEntrySettings {
    fn default() -> Self {
        Self {
            addresses: AutomaticAddresses::default(),
            answer: EntryAnswer::default(),
            families: Families::default(),
            ranges: ledger::default_ranges(),
            ledger: None,
        }
    }
}

impl ServiceEntrySettings {
    /// Reads the section `serviceEntries`.
    pub(super) fn read(report: &Report, section: &mut Section<'_>, overrides: &Overrides) -> Self {
        let ledger = LedgerSettings::read(report, section, overrides);
        let mut used = Self { ledger, ..Self::default() };
        if used.ledger.is_some() {
            used.addresses = AutomaticAddresses::Ledger;
        }
        let addresses = [
            ("status", Some(AutomaticAddresses::Status)),
            ("off", Some(AutomaticAddresses::Off)),
            ("hash", None),
            ("ledger", Some(AutomaticAddresses::Ledger)),
        ];
        section.set("addresses", &mut used.addresses, |field| field.choice(&addresses));
        let answers = [("vip", Some(EntryAnswer::Vip)), ("endpoints", None), ("decline", None)];
        section.set("answer", &mut used.answer, |field| field.choice(&answers));
        section.set("families", &mut used.families, families);
        section.set("ranges", &mut used.ranges, ledger::ranges);
        exported_to(section);
        match used.addresses {
            AutomaticAddresses::Ledger => used.ledger = Some(used.ledger.unwrap_or_default()),
            AutomaticAddresses::Off => {
                used.ledger = None;
                if section.has("ledger") {
                    report.add_missing(
                        "serviceEntries.ledger",
                        "there is nothing to remember with addresses: off",
                    );
                }
            }
            AutomaticAddresses::Status | AutomaticAddresses::Hash => {}
        }
        used
    }
}

fn families(field: Field<'_>) -> Option<Families> {
    if field.is("auto") {
        return Some(Families::Auto);
    }
    if field.is_empty_list() {
        return field.problem("the list is empty: auto or a list of IPv4 and IPv6 is expected");
    }
    let found = field.distinct("IPv4 or IPv6", |text| match text {
        "IPv4" => Ok(Families::Ipv4),
        "IPv6" => Ok(Families::Ipv6),
        _ => Err(format!("`{text}` is unknown: IPv4 or IPv6 is expected")),
    })?;
    match found.as_slice() {
        [one] => Some(*one),
        _ => Some(Families::Dual),
    }
}

/// Only the default can be written.
fn exported_to(section: &mut Section<'_>) {
    let Some(field) = section.take("exportedTo") else { return };
    let (report, place) = (field.report, field.place.clone());
    let Some(written) = field.distinct("`*`, `.` or a namespace", |text| Ok(text.to_owned())) else { return };
    if written != ["*"] && !report.knows(&["serviceEntries.exportedTo"]) {
        report.add(&place, "other values than [\"*\"] are not supported yet");
    }
}
