use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use prost::Message;
use prost_types::value::Kind as Text;

use super::proto::{
    AdditionalAddress, Address, Any, DiscoveryResponse, LISTENER, Listener, NAME_TABLE, NameInfo, NameTable,
    Node, SocketAddress, address, socket_address,
};
use super::*;
use crate::model::{Change, Defect, Kind, Object, Registry};
use crate::telemetry::metrics::TableAge;

fn info(ips: &[&str], registry: &str) -> NameInfo {
    NameInfo {
        ips: ips.iter().map(|ip| (*ip).to_owned()).collect(),
        registry: registry.to_owned(),
        ..NameInfo::default()
    }
}

fn packed(type_url: &str, message: &impl Message) -> Any {
    Any { type_url: type_url.to_owned(), value: message.encode_to_vec() }
}

fn resource(table: &[(&str, NameInfo)]) -> Any {
    let table = table.iter().map(|(host, info)| ((*host).to_owned(), info.clone())).collect();
    packed(NAME_TABLE, &NameTable { table })
}

fn rows(table: &[(&str, NameInfo)]) -> Rows {
    name_table(&[resource(table)]).unwrap().unwrap()
}

fn told(defects: &[Defect]) -> Vec<String> {
    defects.iter().map(ToString::to_string).collect()
}

fn table(hosts: &[(&str, &str)]) -> Table {
    let rows = rows(&hosts.iter().map(|(host, ip)| (*host, info(&[ip], "External"))).collect::<Vec<_>>());
    Table { rows: rows.rows, version: "v".to_owned(), received: SystemTime::now() }
}

fn response(type_url: &str, version: &str, nonce: &str, resources: Vec<Any>) -> DiscoveryResponse {
    let (version_info, nonce) = (version.to_owned(), nonce.to_owned());
    DiscoveryResponse { version_info, resources, type_url: type_url.to_owned(), nonce }
}

#[test]
fn rows_are_as_istiod_says() {
    let service = NameInfo {
        shortname: "web".to_owned(),
        namespace: "shop".to_owned(),
        ..info(&["10.0.0.1", "fd00::1"], "Kubernetes")
    };
    let Rows { rows, defects } = rows(&[
        ("web.shop.svc.cluster.local", service),
        ("*.wild.internal", info(&["240.240.0.1"], "External")),
        ("Caps.internal", info(&["10.0.0.2", "10.0.0.2"], "Elsewhere")),
        ("nothing.internal", info(&[], "External")),
    ]);
    assert_eq!(defects, []);
    let web = &rows["web.shop.svc.cluster.local"];
    assert_eq!(web.registry, Registry::Kubernetes { short_name: "web".into(), namespace: "shop".into() });
    assert_eq!(web.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1", "fd00::1"]);
    assert!(rows["*.wild.internal"].host.wildcard);
    assert_eq!(rows["Caps.internal"].registry, Registry::External);
    assert_eq!(rows["Caps.internal"].addresses.len(), 2);
    assert!(rows["nothing.internal"].addresses.is_empty());
}

#[test]
fn what_is_bad_costs_only_itself() {
    let found = rows(&[
        ("a..b", info(&["10.0.0.1"], "External")),
        ("half.internal", info(&["10.0.0.0/8", "10.0.0.3"], "External")),
        ("lost.internal", info(&["", "x\ny"], "External")),
        ("good.internal", info(&["10.0.0.4"], "External")),
        ("*", info(&["10.0.0.5"], "External")),
    ]);
    assert_eq!(found.rows.keys().map(|host| &**host).collect::<Vec<_>>(), ["good.internal", "half.internal"]);
    assert_eq!(found.rows["half.internal"].addresses.len(), 1);
    let place = "name table of istiod: name table row";
    assert_eq!(
        told(&found.defects),
        [
            format!(
                "{place} *: host: `*` alone is refused: a wildcard host names the domain below which it applies, as in \
                 `*.example.com`"
            ),
            format!("{place} a..b: host: `a..b` has an empty label"),
            format!("{place} half.internal: ips[0]: `10.0.0.0/8` is not an address"),
            format!("{place} lost.internal: ips[0]: `` is not an address"),
            format!("{place} lost.internal: ips[1]: `x\\ny` is not an address"),
        ]
    );
}

#[test]
fn more_defects_than_anybody_reads_are_counted() {
    let hosts: Vec<String> = (0..1500).map(|number| format!("bad..{number}")).collect();
    let bad: Vec<_> = hosts.iter().map(|host| (host.as_str(), info(&[], "External"))).collect();
    let defects = rows(&bad).defects;
    assert_eq!(defects.len(), 1001);
    assert_eq!(
        defects.last().unwrap().to_string(),
        "name table of istiod: 500 more things are wrong with it"
    );
}

#[test]
fn of_several_resources_the_first_that_names_a_host_counts() {
    let first = resource(&[("a.internal", info(&["10.0.0.1"], "External"))]);
    let second = resource(&[
        ("a.internal", info(&["10.0.0.2"], "External")),
        ("b.internal", info(&["10.0.0.3"], "External")),
    ]);
    let found = name_table(&[first, second]).unwrap().unwrap();
    assert_eq!(found.rows["a.internal"].addresses[0].to_string(), "10.0.0.1");
    assert_eq!(found.rows.len(), 2);
    assert!(told(&found.defects)[0].ends_with("several resources name it: the first counts"));
}

#[test]
fn what_is_no_table_is_refused_as_a_whole() {
    let good = resource(&[("a.internal", info(&["10.0.0.1"], "External"))]);
    let mut broken = good.clone();
    broken.value.truncate(5);
    let cause = name_table(&[good.clone(), broken]).unwrap_err();
    assert!(cause.starts_with("resource 1 does not decode: "), "{cause}");
    let other = Any { type_url: LISTENER.to_owned(), ..good };
    assert_eq!(
        name_table(&[other]).unwrap_err(),
        format!("resource 0 is of type `{LISTENER}` where {NAME_TABLE} is expected")
    );
    assert_eq!(name_table(&[]).unwrap(), None);
    assert_eq!(rows(&[]), Rows::default());
}

#[test]
fn listeners_say_where_they_are_bound() {
    let socket = |ip: &str, port| {
        let port_specifier = Some(socket_address::PortSpecifier::PortValue(port));
        let socket = SocketAddress { address: ip.to_owned(), port_specifier };
        Some(Address { address: Some(address::Address::SocketAddress(socket)) })
    };
    let listener = |address, more: Vec<_>| {
        let additional_addresses = more.into_iter().map(|address| AdditionalAddress { address }).collect();
        packed(LISTENER, &Listener { name: "l".to_owned(), address, additional_addresses })
    };
    let found = listeners(&[
        listener(socket("240.240.0.1", 443), vec![socket("2001:2::1", 443)]),
        listener(socket("/a/pipe", 1), vec![]),
        listener(socket("10.0.0.1", 70_000), vec![]),
        listener(None, vec![None]),
    ])
    .unwrap();
    let found: Vec<String> =
        found.iter().map(|at| format!("{} {} {}", at.listener, at.address, at.port)).collect();
    assert_eq!(found, ["l 240.240.0.1 443", "l 2001:2::1 443"]);
}

#[test]
fn tables_differ_in_what_changed() {
    let old = table(&[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2"), ("c.internal", "10.0.0.3")]);
    let new = table(&[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.9"), ("d.internal", "10.0.0.4")]);
    let said: Vec<String> = new
        .changes_since(&old)
        .iter()
        .map(|change| match change {
            Change::Upsert(Object::TableRow(row)) => format!("{:?} is {:?}", row.host, row.addresses),
            Change::Remove(key) => format!("{key} is gone"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        said,
        ["name table row c.internal is gone", "b.internal is [10.0.0.9]", "d.internal is [10.0.0.4]"]
    );
    assert!(new.changes_since(&new).is_empty());
    let Change::Replace(all) = new.replacement() else { panic!("not a replacement") };
    assert_eq!(all.len(), 3);
}

#[test]
fn the_node_is_a_sidecar_that_captures_dns() {
    let node = NodeIdentity {
        namespace: "shop".to_owned(),
        addresses: vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
        network: "n1".to_owned(),
        auto_allocate: true,
        metadata: [("DNS_CAPTURE".to_owned(), "false".to_owned()), ("X".to_owned(), "y".to_owned())].into(),
        ..NodeIdentity::default()
    };
    let Node { id, cluster, metadata } = node.to_proto();
    assert_eq!(id, "sidecar~10.0.0.1~meshdns.shop~shop.svc.cluster.local");
    assert_eq!(cluster, "meshdns.shop");
    let said: BTreeMap<String, String> = metadata
        .unwrap()
        .fields
        .into_iter()
        .map(|(key, value)| match value.kind {
            Some(Text::StringValue(text)) => (key, text),
            other => panic!("{key}: {other:?}"),
        })
        .collect();
    let expected = [
        ("CLUSTER_ID", "Kubernetes"),
        ("DNS_AUTO_ALLOCATE", "true"),
        ("DNS_CAPTURE", "false"),
        ("INSTANCE_IPS", "10.0.0.1,fd00::1"),
        ("NAMESPACE", "shop"),
        ("NETWORK", "n1"),
        ("X", "y"),
    ];
    assert_eq!(said, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
}

#[test]
fn the_node_stands_in_the_first_request_only() {
    let mut exchange = Exchange::new(&NodeIdentity::default(), Subscriptions::WithListeners);
    let first = exchange.first_requests();
    assert_eq!(
        first.iter().map(|request| request.type_url.as_str()).collect::<Vec<_>>(),
        [NAME_TABLE, LISTENER]
    );
    assert!(first[0].node.is_some() && first[1].node.is_none());
    assert!(first.iter().all(|request| request.version_info.is_empty() && request.response_nonce.is_empty()));
}

#[test]
fn what_can_be_used_is_acknowledged_and_what_cannot_refused() {
    let mut exchange = Exchange::new(&NodeIdentity::default(), Subscriptions::NameTable);
    let good = resource(&[("a.internal", info(&["10.0.0.1"], "External"))]);
    let (step, reply) = exchange.take(response(NAME_TABLE, "1", "n1", vec![good.clone()]));
    assert!(matches!(step, Step::Table(rows, version) if rows.rows.len() == 1 && version == "1"));
    let reply = reply.unwrap();
    assert_eq!((reply.version_info.as_str(), reply.response_nonce.as_str()), ("1", "n1"));
    assert_eq!((reply.type_url.as_str(), reply.node, reply.error_detail), (NAME_TABLE, None, None));

    let bad = Any { value: vec![0xff], ..good.clone() };
    let (step, reply) = exchange.take(response(NAME_TABLE, "2", "n2", vec![bad]));
    assert!(matches!(step, Step::BadTable(_)));
    let reply = reply.unwrap();
    assert_eq!((reply.version_info.as_str(), reply.response_nonce.as_str()), ("1", "n2"));
    let detail = reply.error_detail.unwrap();
    assert_eq!(detail.code, 3);
    assert!(detail.message.starts_with("resource 0 does not decode"), "{}", detail.message);

    let (step, reply) = exchange.take(response(NAME_TABLE, "3", "n3", vec![]));
    assert!(matches!(step, Step::Nothing));
    assert_eq!(reply.unwrap().version_info, "3");
}

#[test]
fn types_that_nobody_asked_for_are_told_once_and_not_answered() {
    let mut exchange = Exchange::new(&NodeIdentity::default(), Subscriptions::NameTable);
    for (type_url, is_told) in [(LISTENER, true), (LISTENER, false), ("", true), ("", false)] {
        let (step, reply) = exchange.take(response(type_url, "1", "n", vec![]));
        assert!(reply.is_none());
        assert_eq!(matches!(step, Step::Strange(_)), is_told, "{type_url}: {step:?}");
    }
    let told = (0..100).filter(|number| {
        let (step, _) = exchange.take(response(&format!("type-{number}"), "1", "n", vec![]));
        matches!(step, Step::Strange(_))
    });
    assert!(told.count() < 20);
}

#[test]
fn a_table_is_current_until_it_is_not_confirmed_any_more() {
    let mut status = Status::default();
    assert_eq!(status.figures().age, TableAge::NoTable);
    let received = SystemTime::now() - Duration::from_secs(3600);
    status.table = Some(table(&[("a.internal", "10.0.0.1")]).into());
    (status.current, status.confirmed) = (true, Some(received));
    assert_eq!(status.figures().age, TableAge::Current, "an hour without news is no hour of doubt");
    status.outdate(Duration::from_secs(40));
    let TableAge::Since(at) = status.figures().age else { panic!("{:?}", status.figures()) };
    let age = at.elapsed().unwrap();
    assert!((40..45).contains(&age.as_secs()), "{age:?}");
    status.outdate(Duration::ZERO);
    assert_eq!(status.figures().age, TableAge::Since(at), "it is not younger for being lost twice");
}

#[test]
fn those_who_wait_are_told_why() {
    let mut status = Status::default();
    assert_eq!(status.waits_for(), "connecting");
    status.link = Link::Up;
    assert_eq!(status.waits_for(), "it has not sent a table yet");
    status.refused = Some("resource 0 is bad".to_owned());
    assert_eq!(status.waits_for(), "its table cannot be used: resource 0 is bad");
    status.link = Link::Down("connection refused".to_owned());
    assert_eq!(status.waits_for(), "connection refused");
    status.table = Some(table(&[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.1")]).into());
    assert_eq!(status.report().objects, BTreeMap::from([(Kind::TableRow, 2)]));
}

#[test]
fn endpoints_are_hosts_with_ports() {
    for text in ["istiod.istio-system.svc:15012", "10.0.0.1:1", "[fd00::1]:15010", "Istiod:65535"] {
        assert_eq!(Endpoint::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "", ":", ":1", "a", "a:", "a:0", "a:+1", "a:65536", "fd00::1", "[::1]", "[a]:1", ".:1", "a b:1",
        "a/b:1",
    ] {
        assert!(
            Endpoint::parse(text).unwrap_err().starts_with(&format!("`{text}` is not a host with a port"))
        );
    }
}

fn check(octets: &[u8]) {
    let Ok(response) = DiscoveryResponse::decode(octets) else { return };
    let mut exchange = Exchange::new(&NodeIdentity::default(), Subscriptions::WithListeners);
    let (step, _) = exchange.take(response);
    if let Step::Table(rows, _) = step {
        assert!(rows.rows.iter().all(|(host, row)| **host == *row.host.text));
        assert!(rows.defects.iter().all(|defect| defect.to_string().lines().count() == 1));
    }
}

proptest! {
    #[test]
    fn any_octets_are_taken_or_refused(octets in any::<Vec<u8>>()) {
        check(&octets);
    }

    #[test]
    fn any_table_is_taken(hosts in proptest::collection::btree_map(".{0,9}|[a-z.*]{0,9}", ".{0,9}|[0-9.:]{0,9}", 0..9)) {
        let table = hosts.iter().map(|(host, ip)| (host.clone(), info(&[ip], "External"))).collect();
        let resources = vec![packed(NAME_TABLE, &NameTable { table })];
        check(&response(NAME_TABLE, "1", "n", resources).encode_to_vec());
    }

    #[test]
    fn changes_lead_from_any_table_to_any_other(
        old in proptest::collection::btree_map("[a-d]", "10\\.0\\.0\\.[1-3]", 0..4),
        new in proptest::collection::btree_map("[a-d]", "10\\.0\\.0\\.[1-3]", 0..4),
    ) {
        let of = |hosts: &BTreeMap<String, String>| {
            table(&hosts.iter().map(|(host, ip)| (host.as_str(), ip.as_str())).collect::<Vec<_>>())
        };
        let (old, new) = (of(&old), of(&new));
        let mut rows = old.rows.clone();
        for change in new.changes_since(&old) {
            match change {
                Change::Upsert(Object::TableRow(row)) => {
                    let host = row.host.text.clone();
                    prop_assert_ne!(rows.insert(host, row.clone()), Some(row));
                }
                Change::Remove(key) => prop_assert!(rows.remove(&*key.name.name).is_some()),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(rows, new.rows);
    }
}
