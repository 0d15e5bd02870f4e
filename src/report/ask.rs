//! Asks a catalog as a client would, and takes down how the answer came about.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::explanation::{Explanation, ReportedRecord, Status};
use super::nearby;
use crate::answer::{Cause, Recorder, Topic, Weight, kind};
use crate::catalog::Catalog;
use crate::model::{Defect, Key, Name, NameError, reverse_name};
use crate::wire::{
    ReadReply, Section, Transport, Verdict, plain_query, read_reply, respond_with, type_name, type_number,
};

/// Types that a name is tried for when it does not have the one asked for.
const COMMON_TYPES: [u16; 7] = [kind::A, kind::AAAA, kind::SRV, kind::PTR, kind::TXT, kind::NS, kind::SOA];

/// What to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub name: Name,
    /// The record type.
    pub kind: u16,
}

/// Why a text is not a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuestion {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The type is none.
    #[error("`{0}` is not a record type such as A, AAAA, SRV, PTR or TYPE65")]
    Type(String),
}

impl Question {
    /// Reads a name or an address, and a type. Of an address the reverse name is asked for, with type PTR unless
    /// another is given; of a name the default is A.
    pub fn parse(name: &str, kind: Option<&str>) -> Result<Self, BadQuestion> {
        let address = name.parse::<IpAddr>().ok();
        let kind = match kind.filter(|text| !text.is_empty()) {
            Some(text) => type_number(text).ok_or_else(|| BadQuestion::Type(text.to_owned()))?,
            None if address.is_some() => kind::PTR,
            None => kind::A,
        };
        let name = match address {
            Some(address) => reverse_name(address),
            None => Name::parse(name)?,
        };
        Ok(Self { name, kind })
    }
}

/// Explains the answer to a question. Costs as much as the answer, and where the name does not exist as much as the
/// catalog is large, because names like it are looked for.
pub fn explain(catalog: &Catalog, defects: &[Defect], question: &Question) -> Explanation {
    let (mut recorder, mut reply) = (Recorder::default(), Vec::new());
    let packet = plain_query(&question.name, question.kind);
    let staleness = catalog.staleness().get();
    let verdict = respond_with(catalog, &packet, Transport::Grpc, 0, &mut reply, &mut recorder);
    let is_stale = recorder.steps.iter().any(|step| step.topic == Topic::Stale);
    let upstream = finish(verdict, &mut reply);
    let reply = read_reply(&reply).unwrap_or(ReadReply { rcode: "SERVFAIL".to_owned(), records: Vec::new() });
    let status = status(&reply, upstream.is_some());
    let cause = Cause::of(&recorder.steps);
    let mut found = Explanation {
        name: question.name.to_string(),
        kind: type_name(question.kind),
        verdict: String::new(),
        status,
        reason: cause.text.filter(|_| !status.is_positive()),
        suggestions: Vec::new(),
        zone: catalog.policy.zones.find(question.name.wire()).map(|(zone, _)| zone.name.to_string()),
        ttl: reply.ttl(),
        upstream,
        types: Vec::new(),
        stale: staleness.filter(|_| is_stale).map(Into::into),
        steps: recorder.steps.iter().map(Into::into).collect(),
        objects: Vec::new(),
        rcode: reply.rcode,
        records: reply.records.into_iter().map(ReportedRecord::from).collect(),
        defects: Vec::new(),
    };
    if matches!(status, Status::NxDomain | Status::Refused) && cause.weight < Weight::Cause {
        found.suggestions = nearby::names(catalog, &question.name);
    }
    if status == Status::NoData {
        found.types = other_types(catalog, question);
    }
    let considered: BTreeSet<&Key> = recorder.steps.iter().flat_map(|step| &step.objects).collect();
    found.objects = considered.iter().map(ToString::to_string).collect();
    let concerned =
        |defect: &&Defect| defect.object.as_ref().is_some_and(|object| considered.contains(object));
    found.defects = defects.iter().filter(concerned).map(Into::into).collect();
    found.verdict = sentence(&found, cause.object.as_deref());
    found
}

/// Completes a reply that would wait for an upstream, without asking it; says for what it would be asked.
fn finish(verdict: Verdict, reply: &mut Vec<u8>) -> Option<String> {
    let Verdict::Chase(chase) = verdict else { return None };
    chase.finish(None, reply);
    Some(chase.target().to_string())
}

fn status(reply: &ReadReply, leads_outside: bool) -> Status {
    let answered = reply.records.iter().any(|record| record.section == Section::Answer);
    match (&*reply.rcode, answered) {
        ("NOERROR", true) if leads_outside => Status::Alias,
        ("NOERROR", true) => Status::Records,
        ("NOERROR", false) => Status::NoData,
        ("NXDOMAIN", _) => Status::NxDomain,
        ("REFUSED", _) => Status::Refused,
        _ => Status::Failed,
    }
}

fn other_types(catalog: &Catalog, question: &Question) -> Vec<String> {
    let has = |kind: &u16| {
        let mut reply = Vec::new();
        let packet = plain_query(&question.name, *kind);
        let verdict = respond_with(catalog, &packet, Transport::Grpc, 0, &mut reply, &mut ());
        let upstream = finish(verdict, &mut reply);
        read_reply(&reply).is_some_and(|reply| status(&reply, upstream.is_some()).is_positive())
    };
    COMMON_TYPES.into_iter().filter(|kind| *kind != question.kind).filter(has).map(type_name).collect()
}

fn sentence(found: &Explanation, source: Option<&str>) -> String {
    let asked = format!("{} {}", found.name.trim_end_matches('.'), found.kind);
    let answers = found.records.iter().filter(|record| record.section == "answer").count();
    let ttl = found.ttl.map(|ttl| format!(", TTL {ttl} s")).unwrap_or_default();
    let because = found.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let told = match found.status {
        Status::Records => {
            let plural = if answers == 1 { "" } else { "s" };
            let source = source.map(|object| format!(", from {object}")).unwrap_or_default();
            format!("{asked}: NOERROR, {answers} record{plural}{ttl}{source}")
        }
        Status::Alias => {
            let target = found.upstream.as_deref().unwrap_or_default().trim_end_matches('.');
            format!(
                "{asked}: NOERROR, an alias{ttl}; an upstream resolver is asked for {target}, though not here"
            )
        }
        Status::NoData => {
            let types = match found.types.len() {
                0 => String::new(),
                _ => format!("; the name has {}", found.types.join(", ")),
            };
            format!("{asked}: NODATA{because}{types}")
        }
        Status::NxDomain | Status::Refused | Status::Failed => {
            let guess = match found.suggestions.as_slice() {
                [] => String::new(),
                names => format!("; did you mean {}?", names.join(" or ")),
            };
            format!("{asked}: {}{because}{guess}", found.rcode)
        }
    };
    match &found.stale {
        Some(stale) => format!("{told}; stale: {}", stale.text),
        None => told,
    }
}
