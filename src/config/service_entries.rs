//! `serviceEntries`: how the hosts of Istio ServiceEntries are answered.

use super::field::Field;
use super::ledger::{self, LedgerSettings};
use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;
use crate::catalog::{AutomaticAddresses, Families, Visibility};
use crate::model::{AnswerMode, Cidr};

/// How the hosts of ServiceEntries are answered, as used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntrySettings {
    /// Where automatic addresses come from. Default: the ledger if there are settings for one, else the status of the
    /// object.
    pub addresses: AutomaticAddresses,
    /// What a host without literal addresses is answered with. Default: its automatic address.
    pub answer: AnswerMode,
    /// Whether hosts that proxies themselves look up are answered with their automatic address. Default: no.
    pub answer_self_resolving: bool,
    /// To whom an entry must be visible. Default: everybody.
    pub visible_to: Visibility,
    /// Of which families automatic addresses are. Default: those of the cluster.
    pub families: Families,
    /// Where the ledger takes addresses from: at least one, none overlapping. Default: the ranges of Istio.
    pub ranges: Vec<Cidr>,
    /// Where the ledger is kept. Default: only where addresses come from it.
    pub ledger: Option<LedgerSettings>,
}

impl Default for ServiceEntrySettings {
    fn default() -> Self {
        Self {
            addresses: AutomaticAddresses::default(),
            answer: AnswerMode::default(),
            answer_self_resolving: false,
            visible_to: Visibility::default(),
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
            ("hash", Some(AutomaticAddresses::Hash)),
            ("off", Some(AutomaticAddresses::Off)),
            ("ledger", Some(AutomaticAddresses::Ledger)),
        ];
        section.set("addresses", &mut used.addresses, |field| field.choice(&addresses));
        let answers = AnswerMode::ALL.map(|mode| (mode.as_str(), Some(mode)));
        section.set("answer", &mut used.answer, |field| field.choice(&answers));
        section.set("families", &mut used.families, families);
        section.set("ranges", &mut used.ranges, ledger::ranges);
        section.set("selfResolving", &mut used.answer_self_resolving, |field| {
            field.choice(&[("decline", Some(false)), ("answer", Some(true))])
        });
        section.set("exportedTo", &mut used.visible_to, visible_to);
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

/// `*` and namespaces.
fn visible_to(field: Field<'_>) -> Option<Visibility> {
    if field.is_empty_list() {
        return field.problem("the list is empty: `*`, namespaces or both are expected");
    }
    let mut used = Visibility { public: false, namespaces: Vec::new() };
    for written in field.distinct("`*` or a namespace", caller)? {
        match written {
            None => used.public = true,
            Some(namespace) => used.namespaces.push(namespace),
        }
    }
    Some(used)
}

fn caller(text: &str) -> Result<Option<Box<str>>, String> {
    if text == "*" {
        return Ok(None);
    }
    let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    if text.is_empty() || text.len() > 63 || !text.bytes().all(plain) {
        return Err(format!("`{text}` is neither `*` nor a namespace"));
    }
    Ok(Some(text.into()))
}
