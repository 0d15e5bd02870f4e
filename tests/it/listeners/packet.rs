//! DNS messages as a client writes and reads them.

use std::net::Ipv4Addr;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// A query for addresses.
pub(crate) fn query(id: u16, name: &str) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::A));
    message.to_vec().unwrap()
}

/// What a reply says, in short.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) id: u16,
    pub(crate) rcode: ResponseCode,
    /// The data of the answer section.
    pub(crate) answer: Vec<String>,
}

/// Reads a reply.
pub(crate) fn read(packet: &[u8]) -> Said {
    let message = Message::from_vec(packet).unwrap();
    assert_eq!(message.metadata.message_type, MessageType::Response);
    Said {
        id: message.metadata.id,
        rcode: message.metadata.response_code,
        answer: message.answers.iter().map(|record| record.data.to_string()).collect(),
    }
}

/// An upstream's reply to a query: these addresses.
pub(crate) fn reply(query: &[u8], addresses: &[Ipv4Addr]) -> Message {
    let asked = Message::from_vec(query).unwrap();
    let mut message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    let question = asked.queries[0].clone();
    for address in addresses {
        message.add_answer(Record::from_rdata(question.name().clone(), 30, RData::A(A(*address))));
    }
    message.add_query(question);
    message
}
