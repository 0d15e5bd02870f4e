//! Any octets on any listener: never a panic, and a reply that anyone can read and that is not too long.

use hickory_proto::op::{Message, MessageType};
use meshdns::wire::Transport;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

use super::ask::{KINDS, query, reply};
use super::{cases, cluster, policy};

const TRANSPORTS: [Transport; 3] = [Transport::Grpc, Transport::Udp, Transport::Tcp];

/// A query with some octets changed, and something behind it.
fn bent_query() -> impl Strategy<Value = Vec<u8>> {
    let names = ["web.shop.svc.cluster.local", "_http._tcp.db.data.svc.cluster.local", "", "api.example.com"];
    let query = (select(names.to_vec()), select(KINDS.to_vec()), proptest::option::of(any::<u16>()))
        .prop_map(|(name, kind, payload)| query(name, kind, payload));
    (query, vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), vec(any::<u8>(), 0..20)).prop_map(
        |(mut packet, changes, tail)| {
            for (at, octet) in changes {
                let at = at.index(packet.len());
                packet[at] = octet;
            }
            packet.extend(tail);
            packet
        },
    )
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn any_packet_gets_a_readable_reply(
        packet in prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => bent_query()],
        objects in cluster::objects(),
        rotation: u32,
    ) {
        let catalog = cluster::catalog(policy::plain(), objects);
        for transport in TRANSPORTS {
            if let Some(reply) = reply(&catalog, &packet, transport, rotation) {
                readable(&packet, &reply, transport)?;
            }
        }
    }
}

fn readable(packet: &[u8], reply: &[u8], transport: Transport) -> Result<(), TestCaseError> {
    let decoded = Message::from_vec(reply).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&reply[..2], &packet[..2]);
    prop_assert_eq!(decoded.metadata.message_type, MessageType::Response);
    let most = match (transport, Message::from_vec(packet)) {
        (Transport::Grpc | Transport::Tcp, _) => 65_535,
        (Transport::Udp, Ok(Message { edns: Some(edns), .. })) => {
            usize::from(edns.max_payload()).clamp(512, 1232)
        }
        // What only looks like a query may get as much as its OPT record asks for.
        (Transport::Udp, Ok(_)) => 512,
        (Transport::Udp, Err(_)) => 1232,
    };
    prop_assert!(reply.len() <= most, "{} octets of {}", reply.len(), most);
    if !decoded.queries.is_empty() {
        let end = question_end(reply);
        prop_assert_eq!(&reply[12..end], &packet[12..end]);
    }
    Ok(())
}

fn question_end(message: &[u8]) -> usize {
    let mut at = 12;
    while message[at] != 0 {
        at += usize::from(message[at]) + 1;
    }
    at + 5
}
