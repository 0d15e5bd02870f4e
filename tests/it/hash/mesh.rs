//! A catalog in which addresses are computed, built as the server builds it, and what it answers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Host, Labels, Object, ObjectName, Resolution, ServiceEntry};
use meshdns::wire::{Transport, Verdict, respond};

/// A keeper with its catalog.
pub(super) struct Mesh {
    catalog: Arc<Catalog>,
    pub(super) keeper: Keeper,
}

impl Mesh {
    pub(super) fn of(objects: Vec<Object>) -> Self {
        let settings = "zones: [cluster.local]\nserviceEntries: {addresses: hash, selfResolving: answer}";
        let settings = Settings::read("settings", settings, &Overrides::default()).unwrap();
        let catalog = Arc::new(Catalog::new(settings.policy()));
        let mut keeper = Keeper::with_allocator(catalog.clone(), settings.allocator());
        keeper.apply(0, Change::Replace(objects));
        Self { catalog, keeper }
    }

    /// The addresses that a host is answered with, of both families.
    pub(super) fn addresses(&self, host: &str) -> BTreeSet<IpAddr> {
        [RecordType::A, RecordType::AAAA].into_iter().flat_map(|kind| self.ask(host, kind)).collect()
    }

    fn ask(&self, host: &str, kind: RecordType) -> Vec<IpAddr> {
        let mut query = Message::new(1, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(Name::from_ascii(format!("{host}.")).unwrap(), kind));
        let mut reply = Vec::new();
        let verdict = respond(&self.catalog, &query.to_vec().unwrap(), Transport::Grpc, 0, &mut reply);
        assert!(matches!(verdict, Verdict::Reply), "{host}: {verdict:?}");
        let reply = Message::from_vec(&reply).unwrap();
        let address = |data: &RData| match data {
            RData::A(a) => IpAddr::V4(a.0),
            RData::AAAA(aaaa) => IpAddr::V6(aaaa.0),
            other => panic!("{host}: {other}"),
        };
        reply.answers.iter().map(|record| address(&record.data)).collect()
    }
}

/// An entry that takes part.
pub(super) fn entry(namespace: &str, name: &str, hosts: &[&str], created: i64) -> ServiceEntry {
    ServiceEntry {
        written: None,
        name: ObjectName::new(namespace, name),
        labels: Labels::default(),
        hosts: hosts.iter().map(|host| Host::parse(host).unwrap()).collect(),
        declares_addresses: false,
        addresses: Vec::new(),
        ports: Vec::new(),
        resolution: Resolution::Dns,
        endpoints: Vec::new(),
        selector: None,
        answer: None,
        ttl: None,
        export_to: Vec::new(),
        created,
        assigned: Vec::new(),
    }
}

/// What the answer to one host is when its IPv4 address ends so, and its IPv6 address with that group.
pub(super) fn pair(v4: &str, v6: &str) -> BTreeSet<IpAddr> {
    [v4.parse().unwrap(), v6.parse().unwrap()].into()
}
