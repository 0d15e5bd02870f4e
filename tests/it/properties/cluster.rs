//! Random clusters.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use meshdns::catalog::{Catalog, Policy};
use meshdns::keeper::Keeper;
use meshdns::model::{
    Addressing, AnswerMode, Change, Endpoint, EndpointAddress, EndpointSlice, Host, Imported, Key, Labels,
    Name, Namespace, Object, ObjectName, Pod, Port, Registry, Resolution, Service, ServiceEntry,
    ServiceImport, TableRow, Target, WorkloadEntry,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const NAMESPACES: [&str; 3] = ["shop", "data", "svc"];
const SERVICES: [&str; 4] = ["web", "db", "tcp", "a-1"];
const HOSTNAMES: [&str; 5] = ["db-0", "db-1", "tcp", "10-0-0-1", "Db-2"];
/// Every address that a cluster may hold.
pub(super) const ADDRESSES: [&str; 9] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.1.3",
    "10.96.0.10",
    "10.96.0.11",
    "fd00::1",
    "fd00::",
    "fd00:96::10",
    "192.0.2.1",
];
const HOSTS: [&str; 10] = [
    "api.example.com",
    "example.com",
    "*.example.com",
    "*.eu.example.com",
    "x.eu.example.com",
    "Shop.Example.ORG",
    "mesh.cluster.local",
    "*.mesh.cluster.local",
    "web.shop.svc.cluster.local",
    "a.nowhere.svc.cluster.local",
];
const ALIASES: [&str; 8] = [
    "web.shop.svc.cluster.local",
    "DB.data.svc.cluster.local.",
    "api.example.com",
    "y.eu.example.com",
    "elsewhere.test",
    "web.shop.svc.clusterset.local",
    "10.0.0.1",
    "not a name",
];

/// Objects of all kinds, each key once.
pub(super) fn objects() -> impl Strategy<Value = Vec<Object>> {
    vec(object(), 0..24).prop_map(|objects| {
        let by_key: BTreeMap<Key, Object> =
            objects.into_iter().map(|object| (object.key(), object)).collect();
        by_key.into_values().collect()
    })
}

/// One object of any kind. Namespaces are frequent: without its own nothing has a name.
pub(super) fn object() -> impl Strategy<Value = Object> {
    prop_oneof![
        4 => select(&NAMESPACES[..]).prop_map(namespace),
        5 => service().prop_map(Object::Service),
        6 => slice().prop_map(Object::EndpointSlice),
        4 => entry().prop_map(Object::ServiceEntry),
        1 => import().prop_map(Object::ServiceImport),
        2 => pod().prop_map(Object::Pod),
        1 => workload().prop_map(Object::WorkloadEntry),
    ]
}

/// A row of istiod's name table.
pub(super) fn row() -> impl Strategy<Value = Object> {
    let registry = prop_oneof![
        3 => Just(Registry::External),
        1 => (select(&["web", "db-0.db", ""][..]), select(&NAMESPACES[..])).prop_map(|(short, namespace)| {
            Registry::Kubernetes { short_name: short.into(), namespace: namespace.into() }
        }),
    ];
    (select(&HOSTS[..]), addresses(), registry).prop_map(|(host, addresses, registry)| {
        Object::TableRow(TableRow { host: Host::parse(host).unwrap(), addresses, registry })
    })
}

/// A catalog of these objects.
pub(super) fn catalog(policy: Policy, objects: Vec<Object>) -> Arc<Catalog> {
    let catalog = Arc::new(Catalog::new(policy));
    Keeper::new(catalog.clone()).apply(0, Change::Replace(objects));
    catalog
}

/// A namespace without labels.
pub(super) fn namespace(name: &str) -> Object {
    Object::Namespace(Namespace { name: name.into(), labels: Labels::default() })
}

fn name(of: &'static [&'static str]) -> impl Strategy<Value = ObjectName> {
    (select(&NAMESPACES[..]), select(of)).prop_map(|(namespace, name)| ObjectName::new(namespace, name))
}

fn addresses() -> impl Strategy<Value = Vec<IpAddr>> {
    subsequence(ADDRESSES.to_vec(), 0..4)
        .prop_map(|texts| texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn ports() -> impl Strategy<Value = Vec<Port>> {
    let port = (select(&["", "http", "grpc", "HTTP"][..]), select(&["TCP", "UDP", ""][..]))
        .prop_flat_map(|(name, protocol)| (Just(name), Just(protocol), option::weighted(0.9, 80..83u16)))
        .prop_map(|(name, protocol, number)| Port { name: name.into(), protocol: protocol.into(), number });
    vec(port, 0..3)
}

fn service() -> impl Strategy<Value = Service> {
    let addressing = prop_oneof![
        3 => addresses().prop_map(Addressing::ClusterIps),
        3 => Just(Addressing::Headless),
        1 => Just(Addressing::Unassigned),
        2 => select(&ALIASES[..]).prop_map(|text| Addressing::ExternalName(text.into())),
    ];
    (name(&SERVICES), addressing, ports(), proptest::bool::ANY).prop_map(
        |(name, addressing, ports, selects_pods)| Service {
            written: None,
            name,
            labels: Labels::default(),
            addressing,
            ports: ports.into(),
            selects_pods,
            ttl: None,
        },
    )
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let by_name = Just([EndpointAddress::Name(Name::parse("db.example.net").unwrap())].into_iter().collect());
    let by_address = addresses().prop_map(|list| list.into_iter().map(EndpointAddress::Ip).collect());
    let where_to = prop_oneof![1 => by_name, 9 => by_address];
    let label = |of| option::of(select(of).prop_map(Arc::from));
    (
        where_to,
        label(&HOSTNAMES[..]),
        [0.8, 0.8, 0.2].map(proptest::bool::weighted),
        label(&["db-0", "web.1"][..]),
        label(&["eu-1", "eu.2"][..]),
    )
        .prop_map(|(addresses, hostname, [ready, serving, terminating], target, zone)| Endpoint {
            addresses,
            hostname,
            ready,
            serving,
            terminating,
            target,
            zone,
        })
}

fn slice() -> impl Strategy<Value = EndpointSlice> {
    let import = (select(&SERVICES[..]), select(&["c1", "c2"][..]))
        .prop_map(|(service, cluster)| Imported { service: service.into(), cluster: cluster.into() });
    let owner = (option::weighted(0.9, select(&SERVICES[..])), option::weighted(0.2, import));
    (name(&["s-0", "s-1", "s-2"]), owner, ports(), vec(endpoint(), 0..4), proptest::bool::weighted(0.2))
        .prop_map(|(name, (service, import), ports, endpoints, mirrored)| EndpointSlice {
            written: None,
            name,
            labels: Labels::default(),
            service: service.map(Into::into),
            import,
            ports: ports.into(),
            endpoints,
            mirrored,
        })
}

fn import() -> impl Strategy<Value = ServiceImport> {
    (name(&SERVICES), option::of(addresses()), ports()).prop_map(|(name, addresses, ports)| ServiceImport {
        written: None,
        name,
        labels: Labels::default(),
        addresses,
        ports,
    })
}

fn entry() -> impl Strategy<Value = ServiceEntry> {
    let hosts = vec(select(&HOSTS[..]), 1..3);
    let declared = option::of(addresses());
    let assigned =
        vec((select(&HOSTS[..]), select(&["240.240.0.1", "240.240.0.2", "fd00:240::1"][..])), 0..3);
    let resolution =
        select(&[Resolution::None, Resolution::Static, Resolution::Dns, Resolution::DynamicDns][..]);
    let declared = (hosts, declared, ports(), resolution, assigned);
    let more = (vec(target(), 0..3), option::weighted(0.3, selector()), option::weighted(0.3, answer()));
    let export = prop_oneof![
        7 => Just(&[][..]),
        1 => Just(&["."][..]),
        1 => Just(&["shop", "~"][..]),
        1 => Just(&["data", "."][..]),
    ];
    (name(&["e-0", "e-1", "e-2"]), declared, more, (0..3i64, export)).prop_map(
        |(
            name,
            (hosts, declared, ports, resolution, assigned),
            (endpoints, selector, answer),
            (created, export),
        )| {
            ServiceEntry {
                written: None,
                name,
                labels: Labels::default(),
                hosts: hosts.into_iter().map(|text| Host::parse(text).unwrap()).collect(),
                declares_addresses: declared.is_some(),
                addresses: declared.unwrap_or_default(),
                ports,
                resolution,
                endpoints,
                selector,
                answer,
                ttl: None,
                export_to: export.iter().map(|to| Box::from(*to)).collect(),
                created,
                assigned: assigned.into_iter().map(|(host, ip)| (host.into(), ip.parse().unwrap())).collect(),
            }
        },
    )
}

fn target() -> impl Strategy<Value = Target> {
    let texts = ["10.0.0.1", "fd00::1", "api.example.com", "x.eu.example.com", "elsewhere.test", "unix:///a"];
    select(texts.to_vec()).prop_map(|text| Target::parse(text).unwrap())
}

fn selector() -> impl Strategy<Value = Labels> {
    prop_oneof![Just(Labels::default()), Just(Labels::from_iter([("app", "db")]))]
}

fn answer() -> impl Strategy<Value = AnswerMode> {
    select(&AnswerMode::ALL[..])
}

fn workload() -> impl Strategy<Value = WorkloadEntry> {
    (name(&["vm-0", "vm-1"]), selector(), target(), proptest::bool::weighted(0.8))
        .prop_map(|(name, labels, target, healthy)| WorkloadEntry { name, labels, target, healthy })
}

fn pod() -> impl Strategy<Value = Pod> {
    (name(&["db-0", "web.1"]), addresses(), selector(), proptest::array::uniform2(proptest::bool::ANY))
        .prop_map(|(name, addresses, labels, [ready, finished])| Pod {
            name,
            labels,
            address: addresses.first().copied(),
            ready,
            finished,
            terminating: false,
        })
}
