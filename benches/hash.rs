//! What computed addresses cost beside addresses that are read from the status: a full load, and single entries that
//! come and go. Beside both the plain computation of all addresses, which istiod does anew for every change.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshdns::allocate::{Allocator, HashAllocator};
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::inventory::Inventory;
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Host, Object, ServiceEntry};

/// How many entries there are, each with three hosts.
const SIZES: [usize; 3] = [1_000, 10_000, 20_000];

/// An entry with hosts, and with addresses in its status that no other number has.
fn entry(name: &str, number: usize, hosts: &[String], created: i64) -> ServiceEntry {
    let Object::ServiceEntry(like) = support::entry("like.example", 0) else { unreachable!() };
    let address = |n: usize| Ipv4Addr::from(0xf0f0_0000 + (number * 3 + n) as u32);
    let status = |(n, host): (usize, &String)| (host.as_str().into(), address(n).into());
    ServiceEntry {
        name: meshdns::model::ObjectName::new("default", name),
        hosts: hosts.iter().map(|host| Host::parse(host).unwrap()).collect(),
        created,
        assigned: hosts.iter().enumerate().map(status).collect(),
        ..like
    }
}

fn entries(count: usize) -> Vec<ServiceEntry> {
    let hosts = |n: usize| ["api", "www", "data"].map(|part| format!("{part}.service-{n}.mesh.example"));
    (0..count).map(|n| entry(&format!("entry-{n}"), n, &hosts(n), (n * 7919 % 9973) as i64)).collect()
}

fn objects(entries: &[ServiceEntry]) -> Vec<Object> {
    entries.iter().cloned().map(Object::ServiceEntry).collect()
}

fn keeper(mode: &str) -> Keeper {
    let text = format!("zones: [cluster.local]\nserviceEntries: {{addresses: {mode}}}");
    let settings = Settings::read("settings", &text, &Overrides::default()).unwrap();
    Keeper::with_allocator(Arc::new(Catalog::new(settings.policy())), settings.allocator())
}

/// The median of some runs.
fn median(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    support::median((0..runs).map(|_| run()).collect())
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// All addresses by the plain computation: how many there are.
fn plain(entries: &[ServiceEntry]) -> usize {
    let mut services: Vec<(i64, &str, &str)> = Vec::new();
    for entry in entries {
        services.extend(entry.hosts.iter().map(|host| (entry.created, &*host.text, &*entry.name.namespace)));
    }
    services.sort_unstable();
    let mut slots: Vec<Option<(&str, &str)>> = vec![None; 65_024];
    for (_, host, namespace) in services {
        let key = namespace.bytes().chain([b'/']).chain(host.bytes());
        let hash =
            key.fold(2_166_136_261_u32, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(16_777_619));
        let (mut slot, stride, mut turn) = (hash % 65_024, 65_011 - hash % 65_011, 0_u32);
        while slots[slot as usize].is_some() {
            turn += 1;
            slot = hash.wrapping_add(turn.wrapping_mul(stride)) % 65_023;
        }
        slots[slot as usize] = Some((namespace, host));
    }
    let mut addresses = std::collections::HashMap::new();
    let mut shift = 0;
    for (slot, key) in slots.into_iter().enumerate() {
        let Some(key) = key else { continue };
        let mut number = slot + 1 + shift;
        if number % 255 == 0 {
            (shift, number) = (shift + 1, number + 1);
        }
        addresses.entry(key).or_insert(number);
    }
    addresses.len()
}

/// Lets an entry come and go: the time of both together, and how many host units its coming published.
fn comes_and_goes(keeper: &mut Keeper, entry: &ServiceEntry) -> (Duration, usize) {
    let object = Object::ServiceEntry(entry.clone());
    let (key, start) = (object.key(), Instant::now());
    let units = keeper.apply(0, Change::Upsert(object));
    keeper.apply(0, Change::Remove(key));
    (start.elapsed(), units)
}

/// Entries that move nobody, the one they collide with and whom that displaces, or everybody above them: found by
/// what they do.
fn newcomers(keeper: &mut Keeper) -> [(&'static str, Option<ServiceEntry>); 3] {
    let mut found =
        [("new entry, moves nobody", None), ("new entry, collides", None), ("new entry, shifts", None)];
    let mut most = [0; 3];
    for n in 0..1_000 {
        // Older than all others, so that it takes what it wants.
        let new = entry("new", 60_000, &[format!("new-{n}.mesh.example")], -1);
        let (_, units) = comes_and_goes(keeper, &new);
        let which = match units {
            1 => 0,
            2..=12 => 1,
            _ => 2,
        };
        if units > most[which] {
            (most[which], found[which].1) = (units, Some(new));
        }
    }
    found
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_nanos() as f64 / 1000.0)
}

fn main() {
    println!("| computed addresses, us | hosts | hash | units | status | units | plain computation | ");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for count in SIZES {
        let (entries, hosts) = (entries(count), count * 3);
        let recomputed = micros(median(9, || timed(|| plain(&entries))));
        let load = |mode: &str| {
            median(5, || {
                let (mut keeper, objects) = (keeper(mode), objects(&entries));
                timed(|| keeper.apply(0, Change::Replace(objects)))
            })
        };
        let allocating = median(5, || {
            let (mut inventory, mut allocator) = (Inventory::default(), HashAllocator::default());
            let touched = inventory.apply(0, Change::Replace(objects(&entries)));
            timed(|| allocator.update(&inventory, &touched))
        });
        let row = |what: &str, [hash, status]: [(String, usize); 2]| {
            let units = |units: usize| if units == 0 { String::new() } else { units.to_string() };
            let (hash_units, status_units) = (units(hash.1), units(status.1));
            println!(
                "| {what} | {hosts} | {} | {hash_units} | {} | {status_units} | {recomputed} |",
                hash.0, status.0
            );
        };
        row("full load", [(micros(load("hash")), hosts), (micros(load("status")), hosts)]);
        row("of that the allocator", [(micros(allocating), 0), (String::new(), 0)]);

        let mut keepers = ["hash", "status"].map(keeper);
        for keeper in &mut keepers {
            keeper.apply(0, Change::Replace(objects(&entries)));
        }
        let changed = keepers.each_mut().map(|keeper| {
            let (mut turn, mut units) = (0, 0);
            let time = median(301, || {
                turn += 1;
                let mut entry = entries[turn * 7 % count].clone();
                entry.ports[0].number = Some(1000 + turn as u16);
                timed(|| units = keeper.apply(0, Change::Upsert(Object::ServiceEntry(entry))))
            });
            (micros(time), units)
        });
        row("changed ports of an entry", changed);
        for (what, new) in newcomers(&mut keepers[0]) {
            let Some(new) = new else { continue };
            let measured = keepers.each_mut().map(|keeper| {
                let (_, units) = comes_and_goes(keeper, &new);
                let runs = if units > 1_000 { 15 } else { 301 };
                (micros(median(runs, || comes_and_goes(keeper, &new).0)), units)
            });
            row(what, measured);
        }
    }
}
