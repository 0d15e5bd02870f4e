//! A process gives addresses without pause and is killed, again and again: nothing that it said is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use meshdns::allocate::ledger::{Ledger, Rules};
use meshdns::allocate::{Allocator, HostKey, Row, Settled};
use meshdns::inventory::Inventory;
use meshdns::model::{Change, Cidr, Host, Key, Kind, Labels, Object, ObjectName, Resolution, ServiceEntry};
use meshdns::store::{FileStore, Remembered, Store, remembered};

use crate::support::process::written;

/// The file, for the process that gives addresses.
const FILE: &str = "MESHDNS_TEST_LEDGER";
/// Where its random numbers begin.
const SEED: &str = "MESHDNS_TEST_SEED";
const ROUNDS: u64 = 40;
/// More hosts than this are never there at once; a /26 and its neighbour of IPv6 have room for all of them.
const HOSTS: usize = 50;

/// Numbers that look random (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn entry(host: &str) -> ServiceEntry {
    ServiceEntry {
        written: None,
        name: ObjectName::new("shop", host),
        labels: Labels::default(),
        hosts: vec![Host::parse(host).unwrap()],
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
        assigned: Vec::new(),
    }
}

/// Says `+ HOST ADDRESSES` when a host's addresses are stored, and `- HOST` before it lets go of it.
#[test]
#[ignore = "run by the test below, which kills it"]
fn gives_addresses_until_it_is_killed() {
    let (Some(file), Some(seed)) = (std::env::var_os(FILE), std::env::var(SEED).ok()) else { return };
    let mut numbers = Numbers(seed.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut store = FileStore::new(file.into());
    let rows = runtime.block_on(store.load()).unwrap();
    let mut here: BTreeSet<String> = rows.iter().map(|(key, _)| key.host()).collect();
    let ranges = ["192.0.2.0/26", "2001:db8::/122"].map(|text| Cidr::parse(text).unwrap());
    // What comes free is free at once, so that addresses change hands all the time.
    let rules = Rules { ranges: ranges.into(), cooling: 0, slices: NonZeroU32::MIN, shared: false };
    let mut ledger = Ledger::new(rules, 1, rows);
    let mut inventory = Inventory::default();
    let mut changes: Vec<Change> =
        here.iter().map(|host| Change::Upsert(Object::ServiceEntry(entry(host)))).collect();
    loop {
        let touched = inventory.apply(0, Change::Batch(changes));
        ledger.update(&inventory, &touched);
        ledger.tell_time(2);
        let claims: Arc<[_]> = ledger.claims().into();
        let outcomes = runtime.block_on(store.commit(Arc::clone(&claims))).unwrap();
        let settled = claims.iter().cloned().zip(outcomes);
        ledger.stored(settled.map(|(claim, outcome)| Settled { claim, outcome }).collect());
        for listed in ledger.listing().hosts {
            let addresses: Vec<_> = listed.addresses.iter().map(|address| address.to_string()).collect();
            println!("+ {} {}", listed.key.host(), addresses.join(" "));
        }
        changes = Vec::new();
        for _ in 0..=numbers.below(6) {
            let host = format!("h{}.example", numbers.below(200));
            if here.remove(&host) {
                println!("- {host}");
                let name = ObjectName::new("shop", host.as_str());
                changes.push(Change::Remove(Key { kind: Kind::ServiceEntry, name }));
            } else if here.len() < HOSTS {
                changes.push(Change::Upsert(Object::ServiceEntry(entry(&host))));
                here.insert(host);
            }
        }
    }
}

/// Lets the process run, kills it, and takes in what it said.
fn round(file: &Path, seed: u64, wait: Duration, said: &mut BTreeMap<String, Vec<IpAddr>>) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::crash::gives_addresses_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FILE, file)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    let reading = std::thread::spawn(move || lines.lines().map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut lines = reading.join().unwrap();
    // The last line may be cut off. One that lets go of a host stands for all hosts that it can mean.
    if let Some(host) = lines.pop().as_deref().and_then(|line| line.strip_prefix('-')) {
        said.retain(|other, _| !other.starts_with(host.trim_start()));
        lines.push(format!("-{host}"));
    }
    let mut heard = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["+", host, v4, v6] => {
                let now: Vec<IpAddr> = vec![v4.parse().unwrap(), v6.parse().unwrap()];
                if let Some(before) = said.insert(host.to_owned(), now.clone()) {
                    assert_eq!(before, now, "{host} moved (seed {seed})");
                }
                heard += 1;
            }
            ["-", host] => {
                said.remove(host);
            }
            _ => {}
        }
    }
    heard
}

fn rows(file: &Path) -> Vec<(HostKey, Row)> {
    match remembered(file).unwrap() {
        Remembered::Rows(rows) => rows,
        Remembered::Nothing => Vec::new(),
    }
}

#[test]
fn what_a_killed_process_said_is_in_the_file() {
    let file = written("README", "").with_file_name("ledger.redb");
    let mut said = BTreeMap::new();
    let mut heard = 0;
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let mut numbers = Numbers(start.into());
    for number in 0..ROUNDS {
        let seed = u64::from(start) + number;
        let wait = Duration::from_micros(5_000 + numbers.below(120_000));
        heard += round(&file, seed, wait, &mut said);
        let rows = rows(&file);
        let mut owners: BTreeMap<IpAddr, String> = BTreeMap::new();
        for (key, row) in &rows {
            for address in row.addresses.iter() {
                let other = owners.insert(address, key.host());
                assert_eq!(other, None, "{address} has two hosts in round {number} (seed {seed})");
            }
        }
        for (host, addresses) in &said {
            for address in addresses {
                assert_eq!(owners.get(address), Some(host), "{address} in round {number} (seed {seed})");
            }
        }
        // A host that was let go of, or given to, without a word is what the file says.
        let stored: BTreeSet<String> = rows.iter().map(|(key, _)| key.host()).collect();
        said.retain(|host, _| stored.contains(host));
    }
    assert!(heard > 1000, "only {heard} addresses were given: nothing is shown by that");
}
