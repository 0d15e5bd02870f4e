//! Packets that are not queries, one by one: the right RCODE where there is a header, silence where there must be.

use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::Change;
use meshdns::source::manifests;
use meshdns::wire::{Transport, Verdict, respond};

const WEB: &str = "
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  clusterIP: 10.96.0.20
  ports: [{name: http, port: 80}]
";

fn catalog() -> Catalog {
    let settings = Settings::read("", "zones: [cluster.local]", &Overrides::default()).unwrap();
    let catalog = Arc::new(Catalog::new(settings.policy()));
    let mut keeper = Keeper::new(catalog.clone());
    keeper.apply(0, Change::Replace(manifests::load_text("web", WEB).objects));
    drop(keeper);
    Arc::into_inner(catalog).unwrap()
}

/// A header with these flags and section counts.
fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut packet = vec![0x12, 0x34];
    packet.extend(flags.to_be_bytes());
    counts.iter().for_each(|count| packet.extend(count.to_be_bytes()));
    packet
}

/// A question for A of a dotted name.
fn question(name: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        octets.push(label.len() as u8);
        octets.extend(label.bytes());
    }
    octets.extend([0, 0, 1, 0, 1]);
    octets
}

fn query(name: &str) -> Vec<u8> {
    [header(0x0100, [1, 0, 0, 0]), question(name)].concat()
}

/// An OPT record of that version that allows replies of that size.
fn opt(version: u8, size: u16) -> Vec<u8> {
    let [high, low] = size.to_be_bytes();
    vec![0, 0, 41, high, low, 0, version, 0, 0, 0, 0]
}

/// The RCODE over a transport; `None` when nothing is sent.
fn rcode(packet: &[u8], transport: Transport) -> Option<ResponseCode> {
    let mut reply = Vec::new();
    match respond(&catalog(), packet, transport, 0, &mut reply) {
        Verdict::Reply => {
            let message = Message::from_vec(&reply).unwrap();
            assert_eq!(reply[..2], packet[..2], "the id is repeated");
            assert!(reply[2] & 0x80 != 0, "a reply says that it is one");
            Some(message.metadata.response_code)
        }
        Verdict::Drop | Verdict::Unreadable => None,
        Verdict::Chase(chase) => panic!("{chase:?}"),
    }
}

#[test]
fn each_bad_packet_gets_its_rcode() {
    let long = ["a123456789012345678901234567890123456789012345678901234567890"; 5].join(".");
    let web = "web.shop.svc.cluster.local";
    let cases: Vec<(&str, Vec<u8>, Option<ResponseCode>)> = vec![
        ("an ordinary query", query(web), Some(ResponseCode::NoError)),
        ("a name over 255 octets", query(&long), Some(ResponseCode::FormErr)),
        ("a label of 64 octets", query(&"a".repeat(64)), Some(ResponseCode::FormErr)),
        ("a truncated question", query(web)[..30].to_vec(), Some(ResponseCode::FormErr)),
        (
            "a question without class",
            query(web)[..query(web).len() - 2].to_vec(),
            Some(ResponseCode::FormErr),
        ),
        ("a header alone", header(0, [1, 0, 0, 0]), Some(ResponseCode::FormErr)),
        ("no question", header(0, [0, 0, 0, 0]), Some(ResponseCode::FormErr)),
        (
            "two questions",
            [header(0, [2, 0, 0, 0]), question(web), question(web)].concat(),
            Some(ResponseCode::FormErr),
        ),
        (
            "a compressed name in the question",
            [header(0, [1, 0, 0, 0]), vec![0xc0, 12, 0, 1, 0, 1]].concat(),
            Some(ResponseCode::FormErr),
        ),
        (
            "opcode STATUS",
            [header(2 << 11, [1, 0, 0, 0]), question(web)].concat(),
            Some(ResponseCode::NotImp),
        ),
        ("opcode UPDATE", header(5 << 11, [0, 0, 0, 0]), Some(ResponseCode::NotImp)),
        (
            "EDNS version 1",
            [header(0, [1, 0, 0, 1]), question(web), opt(1, 1232)].concat(),
            // 16 is BADVERS when it comes with an OPT record, which hickory-proto calls by its other name.
            Some(ResponseCode::BADSIG),
        ),
        (
            "an OPT record that is cut off",
            [header(0, [1, 0, 0, 1]), question(web), opt(0, 1232)[..8].to_vec()].concat(),
            Some(ResponseCode::FormErr),
        ),
        (
            "two OPT records",
            [header(0, [1, 0, 0, 2]), question(web), opt(0, 1232), opt(0, 1232)].concat(),
            Some(ResponseCode::FormErr),
        ),
        ("an unknown name", query("www.example.org"), Some(ResponseCode::Refused)),
        ("less than a header", vec![0x12, 0x34, 1], None),
        ("nothing", Vec::new(), None),
    ];
    for (what, packet, expected) in cases {
        for transport in [Transport::Grpc, Transport::Udp, Transport::Tcp] {
            assert_eq!(rcode(&packet, transport), expected, "{what} over {transport:?}");
        }
    }
}

/// CoreDNS takes a reply without the question for none at all, and says FORMERR in its place.
#[test]
fn what_is_not_implemented_repeats_opcode_and_question() {
    let asked = question("web.shop.svc.cluster.local");
    for opcode in [1, 2, 4, 5] {
        let packet = [header(opcode << 11 | 0x0100, [1, 0, 0, 1]), asked.clone(), opt(0, 1232)].concat();
        let mut reply = Vec::new();
        let verdict = respond(&catalog(), &packet, Transport::Grpc, 0, &mut reply);
        assert!(matches!(verdict, Verdict::Reply));
        assert_eq!(reply[2..4], [0x81 | (opcode << 3) as u8, 4], "opcode {opcode}");
        assert_eq!(reply[12..12 + asked.len()], asked, "opcode {opcode}");
        assert!(Message::from_vec(&reply).unwrap().edns.is_some(), "opcode {opcode}");
    }
}

#[test]
fn a_response_is_never_answered_over_plain_dns() {
    let response = [header(0x8180, [1, 0, 0, 0]), question("web.shop.svc.cluster.local")].concat();
    assert_eq!(rcode(&response, Transport::Udp), None);
    assert_eq!(rcode(&response, Transport::Tcp), None);
    // CoreDNS waits for a reply to each call, and nobody can loop through it.
    assert_eq!(rcode(&response, Transport::Grpc), Some(ResponseCode::FormErr));
}

#[test]
fn random_octets_leave_it_answering() {
    let catalog = catalog();
    let mut octets = vec![0u8; 65_536];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut reply = Vec::new();
    for _ in 0..200 {
        for octet in &mut octets {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *octet = state as u8;
        }
        for transport in [Transport::Grpc, Transport::Udp, Transport::Tcp] {
            if let Verdict::Reply = respond(&catalog, &octets, transport, 0, &mut reply) {
                Message::from_vec(&reply).unwrap();
            }
        }
    }
    let verdict = respond(&catalog, &query("web.shop.svc.cluster.local"), Transport::Udp, 0, &mut reply);
    assert!(matches!(verdict, Verdict::Reply));
    assert_eq!(Message::from_vec(&reply).unwrap().answers.len(), 1);
}
