//! Readers beside the writer: before or after a change, never between.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hickory_proto::rr::{RData, RecordType};
use meshdns::catalog::Catalog;
use meshdns::keeper::Keeper;
use meshdns::model::{
    Addressing, Change, Endpoint, EndpointAddress, EndpointSlice, Labels, Object, ObjectName, Port, Service,
};

use super::ask::ask;
use super::{cluster, policy};

/// How often the writer changes something.
const CHANGES: usize = 10_000;

fn slice(name: &str, addresses: &[&str]) -> Object {
    let endpoint = |text: &&str| Endpoint {
        addresses: [EndpointAddress::Ip(text.parse().unwrap())].into_iter().collect(),
        hostname: None,
        ready: true,
        serving: true,
        terminating: false,
        target: None,
        zone: None,
    };
    Object::EndpointSlice(EndpointSlice {
        written: None,
        name: ObjectName::new("shop", name),
        labels: Labels::default(),
        service: Some("db".into()),
        import: None,
        ports: [Port { name: "sql".into(), protocol: "TCP".into(), number: Some(5432) }].into(),
        endpoints: addresses.iter().map(endpoint).collect(),
        mirrored: false,
    })
}

fn service(addressing: Addressing) -> Object {
    Object::Service(Service {
        written: None,
        name: ObjectName::new("shop", "db"),
        labels: Labels::default(),
        addressing,
        ports: [].into(),
        selects_pods: true,
        ttl: None,
    })
}

fn seen(catalog: &Catalog, name: &str, kind: RecordType) -> BTreeSet<IpAddr> {
    let reply = ask(catalog, name, kind);
    let records = reply.answers.iter().chain(&reply.additionals);
    records
        .filter_map(|record| match record.data {
            RData::A(address) => Some(address.0.into()),
            _ => None,
        })
        .collect()
}

/// Asks from two threads while `step` changes the catalog; every set seen must be one of `allowed`.
fn race(
    objects: Vec<Object>,
    step: impl Fn(usize) -> Change,
    asked: &[(&str, RecordType)],
    allowed: &[&[&str]],
) {
    let catalog = Arc::new(Catalog::new(policy::plain()));
    let mut keeper = Keeper::new(catalog.clone());
    keeper.apply(0, Change::Replace(objects));
    let allowed: Vec<BTreeSet<IpAddr>> =
        allowed.iter().map(|set| set.iter().map(|text| text.parse().unwrap()).collect()).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for (name, kind) in asked {
                        let set = seen(&catalog, name, *kind);
                        assert!(allowed.contains(&set), "{name} {kind}: {set:?}");
                    }
                }
            });
        }
        for index in 0..CHANGES {
            keeper.apply(0, step(index));
        }
        done.store(true, Ordering::Relaxed);
    });
}

const NAME: &str = "db.shop.svc.cluster.local";

#[test]
fn an_endpoint_that_moves_between_slices_is_never_missing() {
    let start = vec![
        cluster::namespace("shop"),
        service(Addressing::Headless),
        slice("a", &["10.0.0.1", "10.0.0.2"]),
        slice("b", &[]),
    ];
    let step = |index: usize| {
        let (from, to): (&[&str], &[&str]) = (&["10.0.0.1"], &["10.0.0.1", "10.0.0.2"]);
        let to_b = index.is_multiple_of(2);
        let (a, b): (_, &[&str]) = if to_b { (from, &["10.0.0.2"]) } else { (to, &[]) };
        Change::Batch(vec![Change::Upsert(slice("a", a)), Change::Upsert(slice("b", b))])
    };
    let asked = [(NAME, RecordType::A), (NAME, RecordType::SRV)];
    race(start.clone(), step, &asked, &[&["10.0.0.1", "10.0.0.2"]]);
    race(start, step, &[("10-0-0-2.db.shop.svc.cluster.local", RecordType::A)], &[&["10.0.0.2"]]);
}

#[test]
fn a_service_is_seen_before_or_after() {
    let (one, other): (&[&str], &[&str]) =
        (&["10.0.0.1", "10.0.0.2"], &["10.0.1.3", "10.96.0.10", "10.0.0.1"]);
    let start = vec![cluster::namespace("shop"), service(Addressing::Headless), slice("a", one)];
    let step = |index: usize| Change::Upsert(slice("a", if index.is_multiple_of(2) { other } else { one }));
    race(start, step, &[(NAME, RecordType::A), (NAME, RecordType::SRV)], &[one, other]);
}

#[test]
fn a_service_that_changes_its_kind_never_vanishes() {
    let (endpoints, cluster_ip): (&[&str], &[&str]) = (&["10.0.0.1", "10.0.0.2"], &["10.96.0.10"]);
    let start = vec![cluster::namespace("shop"), service(Addressing::Headless), slice("a", endpoints)];
    let step = |index: usize| {
        Change::Upsert(service(if index.is_multiple_of(2) {
            Addressing::ClusterIps(vec!["10.96.0.10".parse().unwrap()])
        } else {
            Addressing::Headless
        }))
    };
    race(start, step, &[(NAME, RecordType::A)], &[endpoints, cluster_ip]);
}
