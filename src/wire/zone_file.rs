//! Messages as people read and write them: types by name, records in zone file form (RFC 1035 §5).

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};

use crate::answer::CLASS_IN;
use crate::model::Name;

/// A reply taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadReply {
    /// The RCODE by its name, such as `NXDOMAIN`.
    pub rcode: String,
    /// The records, OPT left out, in the order of the message.
    pub records: Vec<ReadRecord>,
}

impl ReadReply {
    /// The lowest TTL of the answer; of a negative one how long it may be kept (RFC 2308 §5).
    pub fn ttl(&self) -> Option<u32> {
        let of = |section| self.records.iter().filter(move |record| record.section == section);
        let minimum = |data: &str| data.rsplit(' ').next().and_then(|last| last.parse().ok());
        let negative = of(Section::Authority).filter(|record| record.kind == "SOA");
        let negative = negative.filter_map(|record| Some(record.ttl.min(minimum(&record.data)?)));
        of(Section::Answer).map(|record| record.ttl).min().or_else(|| negative.min())
    }
}

/// Where in a message a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What was asked for.
    Answer,
    /// The SOA of negative answers.
    Authority,
    /// Addresses that will be asked for next.
    Additional,
}

/// A record in zone file form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRecord {
    /// Where it stands.
    pub section: Section,
    /// Its owner, with a final dot.
    pub name: String,
    /// TTL in seconds.
    pub ttl: u32,
    /// Its type by name.
    pub kind: String,
    /// Its data.
    pub data: String,
}

impl Section {
    /// The section as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Section::Answer => "answer",
            Section::Authority => "authority",
            Section::Additional => "additional",
        }
    }
}

/// The number of a record type by its name (`AAAA`) or in the form `TYPE65280` (RFC 3597 §5), in any letter case.
pub fn type_number(text: &str) -> Option<u16> {
    let text = text.to_ascii_uppercase();
    if let Some(number) = text.strip_prefix("TYPE") {
        return number.parse().ok();
    }
    text.parse::<RecordType>().ok().map(u16::from)
}

/// The name of a record type, `TYPE…` for one that has none.
pub fn type_name(number: u16) -> String {
    match RecordType::from(number) {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

/// A query of one question in class IN, as a stub resolver sends it, with ID 0.
pub fn plain_query(name: &Name, kind: u16) -> Vec<u8> {
    let mut packet = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend_from_slice(name.wire());
    packet.extend_from_slice(&kind.to_be_bytes());
    packet.extend_from_slice(&CLASS_IN.to_be_bytes());
    packet
}

/// Takes a reply apart; `None` when it is no message.
pub fn read_reply(packet: &[u8]) -> Option<ReadReply> {
    let message = Message::from_vec(packet).ok()?;
    let sections = [
        (Section::Answer, &message.answers),
        (Section::Authority, &message.authorities),
        (Section::Additional, &message.additionals),
    ];
    let records = sections
        .into_iter()
        .flat_map(|(section, records)| records.iter().map(move |record| read_record(section, record)))
        .filter(|record| record.kind != "OPT")
        .collect();
    Some(ReadReply { rcode: rcode_name(message.metadata.response_code), records })
}

fn read_record(section: Section, record: &Record) -> ReadRecord {
    let data = match &record.data {
        RData::TXT(text) => {
            let quoted = |part: &[u8]| {
                format!("\"{}\"", String::from_utf8_lossy(part).replace('\\', "\\\\").replace('"', "\\\""))
            };
            text.txt_data.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(" ")
        }
        data => data.to_string(),
    };
    ReadRecord {
        section,
        name: record.name.to_string(),
        ttl: record.ttl,
        kind: type_name(u16::from(record.record_type())),
        data,
    }
}

fn rcode_name(rcode: ResponseCode) -> String {
    match rcode {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => format!("RCODE{}", u16::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names_and_numbers() {
        for (text, number, name) in [
            ("aaaa", 28, "AAAA"),
            ("TYPE1", 1, "A"),
            ("type65280", 65280, "TYPE65280"),
            ("https", 65, "HTTPS"),
        ] {
            assert_eq!(type_number(text), Some(number), "{text}");
            assert_eq!(type_name(number), name);
        }
        for text in ["", "AA", "TYPE", "TYPE65536", "TYPE-1", "UNKNOWN"] {
            assert_eq!(type_number(text), None, "{text}");
        }
    }
}
