//! Parity with istiod: clusters made of seeds, given to a real istiod and to us, have the same names and addresses.
//!
//! # What is compared, and how
//!
//! For each of some hundred sets and each allocator ([`Mode`]) the objects go to istiod, and what comes back, the
//! ServiceEntries with their final status and everything else as it was, goes to us. Then:
//!
//! - **name table**: for every namespace of the set and one outside, and for an IPv4 and an IPv6 sidecar, each host has
//!   the addresses in the table that istiod sends over the wire, and istiod has no host that we lack;
//! - **answers**: a client that asks by DNS is told these addresses, before any table is known;
//! - **listeners**: every automatic address that we answer has its listener on each port that has one of its own, and
//!   every listener on an automatic address belongs to a host;
//! - **hash mode** agrees address by address unless [`Set::collides`]: then istiod itself shuffles, and the addresses
//!   must be those of some order of the colliding names ([`orders`]).
//!
//! Left out are the rules that `docs/service-entries.md` lists, each where the comparison meets it.
//!
//! Facts about istiod that a comparison has to know are tests in [`peer`].

mod compare;
mod generate;
mod orders;
mod peer;

use std::collections::BTreeMap;
use std::time::Duration;

use meshdns::source::manifests::load_text;
use serde_json::Value;

use self::compare::{Outcome, View, objects};
use self::generate::Set;
use crate::support::istiod::{Istiod, Mode};

/// As many sets as a test takes time for.
const SEEDS: std::ops::Range<u64> = 0..100;

/// How long the tables of a cluster may take to become what they stay.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at a table.
const PAUSE: Duration = Duration::from_millis(50);

const MODES: [Mode; 2] = [Mode::Status, Mode::Hash];

#[test]
fn names_addresses_and_listeners_are_those_of_istiod() {
    let mut istiod = Istiod::start();
    let mut total = Outcome::default();
    for seed in 0..seeds() {
        for mode in MODES {
            let set = Set::generate(seed, mode);
            let mut outcome = compared(&mut istiod, &set, mode);
            if !outcome.different.is_empty() {
                // An event that istiod missed is missed once; a difference stays.
                outcome = compared(&mut istiod, &set, mode);
            }
            total.add(outcome);
        }
    }
    let different = std::mem::take(&mut total.different);
    println!("{total:?}");
    assert!(different.is_empty(), "{} differences:\n{}", different.len(), different.join("\n"));
}

/// A new cluster of this set, seen from everywhere.
fn compared(istiod: &mut Istiod, set: &Set, mode: Mode) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let loaded = istiod.load(&set.documents(), mode).unwrap_or_else(|refusal| panic!("{refusal}\n{set}"));
    let objects = objects(&set.documents(), &loaded);
    let (mut total, mut patience) = (Outcome::default(), PATIENCE);
    for namespace in set.namespaces.iter().copied().chain(["elsewhere"]) {
        for address in ["198.18.255.1", "fd00::1"] {
            let view = View { namespace, address: address.parse().unwrap(), mode };
            let mut outcome = loop {
                let mut outcome = runtime.block_on(view.compare(&objects, &loaded));
                outcome.different = unexplained(set, &objects, &outcome);
                if outcome.different.is_empty() || patience.is_zero() {
                    break outcome;
                }
                // What was written last may be under way to the proxies.
                std::thread::sleep(PAUSE);
                patience = patience.saturating_sub(PAUSE);
            };
            outcome.orders = usize::from(set.collides() && !outcome.moved.is_empty());
            for told in &mut outcome.different {
                *told = format!("seed {}, {view:?}: {told}", set.seed);
            }
            total.add(outcome);
        }
    }
    total
}

/// What differs and is not the chance of colliding names.
fn unexplained(set: &Set, objects: &str, outcome: &Outcome) -> Vec<String> {
    let mut told = outcome.different.clone();
    let explained = || set.collides() && orders::explain(objects, &outcome.moved);
    if !(outcome.moved.is_empty() || explained()) {
        told.push(format!("{:?}", outcome.moved));
    }
    told
}

/// How many seeds are compared: `MESHDNS_PARITY_SEEDS`, or as many as a test takes time for.
fn seeds() -> u64 {
    std::env::var("MESHDNS_PARITY_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS.end)
}

#[test]
fn our_reader_takes_every_set() {
    for seed in 0..10 * SEEDS.end {
        for mode in MODES {
            let set = Set::generate(seed, mode);
            let loaded = load_text("set.yaml", &set.documents());
            assert!(loaded.report.defects.is_empty(), "{:#?}\n{set}", loaded.report.defects);
            assert!(loaded.report.skipped.is_empty(), "{:#?}\n{set}", loaded.report.skipped);
        }
    }
}

#[test]
fn a_seed_always_gives_the_same_set() {
    for mode in MODES {
        assert_eq!(Set::generate(7, mode).documents(), Set::generate(7, mode).documents());
    }
    assert_ne!(Set::generate(7, Mode::Status).documents(), Set::generate(8, Mode::Status).documents());
}

/// Without this, a change to the generator could quietly stop covering something.
#[test]
fn sets_have_every_shape() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in SEEDS {
        for mode in MODES {
            let set = Set::generate(seed, mode);
            if set.collides() {
                *seen.entry(format!("{mode:?} set with colliding names")).or_default() += 1;
            }
            for entry in set.of_kind("ServiceEntry") {
                for shape in shapes(entry) {
                    *seen.entry(shape).or_default() += 1;
                }
            }
        }
    }
    let wanted = [
        "NONE selector",
        "NONE literal",
        "NONE range",
        "NONE bare",
        "STATIC selector",
        "STATIC endpoints",
        "STATIC literal",
        "STATIC range",
        "STATIC bare",
        "DNS selector",
        "DNS endpoints",
        "DNS literal",
        "DNS bare",
        "DNS_ROUND_ROBIN endpoints",
        "DNS_ROUND_ROBIN literal",
        "DNS_ROUND_ROBIN bare",
        "DYNAMIC_DNS bare",
        "wildcard host",
        "host in cluster.local",
        "host twice",
        "endpoint is its own host",
        "exportTo absent",
        "exportTo *",
        "exportTo .",
        "exportTo ~",
        "exportTo named",
        "exportTo mixed",
        "opted out",
        "status",
        "Hash set with colliding names",
    ];
    for shape in wanted {
        assert!(seen.get(shape).is_some_and(|count| *count >= 5), "{shape} is rare in {seen:#?}");
    }
}

/// What there is to one ServiceEntry.
fn shapes(entry: &Value) -> Vec<String> {
    let spec = &entry["spec"];
    let resolution = spec["resolution"].as_str().unwrap_or("NONE");
    let list = |field: &str| -> Vec<&str> {
        spec[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (hosts, addresses, exports) = (list("hosts"), list("addresses"), list("exportTo"));
    let endpoints = spec["endpoints"].as_array().map_or(&[][..], Vec::as_slice);
    let range =
        |address: &&str| address.contains('/') && !address.ends_with("/32") && !address.ends_with("/128");
    let of_resolution = [
        (!spec["workloadSelector"].is_null(), "selector"),
        (!endpoints.is_empty(), "endpoints"),
        (addresses.iter().any(|address| !range(address)), "literal"),
        (addresses.iter().any(range), "range"),
        (addresses.is_empty(), "bare"),
    ];
    let opted_out = entry["metadata"]["labels"]["networking.istio.io/enable-autoallocate-ip"].as_str();
    let exported = match exports[..] {
        [] => "absent",
        [one] if ["*", ".", "~"].contains(&one) => one,
        _ if exports.contains(&".") => "mixed",
        _ => "named",
    };
    let of_any = [
        (hosts.iter().any(|host| host.starts_with('*')), "wildcard host"),
        (hosts.iter().any(|host| host.ends_with(".cluster.local")), "host in cluster.local"),
        (hosts.len() > 1 && hosts[1..].contains(&hosts[0]), "host twice"),
        (endpoints.iter().any(|endpoint| endpoint["address"] == hosts[0]), "endpoint is its own host"),
        (opted_out.is_some_and(|value| value.eq_ignore_ascii_case("false")), "opted out"),
        (!entry["status"].is_null(), "status"),
    ];
    let own = of_resolution.iter().filter(|(met, _)| *met).map(|(_, shape)| format!("{resolution} {shape}"));
    let any = of_any.iter().filter(|(met, _)| *met).map(|(_, shape)| (*shape).to_owned());
    own.chain(any).chain([format!("exportTo {exported}")]).collect()
}

/// `MESHDNS_SEED=7 cargo test --test it -- --ignored --nocapture prints_a_set`
#[test]
#[ignore = "prints the sets of MESHDNS_SEED"]
fn prints_a_set() {
    let seed = std::env::var("MESHDNS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    for mode in MODES {
        println!("{}", Set::generate(seed, mode));
    }
}
