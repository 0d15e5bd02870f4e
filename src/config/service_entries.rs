//! `serviceEntries`: how the hosts of Istio ServiceEntries are answered.
//!
//! What a later version will know (`ledger`, other `ranges`) is recognised and refused; written with its default value
//! it is accepted.

use super::field::Field;
use super::section::Section;
use crate::catalog::{AutomaticAddresses, Families, Visibility};
use crate::model::{AnswerMode, Cidr};

/// The ranges that Istio allocates from, the default of `ranges`.
const RANGES: [&str; 2] = ["240.240.0.0/16", "2001:2::/48"];

/// How the hosts of ServiceEntries are answered, as used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceEntrySettings {
    /// Where automatic addresses come from. Default: the status of the object.
    pub addresses: AutomaticAddresses,
    /// What a host without literal addresses is answered with. Default: its automatic address.
    pub answer: AnswerMode,
    /// Whether hosts that proxies themselves look up are answered with their automatic address. Default: no.
    pub answer_self_resolving: bool,
    /// To whom an entry must be visible. Default: everybody.
    pub visible_to: Visibility,
    /// Of which families automatic addresses are. Default: those of the cluster.
    pub families: Families,
}

impl ServiceEntrySettings {
    /// Reads the section `serviceEntries`.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut used = Self::default();
        let addresses = [
            ("status", Some(AutomaticAddresses::Status)),
            ("hash", Some(AutomaticAddresses::Hash)),
            ("off", Some(AutomaticAddresses::Off)),
            ("ledger", None),
        ];
        section.set("addresses", &mut used.addresses, |field| field.choice(&addresses));
        let answers = AnswerMode::ALL.map(|mode| (mode.as_str(), Some(mode)));
        section.set("answer", &mut used.answer, |field| field.choice(&answers));
        section.set("families", &mut used.families, families);
        ranges(section);
        section.set("selfResolving", &mut used.answer_self_resolving, |field| {
            field.choice(&[("decline", Some(false)), ("answer", Some(true))])
        });
        section.set("exportedTo", &mut used.visible_to, visible_to);
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
fn ranges(section: &mut Section<'_>) {
    let Some(field) = section.take("ranges") else { return };
    let (report, place) = (field.report, field.place.clone());
    let parse = |text: &str| Cidr::parse(text).map_err(|error| error.to_string());
    let Some(written) = field.distinct("a range of addresses", parse) else { return };
    let mut default = RANGES.into_iter().filter_map(|text| Cidr::parse(text).ok());
    let other = written.len() != RANGES.len() || !default.all(|range| written.contains(&range));
    if other && !report.knows(&["serviceEntries.ranges"]) {
        report.add(&place, "other ranges than [240.240.0.0/16, \"2001:2::/48\"] are not supported yet");
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
