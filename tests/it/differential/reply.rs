//! What a reply says, without what carries no meaning: message id, compression, the order of records, the serial of an SOA.

use std::fmt;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};

/// A reply, or none.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// One that can be read.
    Said(Box<Said>),
    /// Octets that are no message.
    Unreadable(String),
    /// Nothing came.
    Silence,
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) rcode: ResponseCode,
    /// `qr`, `aa` and so on, and the operation.
    pub(super) head: String,
    pub(super) truncated: bool,
    pub(super) question: String,
    /// Aliases first, in their order; then the others, sorted.
    pub(super) answer: Vec<Line>,
    pub(super) authority: Vec<Line>,
    pub(super) additional: Vec<Line>,
    pub(super) edns: Option<Edns>,
}

/// A record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// In the letter case of the reply.
    pub(super) owner: String,
    pub(super) ttl: u32,
    pub(super) kind: RecordType,
    pub(super) data: String,
}

/// An OPT record.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Edns {
    pub(super) version: u8,
    pub(super) size: u16,
    pub(super) flags: String,
    /// Codes and contents, as text.
    pub(super) options: Vec<String>,
}

impl Reply {
    pub(super) fn read(octets: Option<&[u8]>) -> Self {
        let Some(octets) = octets else { return Self::Silence };
        match Message::from_vec(octets) {
            Ok(message) => Self::Said(Box::new(Said::of(&message))),
            Err(error) => Self::Unreadable(format!("{error}: {octets:02x?}")),
        }
    }

    pub(super) fn said(&self) -> Option<&Said> {
        match self {
            Self::Said(said) => Some(said),
            _ => None,
        }
    }

    /// What holds for a reply that was cut, too.
    pub(super) fn head(&self) -> Option<(ResponseCode, &str, &str)> {
        self.said().map(|said| (said.rcode, said.head.as_str(), said.question.as_str()))
    }

    /// Whether something was left out because it did not fit.
    pub(super) fn is_truncated(&self) -> bool {
        self.said().is_some_and(|said| said.truncated)
    }
}

impl Said {
    fn of(message: &Message) -> Self {
        let metadata = &message.metadata;
        let flags = [
            (metadata.authoritative, "aa"),
            (metadata.recursion_desired, "rd"),
            (metadata.recursion_available, "ra"),
            (metadata.authentic_data, "ad"),
            (metadata.checking_disabled, "cd"),
        ];
        let set: Vec<&str> = flags.iter().filter_map(|(set, name)| set.then_some(*name)).collect();
        let queries: Vec<String> = message.queries.iter().map(ToString::to_string).collect();
        Self {
            rcode: metadata.response_code,
            head: format!("{:?} {:?} {}", metadata.message_type, metadata.op_code, set.join(" ")),
            truncated: metadata.truncation,
            question: queries.join(", "),
            answer: lines(&message.answers),
            authority: lines(&message.authorities),
            additional: lines(&message.additionals),
            edns: message.edns.as_ref().map(|edns| Edns {
                version: edns.version(),
                size: edns.max_payload(),
                flags: format!("{:?}", edns.flags()),
                options: edns
                    .options()
                    .as_ref()
                    .iter()
                    .map(|(code, option)| format!("{code:?} {option:?}"))
                    .collect(),
            }),
        }
    }

    /// The name exists without such a record.
    pub(super) fn is_no_data(&self) -> bool {
        self.rcode == ResponseCode::NoError && self.answer.is_empty()
    }

    /// The name does not exist.
    pub(super) fn is_no_such_name(&self) -> bool {
        self.rcode == ResponseCode::NXDomain
    }

    /// Records become "the name exists without such a record", which the SOA of this zone says.
    pub(super) fn becomes_no_data(&mut self, soa: Line) {
        self.rcode = ResponseCode::NoError;
        self.truncated = false;
        self.answer.clear();
        self.additional.clear();
        self.authority = vec![soa];
    }

    /// Sorts the records again after a change.
    pub(super) fn sort(&mut self) {
        for section in [&mut self.answer, &mut self.authority, &mut self.additional] {
            sort(section);
        }
    }
}

fn lines(records: &[Record]) -> Vec<Line> {
    let mut lines: Vec<Line> = records.iter().map(Line::of).collect();
    sort(&mut lines);
    lines
}

/// Aliases stay where they are; what they lead to follows in any order.
fn sort(lines: &mut [Line]) {
    lines.sort_by(|one, other| {
        let is_alias = |line: &Line| line.kind == RecordType::CNAME;
        match (is_alias(one), is_alias(other)) {
            (true, true) => std::cmp::Ordering::Equal,
            (one_is, other_is) => other_is.cmp(&one_is).then_with(|| one.cmp(other)),
        }
    });
}

impl Line {
    fn of(record: &Record) -> Self {
        let data = match &record.data {
            RData::SOA(soa) => format!(
                "{} {} serial {} {} {} {}",
                soa.mname, soa.rname, soa.refresh, soa.retry, soa.expire, soa.minimum
            ),
            data => data.to_string(),
        };
        Self { owner: record.name.to_string(), ttl: record.ttl, kind: record.record_type(), data }
    }

    pub(super) fn new(owner: &str, ttl: u32, kind: RecordType, data: &str) -> Self {
        Self { owner: owner.to_owned(), ttl, kind, data: data.to_owned() }
    }

    /// The SOA that says what does not exist in a zone, written like this.
    pub(super) fn soa(zone: &str, ttl: u32) -> Self {
        let data = format!("ns.dns.{zone} hostmaster.{zone} serial 7200 1800 86400 {ttl}");
        Self::new(zone, ttl.min(300), RecordType::SOA, &data)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(said) => said.fmt(f),
            Self::Unreadable(why) => writeln!(f, "    unreadable: {why}"),
            Self::Silence => writeln!(f, "    no reply"),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let truncated = if self.truncated { " tc" } else { "" };
        writeln!(f, "    {:?}{truncated} {}; {}", self.rcode, self.head, self.question)?;
        let sections =
            [("answer", &self.answer), ("authority", &self.authority), ("additional", &self.additional)];
        for (name, lines) in sections {
            for line in lines {
                writeln!(f, "    {name}: {} {} {} {}", line.owner, line.ttl, line.kind, line.data)?;
            }
        }
        if let Some(Edns { version, size, flags, options }) = &self.edns {
            writeln!(f, "    EDNS {version}, {size}, {flags}, {options:?}")?;
        }
        Ok(())
    }
}
