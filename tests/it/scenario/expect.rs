//! What a reply must be.

use std::collections::BTreeMap;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record};

/// The SOA serial of each owner when it was last seen.
pub(crate) type Serials = BTreeMap<String, u32>;

/// What is expected of one reply.
pub(crate) enum Expected {
    /// Exactly this message.
    Message {
        rcode: String,
        flags: Vec<String>,
        answer: Vec<String>,
        authority: Vec<String>,
        additional: Vec<String>,
        /// Owner and TTL of the one SOA in the authority section.
        soa: Option<(String, u32)>,
    },
    /// Another serial than before.
    SerialMoved,
    /// The same serial as before.
    SerialSame,
}

impl Expected {
    pub(crate) fn parse(head: &str, body: &[String]) -> Result<Self, String> {
        match head {
            "serial-moved" => return Ok(Self::SerialMoved),
            "serial-same" => return Ok(Self::SerialSame),
            _ => {}
        }
        let mut words = head.split_whitespace().map(str::to_owned);
        let rcode = words.next().ok_or("no RCODE")?;
        let mut flags: Vec<String> = words.collect();
        flags.sort();
        let (mut answer, mut authority, mut additional, mut soa) = (vec![], vec![], vec![], None);
        for line in body {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(record) = line.strip_prefix("authority ") {
                authority.push(record.to_owned());
            } else if let Some(record) = line.strip_prefix("additional ") {
                additional.push(record.to_owned());
            } else if let Some(rest) = line.strip_prefix("soa ") {
                let (owner, ttl) = rest.split_once(' ').ok_or("soa OWNER TTL expected")?;
                soa = Some((owner.to_owned(), ttl.parse().map_err(|_| format!("bad TTL in {line}"))?));
            } else {
                answer.push(line);
            }
        }
        Ok(Self::Message { rcode, flags, answer, authority, additional, soa })
    }

    /// Compares, and says what differs.
    pub(crate) fn check(&self, packet: &[u8], serials: &mut Serials) -> Result<(), String> {
        let reply =
            Message::from_vec(packet).map_err(|error| format!("the reply does not decode: {error}"))?;
        let before = serials.clone();
        for record in reply.answers.iter().chain(&reply.authorities) {
            if let RData::SOA(soa) = &record.data {
                serials.insert(record.name.to_string().to_lowercase(), soa.serial);
            }
        }
        match self {
            Self::SerialMoved | Self::SerialSame => {
                let moved = *serials != before;
                if moved == matches!(self, Self::SerialMoved) {
                    Ok(())
                } else {
                    Err(format!("serials were {before:?} and are {serials:?}"))
                }
            }
            Self::Message { rcode, flags, answer, authority, additional, soa } => {
                let mut wrong = Vec::new();
                let mut compare = |what: &str, is: String, expected: String| {
                    if is != expected {
                        wrong.push(format!("{what} is {is}, expected {expected}"));
                    }
                };
                compare("RCODE", rcode_text(reply.metadata.response_code), rcode.clone());
                let set = [("aa", reply.metadata.authoritative), ("tc", reply.metadata.truncation)];
                let set: Vec<String> =
                    set.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag.to_owned()).collect();
                compare("flags", set.join(" "), flags.join(" "));
                compare("answer", section(&reply.answers), sorted(answer));
                compare("additional", section(&reply.additionals), sorted(additional));
                match (soa, reply.authorities.as_slice()) {
                    (Some((owner, ttl)), [record]) => {
                        compare("SOA", soa_line(record), format!("{owner} {ttl}"));
                    }
                    (Some((owner, _)), other) => {
                        compare("authority", section(other), format!("one SOA of {owner}"));
                    }
                    (None, records) => compare("authority", section(records), sorted(authority)),
                }
                if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
            }
        }
    }
}

fn rcode_text(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        other => other.to_string(),
    }
}

/// Owner and TTL of an SOA whose minimum equals its TTL or which is capped at 300.
fn soa_line(record: &Record) -> String {
    match &record.data {
        RData::SOA(soa) if record.ttl == soa.minimum.min(300) => format!("{} {}", record.name, record.ttl),
        _ => line(record),
    }
}

fn section(records: &[Record]) -> String {
    sorted(&records.iter().map(line).collect::<Vec<_>>())
}

fn sorted(lines: &[String]) -> String {
    let mut lines = lines.to_vec();
    lines.sort();
    format!("[{}]", lines.join(", "))
}

/// A record in zone file form; the serial of an SOA is written as `*`.
fn line(record: &Record) -> String {
    let data = match &record.data {
        RData::SOA(soa) => format!(
            "{} {} * {} {} {} {}",
            soa.mname, soa.rname, soa.refresh, soa.retry, soa.expire, soa.minimum
        ),
        RData::TXT(text) => text
            .txt_data
            .iter()
            .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
            .collect::<Vec<_>>()
            .join(" "),
        data => data.to_string(),
    };
    // hickory-proto escapes a dash at the start of a label, which zone files need not.
    let name = record.name.to_string().replace("\\-", "-");
    format!("{name} {} {} {} {data}", record.ttl, record.dns_class, record.record_type())
}
