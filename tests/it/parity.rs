//! Parity with istiod: clusters made of seeds, given to a real istiod and to us, have the same names and addresses.
//!
//! # What is compared, and how
//!
//! For each of some hundred sets and each allocator ([`Mode`]) the objects go to istiod, and what comes back, the
//! ServiceEntries with their final status and everything else as it was, goes to us. Then:
//!
//! - **name table**: for every namespace of the set and one outside, and for an IPv4 and an IPv6 sidecar, the table
//!   that we build is the one that istiod sends, as sets of addresses per host: the order of several is left to chance
//!   there, and one endpoint may be in a row twice;
//! - **answers**: for a caller without a namespace they are those of the table of a namespace outside the set, read as the sidecar's DNS
//!   proxy reads it, except where we differ on purpose (Kubernetes names, and what `docs/` says of ServiceEntries);
//! - **listeners**: every automatic address that we answer, and no other, has its listener in LDS on each TCP port of
//!   its host;
//! - **hash mode** agrees address by address unless [`Set::collides`]: then istiod itself shuffles, and the addresses
//!   must be those of some order of the colliding names.
//!
//! Facts about istiod that a comparison has to know are tests in [`peer`].

mod generate;
mod peer;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use meshdns::source::manifests::load_text;
use serde_json::Value;

use self::generate::Set;
use crate::support::istiod::{Istiod, Mode};

/// As many sets as a test takes time for.
const SEEDS: std::ops::Range<u64> = 0..50;

/// The address of a sidecar; its family is the one of the automatic addresses that it is told.
const SIDECAR: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 255, 1));

const MODES: [Mode; 2] = [Mode::Status, Mode::Hash];

/// And is done with it when it says so: all namespaces are told the addresses that the API server has.
#[test]
fn istiod_takes_every_set() {
    let mut istiod = Istiod::start();
    for seed in SEEDS {
        for mode in MODES {
            let set = Set::generate(seed, mode);
            let loaded =
                istiod.load(&set.documents(), mode).unwrap_or_else(|refusal| panic!("{refusal}\n{set}"));
            let assigned = assigned(&loaded.objects);
            for namespace in set.namespaces.iter().filter(|_| mode == Mode::Status) {
                let sent = istiod.sent_to(namespace, SIDECAR).unwrap();
                for (host, address) in assigned.get(*namespace).into_iter().flatten() {
                    let told = sent.name_table.get(host).is_some_and(|told| told.contains(address));
                    assert!(told, "{namespace} {host} {address}: {sent:#?}\n{set}");
                }
            }
        }
    }
}

/// By namespace, the hosts and automatic IPv4 addresses of entries that proxies of their own namespace see. Without
/// names of Services, which go before.
fn assigned(objects: &str) -> BTreeMap<String, Vec<(String, IpAddr)>> {
    let objects: Value = serde_json::from_str(objects).unwrap();
    let mut assigned: BTreeMap<String, Vec<(String, IpAddr)>> = BTreeMap::new();
    for entry in objects["items"].as_array().unwrap() {
        let namespace = entry["metadata"]["namespace"].as_str().unwrap();
        let exports = entry["spec"]["exportTo"].as_array();
        let seen = exports.is_none_or(|to| to.iter().any(|to| *to == "*" || *to == "." || *to == namespace));
        // Of several that a host has in one entry the last one counts.
        let mut of_host: BTreeMap<&str, IpAddr> = BTreeMap::new();
        for address in entry["status"]["addresses"].as_array().into_iter().flatten().filter(|_| seen) {
            let value: IpAddr = address["value"].as_str().unwrap().parse().unwrap();
            let host = address["host"].as_str().unwrap();
            if value.is_ipv4() && !host.ends_with(".svc.cluster.local") {
                of_host.insert(host, value);
            }
        }
        let hosts = of_host.into_iter().map(|(host, address)| (host.to_owned(), address));
        assigned.entry(namespace.to_owned()).or_default().extend(hosts);
    }
    assigned
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
