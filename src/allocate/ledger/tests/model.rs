//! Random histories, against a model that looks at everything each time.

use proptest::prelude::*;

use super::*;
use crate::allocate::{Assigned, Origin};

const RANGES: [&str; 2] = ["192.0.2.0/28", "2001:db8::/124"];
/// The addresses of each range: these, behind the prefix.
const LAST: u8 = 15;
/// Short, so that histories outlast it.
const REST: u64 = 5;

fn address(family: usize, last: u8) -> IpAddr {
    match family {
        0 => IpAddr::from([192, 0, 2, last]),
        _ => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last)]),
    }
}

fn family(address: IpAddr) -> usize {
    usize::from(address.is_ipv6())
}

/// The same rules without any index.
#[derive(Default)]
struct Model {
    now: u64,
    entries: BTreeMap<ObjectName, ServiceEntry>,
    rows: BTreeMap<HostKey, Row>,
    /// Addresses that hosts had to leave, and when.
    left: BTreeMap<IpAddr, u64>,
    pointers: [u8; 2],
}

type Owner = (i64, ObjectName);

impl Model {
    fn keys(entry: &ServiceEntry) -> Vec<HostKey> {
        let mut keys = Vec::new();
        if entry.takes_automatic_addresses() {
            for host in entry.hosts.iter().filter(|host| !host.wildcard) {
                let key = HostKey::new(&entry.name.namespace, host);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    fn turn(&self, key: &HostKey) -> Option<(i64, ObjectName, usize)> {
        let place = |entry: &ServiceEntry| Self::keys(entry).iter().position(|own| own == key);
        self.entries
            .values()
            .filter_map(|entry| Some((entry.created, entry.name.clone(), place(entry)?)))
            .min()
    }

    fn owner(&self, key: &HostKey) -> Option<Owner> {
        self.turn(key).map(|(created, name, _)| (created, name))
    }

    fn literal(&self, address: IpAddr) -> bool {
        self.entries.values().any(|entry| entry.addresses.contains(&address))
    }

    fn user(&self, address: IpAddr) -> Option<HostKey> {
        let uses = |row: &Row| row.freed.is_none() && row.addresses.has(address);
        self.rows.iter().find(|(_, row)| uses(row)).map(|(key, _)| key.clone())
    }

    fn strip(&mut self, address: IpAddr) {
        self.left.remove(&address);
        for row in self.rows.values_mut().filter(|row| row.freed.is_some()) {
            row.addresses.remove(address);
        }
        self.rows.retain(|_, row| !row.addresses.is_empty());
    }

    fn tell_time(&mut self, now: u64) {
        self.now = now;
        self.left.retain(|_, freed| *freed + REST > now);
        self.rows.retain(|_, row| row.freed.is_none_or(|freed| freed + REST > now));
        self.serve();
    }

    fn update(&mut self, changes: Vec<(ObjectName, Option<ServiceEntry>)>) {
        let before = self.entries.clone();
        for (name, entry) in changes {
            match entry {
                Some(entry) => self.entries.insert(name, entry),
                None => self.entries.remove(&name),
            };
        }
        let keys: Vec<HostKey> = self.rows.keys().cloned().collect();
        for key in keys {
            let wanted = self.turn(&key).is_some();
            let now = self.now;
            let row = self.rows.get_mut(&key).unwrap();
            row.freed = if wanted { None } else { row.freed.or(Some(now)) };
        }
        let mut added = BTreeSet::new();
        for (name, entry) in &self.entries {
            let old = before.get(name).map(|old| old.addresses.clone()).unwrap_or_default();
            added.extend(entry.addresses.iter().copied().filter(|address| !old.contains(address)));
        }
        for address in added {
            self.strip(address);
            if let Some(user) = self.user(address) {
                self.give_way(&user, address);
            }
        }
        let changed = |entry: &&ServiceEntry| before.get(&entry.name) != Some(entry);
        let mut claimants: Vec<ServiceEntry> = self.entries.values().filter(changed).cloned().collect();
        claimants.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        for entry in claimants {
            self.claim(&entry);
        }
        self.serve();
    }

    fn claim(&mut self, entry: &ServiceEntry) {
        let me = (entry.created, entry.name.clone());
        let mut keys = Self::keys(entry);
        keys.sort();
        let kept = self.rows.clone();
        for key in keys {
            let mut wanted = Assigned::default();
            for (host, address) in &entry.assigned {
                if Host::parse(host).is_ok_and(|host| HostKey::new(&entry.name.namespace, &host) == key)
                    && entry.hosts.iter().any(|own| own.text == *host)
                {
                    wanted.set(*address);
                }
            }
            for address in wanted.iter() {
                let has = self
                    .rows
                    .get(&key)
                    .is_some_and(|row| row.addresses.iter().any(|own| family(own) == family(address)));
                if has {
                    continue;
                }
                if let Some(user) = self.user(address) {
                    match self.owner(&user).unwrap() {
                        owner if owner == me => continue,
                        owner if owner < me => return self.lose(entry, &kept),
                        _ => self.give_way(&user, address),
                    }
                } else if self.literal(address) {
                    return self.lose(entry, &kept);
                }
                self.strip(address);
                self.add(&key, address, Origin::Status);
            }
        }
    }

    /// What the status gave so far is taken back; what others had to leave for it they have left.
    fn lose(&mut self, entry: &ServiceEntry, kept: &BTreeMap<HostKey, Row>) {
        for key in Self::keys(entry) {
            match kept.get(&key) {
                Some(row) if self.rows.contains_key(&key) => drop(self.rows.insert(key, *row)),
                _ => drop(self.rows.remove(&key)),
            }
        }
    }

    fn give_way(&mut self, user: &HostKey, contested: IpAddr) {
        let owner = self.owner(user).unwrap();
        for key in Self::keys(&self.entries[&owner.1].clone()) {
            if self.owner(&key).as_ref() == Some(&owner)
                && let Some(row) = self.rows.remove(&key)
            {
                for address in row.addresses.iter().filter(|address| *address != contested) {
                    self.left.insert(address, self.now);
                }
            }
        }
    }

    fn add(&mut self, key: &HostKey, address: IpAddr, origin: Origin) {
        let fresh = Row { addresses: Assigned::default(), origin, since: self.now, freed: None };
        self.rows.entry(key.clone()).or_insert(fresh).addresses.set(address);
    }

    fn serve(&mut self) {
        for at in 0..2 {
            let mut waiting: Vec<_> = self
                .entries
                .values()
                .flat_map(Self::keys)
                .filter(|key| {
                    let row = self.rows.get(key);
                    !row.is_some_and(|row| row.addresses.iter().any(|own| family(own) == at))
                })
                .map(|key| (self.turn(&key), key))
                .collect();
            waiting.sort();
            waiting.dedup();
            for (_, key) in waiting {
                let Some(address) = self.next(at) else { break };
                self.strip(address);
                self.add(&key, address, Origin::Own);
            }
        }
    }

    fn next(&mut self, at: usize) -> Option<IpAddr> {
        let from = self.pointers[at];
        let taken = |model: &Self, address: IpAddr| {
            model.left.contains_key(&address)
                || model.literal(address)
                || model.rows.values().any(|row| row.addresses.has(address))
        };
        for step in 0..LAST {
            let last = (from + step) % LAST;
            if !taken(self, address(at, last + 1)) {
                self.pointers[at] = (last + 1) % LAST;
                return Some(address(at, last + 1));
            }
        }
        let rows = self.rows.values().filter_map(|row| Some((row.freed?, row.addresses)));
        let rested =
            rows.flat_map(|(freed, addresses)| addresses.iter().map(move |address| (freed, address)));
        let left = self.left.iter().map(|(address, freed)| (*freed, *address));
        rested.chain(left).filter(|(_, address)| family(*address) == at).min().map(|(_, address)| address)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Later(u64),
    Batch(Vec<(ObjectName, Option<ServiceEntry>)>),
}

fn an_entry() -> impl Strategy<Value = (ObjectName, Option<ServiceEntry>)> {
    let name =
        (prop::sample::select(vec!["one", "two"]), prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]));
    let hosts = prop::collection::vec(0..8usize, 1..4);
    let status = prop::collection::vec((0..8usize, 0..2usize, 1..=LAST), 0..3);
    let literals = prop::collection::vec((0..2usize, 1..=LAST), 0..3);
    (name, 0..3i64, hosts, status, literals, 0..8u8).prop_map(
        |(name, created, hosts, status, literals, kind)| {
            let name = format!("{}/{}", name.0, name.1);
            let hosts: Vec<String> = hosts.into_iter().map(|host| format!("h{host}.example")).collect();
            let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
            let mut entry = entry(&name, created, &hosts);
            match kind {
                0 | 1 => return (entry.name, None),
                2 => {
                    entry.declares_addresses = true;
                    entry.addresses = literals.into_iter().map(|(at, last)| address(at, last)).collect();
                }
                3 | 4 => {
                    let status = status.into_iter();
                    entry.assigned = status
                        .map(|(host, at, last)| (format!("h{host}.example").into(), address(at, last)))
                        .collect();
                }
                _ => {}
            }
            (entry.name.clone(), Some(entry))
        },
    )
}

fn a_history() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => (1..4u64).prop_map(Step::Later),
        4 => an_entry().prop_map(|one| Step::Batch(vec![one])),
        2 => prop::collection::vec(an_entry(), 1..6).prop_map(|mut batch| {
            batch.sort_by(|a, b| a.0.cmp(&b.0));
            batch.dedup_by(|a, b| a.0 == b.0);
            Step::Batch(batch)
        }),
    ];
    prop::collection::vec(step, 1..40)
}

fn world() -> World {
    World::with(Rules { cooling: REST, ..rules(&RANGES) }, Vec::new())
}

fn changes(batch: &[(ObjectName, Option<ServiceEntry>)]) -> Vec<Change> {
    let change = |(name, entry): &(ObjectName, Option<ServiceEntry>)| match entry {
        Some(entry) => Change::Upsert(Object::ServiceEntry(entry.clone())),
        None => Change::Remove(Key { kind: Kind::ServiceEntry, name: name.clone() }),
    };
    batch.iter().map(change).collect()
}

/// The rows that are in use.
fn in_use(world: &World) -> BTreeMap<HostKey, Assigned> {
    let rows = world.store.iter().filter(|(_, row)| row.freed.is_none());
    rows.map(|(key, row)| (key.clone(), row.addresses)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn histories_give_what_the_model_gives(history in a_history()) {
        let (mut world, mut other) = (world(), world());
        let mut model = Model { now: 1, ..Model::default() };
        let mut now = 1;
        for step in &history {
            let (before, conflicts) = (in_use(&world), world.ledger.stats().unwrap().conflicts);
            match step {
                Step::Later(seconds) => {
                    now += seconds;
                    world.at(now);
                    other.at(now);
                    model.tell_time(now);
                }
                Step::Batch(batch) => {
                    let mut backwards = changes(batch);
                    backwards.reverse();
                    world.change(Change::Batch(changes(batch)));
                    other.change(Change::Batch(backwards));
                    world.store_all();
                    other.store_all();
                    model.update(batch.clone());
                }
            }
            nothing_is_given_twice(&world);
            prop_assert_eq!(&world.store, &model.rows, "at {:?}", step);
            prop_assert_eq!(world.ledger.listing(), other.ledger.listing(), "order within a batch");
            if world.ledger.stats().unwrap().conflicts == conflicts {
                for (key, addresses) in in_use(&world) {
                    let had = before.get(&key).copied().unwrap_or(addresses);
                    prop_assert_eq!(had.common(addresses), had, "{} moved", key);
                }
            }
            let used: u64 = world.ledger.stats().unwrap().ranges.iter().map(|range| range.used).sum();
            let literals: BTreeSet<IpAddr> =
                model.entries.values().flat_map(|entry| entry.addresses.iter().copied()).collect();
            let kept = world.store.values().map(|row| row.addresses.iter().count()).sum::<usize>();
            prop_assert_eq!(used, (kept + model.left.len() + literals.len()) as u64, "every address is accounted for");
        }
    }

    #[test]
    fn a_restart_moves_nothing(history in a_history()) {
        let mut world = world();
        let mut now = 1;
        for step in history {
            match step {
                Step::Later(seconds) => {
                    now += seconds;
                    world.at(now);
                }
                Step::Batch(batch) => {
                    world.change(Change::Batch(changes(&batch)));
                    world.store_all();
                }
            }
        }
        let before = in_use(&world);
        let mut after = world.restarted(now);
        let all = world.ledger.entries.names().filter_map(|name| world.inventory.entry(name).cloned());
        after.change(Change::Replace(all.map(Object::ServiceEntry).collect()));
        after.ledger.settle();
        after.store_all();
        let now_used = in_use(&after);
        for (key, addresses) in before {
            prop_assert_eq!(now_used.get(&key).map(|now| now.common(addresses)), Some(addresses), "{}", key);
        }
        nothing_is_given_twice(&after);
    }
}
