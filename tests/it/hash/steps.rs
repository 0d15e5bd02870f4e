//! Step by step is as at once: after any changes the addresses are those of the plain computation, and the hosts that
//! are said to have moved are those that did.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

use meshdns::allocate::{Allocation, Allocator, HashAllocator};
use meshdns::inventory::{Inventory, UnitKey};
use meshdns::model::{Change, Host, Key, Object, Resolution, ServiceEntry};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::mesh::entry;
use super::reference;
use crate::properties::cases;

const NAMESPACES: [&str; 2] = ["default", "shop"];

/// Hosts by namespace that get in each other's way: up to three want the same slot, up to three want the slots to
/// which these walk on, and so on; the first slots are those on the first numbers of rows. Of some hosts there is
/// another spelling, and some are in both namespaces.
static HOSTS: LazyLock<[Vec<String>; 2]> = LazyLock::new(|| {
    let mut wanted: BTreeMap<u32, Vec<(usize, String)>> = BTreeMap::new();
    for n in 0..200_000_usize {
        let host = format!("host{n}.example");
        wanted.entry(reference::hash(NAMESPACES[n % 2], &host) % 65_024).or_default().push((n % 2, host));
    }
    let mut slots = VecDeque::from([254, 508, 509, 255, 762]);
    let mut hosts: [Vec<String>; 2] = Default::default();
    while hosts.iter().map(Vec::len).sum::<usize>() < 56 {
        let slot = slots.pop_front().unwrap();
        for (namespace, host) in wanted.remove(&slot).unwrap_or_default().into_iter().take(3) {
            let s = reference::hash(NAMESPACES[namespace], &host);
            slots.extend([1, 2].map(|n: u32| s.wrapping_add(n.wrapping_mul(65_011 - s % 65_011)) % 65_023));
            hosts[namespace].push(host);
        }
    }
    let others: Vec<String> = hosts[0].iter().take(4).cloned().collect();
    hosts[0].extend(others.iter().map(|host| host.to_uppercase()));
    hosts[1].extend(others);
    hosts
});

/// One of twenty entries, half of them in each namespace, with any hosts. One in eight takes no part.
fn any_entry() -> impl Strategy<Value = ServiceEntry> {
    (0..20_usize, 0..3_i64, vec(any::<Index>(), 1..5), 0..8_u8).prop_map(|(number, created, hosts, kind)| {
        let known = &HOSTS[number % 2];
        let hosts: Vec<&str> = hosts.iter().map(|index| &*known[index.index(known.len())]).collect();
        let entry = entry(NAMESPACES[number % 2], &format!("entry-{number}"), &hosts, created);
        ServiceEntry { resolution: if kind == 0 { Resolution::None } else { Resolution::Dns }, ..entry }
    })
}

fn any_change() -> impl Strategy<Value = Change> {
    let upsert = any_entry().prop_map(|entry| Change::Upsert(Object::ServiceEntry(entry)));
    let remove = any_entry().prop_map(|entry| Change::Remove(Object::ServiceEntry(entry).key()));
    let simple = prop_oneof![3 => upsert, 1 => remove].boxed();
    let all = vec(any_entry(), 0..30)
        .prop_map(|entries| Change::Replace(entries.into_iter().map(Object::ServiceEntry).collect()));
    prop_oneof![8 => simple.clone(), 3 => vec(simple, 0..8).prop_map(Change::Batch), 1 => all]
}

/// What a source knows after a change.
fn fold(known: &mut BTreeMap<Key, ServiceEntry>, change: &Change) {
    let insert = |known: &mut BTreeMap<Key, ServiceEntry>, object: &Object| {
        let Object::ServiceEntry(entry) = object else { unreachable!() };
        known.insert(object.key(), entry.clone());
    };
    match change {
        Change::Replace(objects) => {
            known.clear();
            objects.iter().for_each(|object| insert(known, object));
        }
        Change::Upsert(object) => insert(known, object),
        Change::Remove(key) => {
            known.remove(key);
        }
        Change::Retain { names, .. } => known.retain(|key, _| names.contains(&key.name)),
        Change::Batch(changes) => changes.iter().for_each(|change| fold(known, change)),
    }
}

/// An allocator, its inventory, and what each key has.
#[derive(Default)]
struct Stepped {
    inventory: Inventory,
    allocator: HashAllocator,
    given: BTreeMap<reference::Key, Allocation>,
}

impl Stepped {
    /// Applies a change; returns the hosts of the keys whose addresses changed, those that the change touched itself,
    /// and those that the allocator named.
    fn apply(&mut self, change: Change, keys: &[(&str, Host)]) -> [BTreeSet<UnitKey>; 3] {
        let touched = self.inventory.apply(0, change);
        let named = self.allocator.update(&self.inventory, &touched);
        let mut changed = BTreeSet::new();
        for (namespace, host) in keys {
            let now = self.allocator.allocation(namespace, host);
            let key = ((*namespace).to_owned(), host.text.to_string());
            let before = self.given.insert(key, now);
            let given = |allocation: &Allocation| matches!(allocation, Allocation::Given(_));
            if before != Some(now) && (given(&now) || before.as_ref().is_some_and(given)) {
                changed.insert(UnitKey::Host { name: host.name.clone(), wildcard: false });
            }
        }
        [changed, touched, named]
    }

    /// Everything that has an address has that of the plain computation, and nothing else has one.
    fn check<'e>(&self, entries: impl IntoIterator<Item = &'e ServiceEntry>) -> Result<(), TestCaseError> {
        let expected = reference::addresses(entries);
        for (key, allocation) in &self.given {
            let found = match allocation {
                Allocation::Given(assigned) => assigned.v4.zip(assigned.v6),
                _ => None,
            };
            prop_assert_eq!(found, expected.get(key).copied(), "{:?}", key);
        }
        prop_assert!(expected.keys().all(|key| self.given.contains_key(key)));
        Ok(())
    }
}

fn keys() -> Vec<(&'static str, Host)> {
    let of = |n: usize| HOSTS[n].iter().map(move |host| (NAMESPACES[n], Host::parse(host).unwrap()));
    of(0).chain(of(1)).collect()
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn where_many_hosts_collide(changes in vec(any_change(), 1..30)) {
        let (keys, mut known, mut stepped) = (keys(), BTreeMap::new(), Stepped::default());
        for change in changes {
            fold(&mut known, &change);
            let [changed, touched, named] = stepped.apply(change, &keys);
            stepped.check(known.values())?;
            for unit in &changed {
                prop_assert!(touched.contains(unit) || named.contains(unit), "{:?} moved and nobody said so", unit);
            }
        }
    }
}

/// The hosts of the property do collide, several times over: otherwise it would show nothing.
#[test]
fn the_hosts_do_collide() {
    let entries: Vec<ServiceEntry> = (0..2)
        .map(|n| entry(NAMESPACES[n], "all", &HOSTS[n].iter().map(|host| &**host).collect::<Vec<_>>(), 0))
        .collect();
    let addresses = reference::addresses(&entries);
    let alone = |entry: &ServiceEntry, host: &Host| {
        let entry = ServiceEntry { hosts: vec![host.clone()], ..entry.clone() };
        reference::addresses([&entry]).into_values().next().unwrap()
    };
    let elsewhere = entries.iter().flat_map(|entry| {
        let key = |host: &Host| (entry.name.namespace.to_string(), host.text.to_string());
        entry.hosts.iter().filter(|host| addresses[&key(host)] != alone(entry, host)).collect::<Vec<_>>()
    });
    assert!(elsewhere.count() > 20);
}

/// So many hosts, then changes one by one: each host that moves is named, and nobody else is. Returns how many moved.
fn step_by_step(hosts: usize, steps: usize) -> usize {
    let one =
        |n: usize, created: i64| entry("mesh", &format!("entry-{n}"), &[&format!("h{n}.example")], created);
    let host = |n: usize| one(n, (n * 7919 % 9973) as i64);
    let names = (0..hosts + steps).map(|n| ("mesh", Host::parse(&format!("h{n}.example")).unwrap()));
    let names: Vec<(&str, Host)> = names.collect();
    let mut known: BTreeMap<usize, ServiceEntry> = (0..hosts).map(|n| (n, host(n))).collect();
    let mut stepped = Stepped::default();
    let all = known.values().cloned().map(Object::ServiceEntry).collect();
    stepped.apply(Change::Replace(all), &names);
    stepped.check(known.values()).unwrap();
    let mut moved = 0;
    for step in 0..steps {
        let (old, new) = (step * 7321 % hosts, hosts + step);
        let change = match step % 4 {
            0 => known
                .remove(&old)
                .map_or(Change::Batch(Vec::new()), |entry| Change::Remove(Object::ServiceEntry(entry).key())),
            turn => {
                // Older than all others, of any age, or younger than all others.
                let (n, entry) = match turn {
                    1 => (new, one(new, -1)),
                    2 => (new, host(new)),
                    _ => (old, one(old, 20_000)),
                };
                known.insert(n, entry.clone());
                Change::Upsert(Object::ServiceEntry(entry))
            }
        };
        let [changed, touched, named] = stepped.apply(change, &names);
        stepped.check(known.values()).unwrap();
        assert_eq!(&named | &touched, &changed | &touched, "step {step}");
        moved += (&changed - &touched).len();
    }
    moved
}

/// One change moves a chain of others.
#[test]
fn where_nearly_all_slots_are_taken() {
    let moved = step_by_step(64_000, 8);
    assert!(moved > 20, "{moved} only");
}

/// Hardly any host is in the way of another, but now and then one shifts all above it.
#[test]
fn where_few_slots_are_taken() {
    let moved = step_by_step(1_000, 400);
    assert!(moved > 100, "{moved} only");
}
