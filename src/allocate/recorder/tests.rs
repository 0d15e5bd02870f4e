//! What is written down of addresses that others give.

use std::net::Ipv4Addr;

use super::*;
use crate::model::{Change, Key, Kind, Object, ObjectName, ServiceEntry};

fn entry(name: &str, status: Option<[u8; 4]>) -> ServiceEntry {
    let host = format!("{name}.example");
    ServiceEntry {
        written: None,
        name: ObjectName::new("shop", name),
        labels: Default::default(),
        hosts: vec![Host::parse(&host).unwrap()],
        declares_addresses: false,
        addresses: Vec::new(),
        ports: Vec::new(),
        resolution: Resolution::Static,
        endpoints: Vec::new(),
        selector: None,
        answer: None,
        ttl: None,
        export_to: Vec::new(),
        created: 0,
        assigned: status.map(|address| (host.into(), Ipv4Addr::from(address).into())).into_iter().collect(),
    }
}

/// Gives every host the same address.
struct Same(Assigned);

impl Allocator for Same {
    fn update(&mut self, _: &Inventory, _: &BTreeSet<UnitKey>) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    fn allocation(&self, _: &str, _: &Host) -> Allocation {
        Allocation::Given(self.0)
    }
}

fn key(name: &str) -> HostKey {
    HostKey::parse("shop", &format!("{name}.example")).unwrap()
}

fn store(recorder: &mut Recorder) -> Vec<(String, Option<Row>)> {
    let claims = recorder.claims();
    let told = claims.iter().map(|claim| (claim.key.to_string(), claim.row)).collect();
    let settled = claims.into_iter().map(|claim| Settled { claim, outcome: Outcome::Stored });
    recorder.stored(settled.collect());
    told
}

struct World {
    inventory: Inventory,
    recorder: Recorder,
}

impl World {
    fn new(given: Box<dyn Allocator>, origin: Origin, rows: Vec<(HostKey, Row)>) -> Self {
        Self { inventory: Inventory::default(), recorder: Recorder::new(given, origin, 60, 100, rows) }
    }

    fn change(&mut self, change: Change) -> Vec<(String, Option<Row>)> {
        let touched = self.inventory.apply(0, change);
        self.recorder.update(&self.inventory, &touched);
        store(&mut self.recorder)
    }

    fn put(&mut self, entry: ServiceEntry) -> Vec<(String, Option<Row>)> {
        self.change(Change::Upsert(Object::ServiceEntry(entry)))
    }
}

fn row(address: [u8; 4], since: u64, freed: Option<u64>) -> Row {
    let addresses = Assigned { v4: Some(Ipv4Addr::from(address)), v6: None };
    Row { addresses, origin: Origin::Status, since, freed }
}

#[test]
fn a_status_is_recorded_from_when_to_when() {
    let mut world = World::new(Box::new(super::super::NoAllocator), Origin::Status, Vec::new());
    let a = "shop/a.example".to_owned();
    assert_eq!(world.put(entry("a", None)), []);
    assert_eq!(
        world.put(entry("a", Some([10, 0, 0, 1]))),
        [(a.clone(), Some(row([10, 0, 0, 1], 100, None)))]
    );
    world.recorder.tell_time(110);
    assert_eq!(world.put(entry("a", Some([10, 0, 0, 1]))), [], "nothing new");
    assert_eq!(
        world.put(entry("a", Some([10, 0, 0, 2]))),
        [(a.clone(), Some(row([10, 0, 0, 2], 110, None)))]
    );
    world.recorder.tell_time(120);
    let gone = Change::Remove(Key { kind: Kind::ServiceEntry, name: ObjectName::new("shop", "a") });
    assert_eq!(world.change(gone), [(a.clone(), Some(row([10, 0, 0, 2], 110, Some(120))))]);
    assert_eq!(world.recorder.stats().map(|stats| (stats.in_use, stats.cooling)), Some((0, 1)));
    world.recorder.tell_time(180);
    assert_eq!(store(&mut world.recorder), [(a, None)]);
    assert!(world.recorder.listing().hosts.is_empty());
}

#[test]
fn what_was_recorded_before_a_restart_keeps_its_age() {
    let rows = vec![
        (key("a"), row([10, 0, 0, 1], 7, None)),
        (key("b"), row([10, 0, 0, 2], 8, Some(90))),
        (key("c"), row([10, 0, 0, 3], 9, None)),
    ];
    let mut world = World::new(Box::new(super::super::NoAllocator), Origin::Status, rows);
    assert_eq!(world.put(entry("a", Some([10, 0, 0, 1]))), []);
    let back = ("shop/b.example".to_owned(), Some(row([10, 0, 0, 2], 8, None)));
    assert_eq!(world.put(entry("b", Some([10, 0, 0, 2]))), [back]);
    world.recorder.settle();
    let gone = ("shop/c.example".to_owned(), Some(row([10, 0, 0, 3], 9, Some(100))));
    assert_eq!(store(&mut world.recorder), [gone], "nobody named it");
}

#[test]
fn computed_addresses_are_recorded_as_such() {
    let same = Assigned { v4: Some(Ipv4Addr::new(240, 240, 1, 1)), v6: None };
    let mut world = World::new(Box::new(Same(same)), Origin::Hash, Vec::new());
    let host = Host::parse("a.example").unwrap();
    assert_eq!(world.recorder.allocation("shop", &host), Allocation::Given(same));
    let told = world.put(entry("a", None));
    assert_eq!(told[0].1.map(|row| (row.addresses, row.origin)), Some((same, Origin::Hash)));
    let none = ServiceEntry { resolution: Resolution::None, ..entry("b", None) };
    assert_eq!(world.put(none), []);
}
