//! What `explain` says: one shape for the text, the JSON and the admin listener.

use serde::{Deserialize, Serialize};

use crate::answer::Step;
use crate::catalog::Staleness;
use crate::model::Defect;
use crate::wire::ReadRecord;

/// An answer and how it came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The name that was asked for, with its final dot.
    pub name: String,
    /// The record type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the client gets, and why, in one sentence.
    pub verdict: String,
    /// What kind of answer it is.
    pub status: Status,
    /// The RCODE.
    pub rcode: String,
    /// Why, in words; for answers with records only where there is more to say than the records do.
    pub reason: Option<String>,
    /// Names that exist and look like the one asked for, the likeliest first; at most three.
    pub suggestions: Vec<String>,
    /// The zone that took the name.
    pub zone: Option<String>,
    /// How long the answer may be kept, in seconds; none when it must not be.
    pub ttl: Option<u32>,
    /// For an alias that leads outside: the name that an upstream resolver is asked for. It is not asked here.
    pub upstream: Option<String>,
    /// For NODATA: the record types that the name does have.
    pub types: Vec<String>,
    /// Why the answer may be wrong by now.
    pub stale: Option<ReportedStaleness>,
    /// The steps to the answer, in order.
    pub steps: Vec<ReportedStep>,
    /// The objects that were considered, each once, as `Kind namespace/name`, whether they exist or not.
    pub objects: Vec<String>,
    /// The records of the reply.
    pub records: Vec<ReportedRecord>,
    /// What is wrong with the objects that were considered.
    pub defects: Vec<ReportedDefect>,
}

/// What kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Records.
    Records,
    /// An alias that leads outside: an upstream resolver gives the rest.
    Alias,
    /// The name exists, without records of that type.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// The name is not for us.
    Refused,
    /// The question cannot be answered.
    Failed,
}

impl Status {
    /// Whether the client gets records.
    pub fn is_positive(self) -> bool {
        matches!(self, Status::Records | Status::Alias)
    }
}

/// Why an answer may be wrong by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedStaleness {
    /// Since when nobody has told of changes, in Unix seconds.
    pub since: u64,
    /// In words.
    pub text: String,
}

/// One step to an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedStep {
    /// `zone`, `name`, `object`, `outcome`, `ttl` or `stale`.
    pub topic: String,
    /// What was found.
    pub text: String,
    /// The objects that it is about.
    pub objects: Vec<String>,
}

/// A record of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedRecord {
    /// `answer`, `authority` or `additional`.
    pub section: String,
    /// Owner, with its final dot.
    pub name: String,
    /// TTL in seconds.
    pub ttl: u32,
    /// Record type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Data in zone file form.
    pub data: String,
}

/// Something wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedDefect {
    /// `file:line`, or empty.
    pub place: String,
    /// The object, as `Kind namespace/name`, when so much could be read.
    pub object: Option<String>,
    /// Path of the field; empty for the object as a whole.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

impl From<&Step> for ReportedStep {
    fn from(step: &Step) -> Self {
        Self {
            topic: step.topic.as_str().to_owned(),
            text: step.text.to_string(),
            objects: step.objects.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<Staleness> for ReportedStaleness {
    fn from(staleness: Staleness) -> Self {
        Self { since: staleness.since, text: staleness.to_string() }
    }
}

impl From<ReadRecord> for ReportedRecord {
    fn from(record: ReadRecord) -> Self {
        let section = record.section.as_str().to_owned();
        Self { section, name: record.name, ttl: record.ttl, kind: record.kind, data: record.data }
    }
}

impl From<&Defect> for ReportedDefect {
    fn from(defect: &Defect) -> Self {
        Self {
            place: defect.place.clone(),
            object: defect.object.as_ref().map(ToString::to_string),
            field: defect.field.clone(),
            message: defect.message.clone(),
        }
    }
}

impl std::fmt::Display for ReportedDefect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let object = self.object.as_deref().unwrap_or_default();
        for part in [&*self.place, object, &*self.field].into_iter().filter(|part| !part.is_empty()) {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.message)
    }
}
