//! Aliases that lead to names of others: the query for the target, and the reply made of what came back.
//!
//! Rules, as CoreDNS's kubernetes plugin has them: the alias stands in front, the answer section of the lookup
//! follows with its TTLs untouched, TC is copied, and the lookup's RCODE is not: whatever goes wrong, the client
//! gets NOERROR with the alias alone. Of the upstream's records only those are taken that belong to the target: its
//! own aliases, and records of the asked type at their end.

use std::collections::BTreeSet;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name as MessageName, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};

use super::encode::Encoder;
use super::request::{HEADER, MAX_UDP, OwnedFrame};
use crate::answer::{Alias, Data, Records};
use crate::catalog::Staleness;
use crate::model::Name;

/// The longest chain of aliases that is taken from an upstream: what other resolvers follow at most.
const MAX_ALIASES: usize = 16;

/// A reply that waits for a lookup elsewhere.
#[derive(Debug)]
pub struct Chase {
    frame: OwnedFrame,
    aliases: Vec<Alias>,
    ttl: u32,
    target: Name,
    stale: Option<Staleness>,
}

/// What is looked up: equal keys can share one lookup.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChaseKey {
    target: Name,
    kind: u16,
}

impl Chase {
    pub(super) fn new(
        frame: OwnedFrame,
        aliases: Vec<Alias>,
        ttl: u32,
        target: Name,
        stale: Option<Staleness>,
    ) -> Self {
        Self { frame, aliases, ttl, target, stale }
    }

    /// The name that is looked up.
    pub fn target(&self) -> &Name {
        &self.target
    }

    /// What is looked up.
    pub fn key(&self) -> ChaseKey {
        ChaseKey { target: self.target.clone(), kind: self.frame.kind }
    }

    /// The query to send upstream: recursion desired, with an OPT record.
    pub fn query(&self, id: u16) -> Vec<u8> {
        self.key().query(id)
    }

    /// Whether a packet answers that query.
    pub fn accepts(&self, id: u16, packet: &[u8]) -> bool {
        self.key().accepts(id, packet)
    }

    /// Whether a packet says that it was cut: ask again over TCP.
    pub fn is_truncated(packet: &[u8]) -> bool {
        packet.len() >= HEADER && packet[2] & 0x02 != 0
    }

    /// Writes the reply; `None` when the lookup failed.
    pub fn finish(&self, upstream: Option<&[u8]>, reply: &mut Vec<u8>) {
        let frame = self.frame.frame();
        let mut encoder = Encoder::begin(&frame, reply);
        encoder.mark(self.stale);
        let aliases = self.aliases.iter().map(|alias| Alias { target: alias.target.clone() }).collect();
        encoder.data(&Data { aliases, records: Records::None, ttl: self.ttl });
        if let Some(packet) = upstream
            && let Ok(message) = Message::from_vec(packet)
        {
            encoder.upstream(&self.key().belonging(&message.answers), Self::is_truncated(packet));
        }
        encoder.finish();
    }
}

impl ChaseKey {
    /// The query to send upstream: recursion desired, with an OPT record.
    pub fn query(&self, id: u16) -> Vec<u8> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.message_name(), RecordType::from(self.kind)));
        let mut edns = Edns::new();
        edns.set_max_payload(MAX_UDP as u16);
        message.set_edns(edns);
        message.to_vec().unwrap_or_default()
    }

    /// Whether a packet answers that query: a response with its id and question.
    pub fn accepts(&self, id: u16, packet: &[u8]) -> bool {
        let Ok(message) = Message::from_vec(packet) else { return false };
        message.metadata.id == id
            && message.metadata.message_type == MessageType::Response
            && matches!(message.queries.as_slice(), [query] if query.name() == &self.message_name()
                && query.query_type() == RecordType::from(self.kind)
                && query.query_class() == DNSClass::IN)
    }

    /// Of an upstream's records those that answer the query, each encoded without compression: the aliases that lead
    /// on from the target, in their order, and the records at the end.
    fn belonging(&self, records: &[Record]) -> Vec<Vec<u8>> {
        let mut at = self.message_name();
        let mut seen = BTreeSet::from([at.clone()]);
        let mut taken = Vec::new();
        while taken.len() < MAX_ALIASES
            && let Some(alias) = records.iter().find(|record| record.name == at && is_alias(record))
        {
            taken.push(alias);
            let RData::CNAME(target) = &alias.data else { break };
            at = target.0.clone();
            if !seen.insert(at.clone()) {
                break;
            }
        }
        let wanted = RecordType::from(self.kind);
        taken.extend(records.iter().filter(|record| record.name == at && record.record_type() == wanted));
        taken.into_iter().filter(|record| record.dns_class == DNSClass::IN).filter_map(encoded).collect()
    }

    fn message_name(&self) -> MessageName {
        let labels: Vec<&[u8]> = self.target.labels().collect();
        MessageName::from_labels(labels).unwrap_or_else(|_| MessageName::root())
    }
}

fn is_alias(record: &Record) -> bool {
    matches!(record.data, RData::CNAME(_))
}

fn encoded(record: &Record) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut encoder = BinEncoder::new(&mut octets);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    record.emit(&mut encoder).ok()?;
    Some(octets)
}
