//! Answers that may be wrong by now say so (RFC 8914), and that costs them nothing.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use meshdns::catalog::{Catalog, StaleFrom, Staleness};
use meshdns::model::{
    Addressing, Endpoint, EndpointAddress, EndpointSlice, Labels, Object, ObjectName, Service,
};
use meshdns::wire::Transport;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

use super::ask::{KINDS, names, query, reply};
use super::{cases, cluster, policy};

const SINCE: Staleness = Staleness { since: 1_795_262_400, from: StaleFrom::Memory };
const TEXT: &str = "Kubernetes API unreachable, data of 2026-11-21T12:00:00Z";
/// An option without text.
const BARE: usize = 6;

/// A headless service of so many endpoints, which fills messages to different degrees.
fn large(endpoints: u8) -> [Object; 2] {
    let name = ObjectName::new("shop", "large");
    let endpoint = |number: u8| Endpoint {
        addresses: [EndpointAddress::Ip([10, 9, 0, number].into())].into_iter().collect(),
        hostname: None,
        ready: true,
        serving: true,
        terminating: false,
        target: None,
        zone: None,
    };
    [
        Object::Service(Service {
            written: None,
            name: name.clone(),
            labels: Labels::default(),
            addressing: Addressing::Headless,
            ports: [].into(),
            selects_pods: true,
            ttl: None,
        }),
        Object::EndpointSlice(EndpointSlice {
            written: None,
            service: Some(name.name.clone()),
            name,
            labels: Labels::default(),
            import: None,
            ports: [].into(),
            endpoints: (0..endpoints).map(endpoint).collect(),
            mirrored: false,
        }),
    ]
}

/// Info code and text of the Extended DNS Error in a reply.
fn error(message: &Message) -> Option<(u16, String)> {
    let options = message.edns.as_ref()?.options();
    let EdnsOption::Unknown(15, data) = options.get(EdnsCode::from(15))? else { return None };
    let (code, text) = data.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*code), String::from_utf8(text.to_vec()).ok()?))
}

/// Checks one question, asked when nothing is stale and when everything is.
fn checked(catalog: &Catalog, packet: &[u8], transport: Transport, most: usize) -> Result<(), TestCaseError> {
    catalog.staleness().set(None);
    let before = catalog.staleness().answers();
    let fresh = reply(catalog, packet, transport, 0).unwrap();
    prop_assert_eq!(catalog.staleness().answers(), before);
    catalog.staleness().set(Some(SINCE));
    let stale = reply(catalog, packet, transport, 0).unwrap();
    let counted = catalog.staleness().answers() - before;
    let message = Message::from_vec(&stale).unwrap();
    prop_assert!(stale.len() <= most, "{} octets of {}", stale.len(), most);
    let rcode = message.metadata.response_code;
    let said = error(&message);
    if counted == 0 {
        prop_assert_eq!(&fresh, &stale, "an answer that no object decides about");
        let of_zone = |record: &&hickory_proto::rr::Record| {
            matches!(record.record_type(), RecordType::SOA | RecordType::TXT)
        };
        let others = message.answers.iter().filter(|record| !of_zone(record)).count();
        let is_ours = message.metadata.authoritative;
        prop_assert!(!is_ours || others == 0 && !message.answers.is_empty());
        return Ok(());
    }
    prop_assert_eq!(counted, 1);
    let Some(_) = &message.edns else {
        prop_assert_eq!(&fresh, &stale, "no room for it without EDNS");
        return Ok(());
    };
    let records = fresh.len() - 2;
    prop_assert_eq!(&fresh[..records], &stale[..records], "not one record is lost");
    let code = if rcode == ResponseCode::NXDomain { 19 } else { 3 };
    let expected = match most - fresh.len() {
        room if room >= BARE + TEXT.len() => Some((code, TEXT.to_owned())),
        room if room >= BARE => Some((code, String::new())),
        _ => None,
    };
    prop_assert_eq!(said, expected);
    Ok(())
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn every_stale_answer_says_so_where_there_is_room(
        policy in policy::any(),
        mut objects in cluster::objects(),
        size in 512u16..1300,
    ) {
        objects.extend(large(3));
        let catalog = cluster::catalog(policy, objects);
        for name in names(&catalog) {
            for kind in KINDS {
                let udp = query(&name, kind, Some(size));
                checked(&catalog, &udp, Transport::Udp, usize::from(size.min(1232)))?;
                checked(&catalog, &query(&name, kind, None), Transport::Udp, 512)?;
                checked(&catalog, &udp, Transport::Grpc, 65_535)?;
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_full_message_loses_the_text_and_then_the_error(
        endpoints in 20u8..90,
        size in 512u16..1300,
        label in "[a-z]{0,16}",
        kind in select(&[RecordType::A, RecordType::SRV][..]),
    ) {
        let mut objects = vec![cluster::namespace("shop")];
        objects.extend(large(endpoints));
        let catalog = cluster::catalog(policy::plain(), objects);
        // The name of a query that does not exist fills the message too.
        for name in ["large.shop.svc.cluster.local".to_owned(), format!("{label}.shop.svc.cluster.local")] {
            checked(&catalog, &query(&name, kind, Some(size)), Transport::Udp, usize::from(size.min(1232)))?;
        }
    }
}
