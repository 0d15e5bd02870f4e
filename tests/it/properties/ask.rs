//! Asking, and what to ask.

use std::collections::BTreeSet;

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use meshdns::catalog::Catalog;
use meshdns::model::reverse_name;
use meshdns::wire::{Transport, Verdict, respond};

use super::cluster::ADDRESSES;

/// The types that questions are asked for.
pub(super) const KINDS: [RecordType; 9] = [
    RecordType::A,
    RecordType::AAAA,
    RecordType::SRV,
    RecordType::PTR,
    RecordType::CNAME,
    RecordType::TXT,
    RecordType::NS,
    RecordType::SOA,
    RecordType::ANY,
];

/// A query, its name as written.
pub(super) fn query(name: &str, kind: RecordType, payload: Option<u16>) -> Vec<u8> {
    let mut packet = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(payload.is_some())];
    // A dot within a label is written with a backslash.
    let name = name.replace("\\.", "\u{1}");
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        let label = label.replace('\u{1}', ".");
        packet.push(label.len() as u8);
        packet.extend_from_slice(label.as_bytes());
    }
    packet.push(0);
    packet.extend_from_slice(&u16::from(kind).to_be_bytes());
    packet.extend_from_slice(&[0, 1]);
    if let Some(size) = payload {
        packet.extend_from_slice(&[0, 0, 41]);
        packet.extend_from_slice(&size.to_be_bytes());
        packet.extend_from_slice(&[0; 6]);
    }
    packet
}

/// The whole reply; an alias that leads elsewhere is finished without an upstream.
pub(super) fn reply(
    catalog: &Catalog,
    packet: &[u8],
    transport: Transport,
    rotation: u32,
) -> Option<Vec<u8>> {
    let mut reply = Vec::new();
    match respond(catalog, packet, transport, rotation, &mut reply) {
        Verdict::Reply => Some(reply),
        Verdict::Chase(chase) => {
            chase.finish(None, &mut reply);
            Some(reply)
        }
        Verdict::Drop | Verdict::Unreadable => None,
    }
}

/// The decoded reply to a question over gRPC.
pub(super) fn ask(catalog: &Catalog, name: &str, kind: RecordType) -> Message {
    let reply = reply(catalog, &query(name, kind, None), Transport::Grpc, 0).unwrap();
    Message::from_vec(&reply).unwrap()
}

/// Every name that the catalog lists or may know, everything above these, and neighbours of them all.
pub(super) fn names(catalog: &Catalog) -> BTreeSet<String> {
    let mut names: BTreeSet<String> =
        catalog.records().into_iter().map(|listed| listed.name.to_ascii_lowercase()).collect();
    let reversed = ADDRESSES.iter().chain(&["240.240.0.1", "240.240.0.2", "fd00:240::1"]);
    names.extend(reversed.map(|text| reverse_name(text.parse().unwrap()).to_string()));
    let pods = [
        "10-0-0-1.shop.pod.cluster.local",
        "x.10-0-0-1.shop.pod.cluster.local",
        "fd00--1.svc.pod.cluster.local",
    ];
    let fixed =
        ["ns.dns.cluster.local", "dns-version.clusterset.local", "eu-1.pin._zone.db.data.svc.cluster.local"];
    names.extend(pods.iter().chain(&fixed).map(|name| (*name).to_owned()));
    let listed: Vec<String> = names.iter().map(|name| name.replace("*.", "x.")).collect();
    for name in &listed {
        names.extend(
            ["_http._tcp", "_grpc._udp", "_._", "10-0-0-1", "db-0.c1"].map(|first| format!("{first}.{name}")),
        );
    }
    let below: Vec<String> = names.iter().map(|name| name.trim_end_matches('.').to_owned()).collect();
    names.clear();
    for name in &below {
        let name = name.replace("*.", "x.");
        names.insert(format!("nope.{name}"));
        let mut rest = name.as_str();
        names.insert(rest.to_owned());
        while let Some((_, above)) = rest.split_once('.') {
            names.insert(above.to_owned());
            rest = above;
        }
    }
    names
}
