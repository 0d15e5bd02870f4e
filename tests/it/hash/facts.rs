//! Addresses that Istio's own tests of this allocator name
//! (`pilot/pkg/serviceregistry/serviceentry/controller_test.go`, `pilot/pkg/xds/nds_test.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use meshdns::allocate::{Allocation, Allocator, HashAllocator};
use meshdns::inventory::Inventory;
use meshdns::model::{Change, Host, Object, ServiceEntry};

use super::mesh::{Mesh, entry, pair};
use super::reference;

/// Hosts of one namespace, each with an entry of its own, each a second younger than the one before.
fn one_after_the_other<H: AsRef<str>>(namespace: &str, hosts: &[H]) -> Vec<ServiceEntry> {
    let each = hosts.iter().enumerate();
    each.map(|(n, host)| entry(namespace, &format!("entry-{n}"), &[host.as_ref()], n as i64)).collect()
}

fn mesh(entries: Vec<ServiceEntry>) -> Mesh {
    Mesh::of(entries.into_iter().map(Object::ServiceEntry).collect())
}

#[test]
fn one_host() {
    let mesh = mesh(one_after_the_other("", &["foo.com"]));
    assert_eq!(mesh.addresses("foo.com"), pair("240.240.227.81", "2001:2::f0f0:e351"));
}

#[test]
fn hosts_that_collided_in_older_releases() {
    let mesh = mesh(one_after_the_other("", &["a17061.example.com", "a44155.example.com"]));
    assert_eq!(mesh.addresses("a17061.example.com"), pair("240.240.25.11", "2001:2::f0f0:19b"));
    assert_eq!(mesh.addresses("a44155.example.com"), pair("240.240.31.17", "2001:2::f0f0:1f11"));
}

#[test]
fn one_host_in_two_namespaces() {
    for (seen, hidden, v4, v6) in [
        ("a", "b", "240.240.134.206", "2001:2::f0f0:86ce"),
        ("b", "a", "240.240.41.100", "2001:2::f0f0:2964"),
    ] {
        let other = ServiceEntry { export_to: vec![".".into()], ..entry(hidden, "e", &["a.example.com"], 0) };
        let mesh = mesh(vec![entry(seen, "e", &["a.example.com"], 0), other]);
        assert_eq!(mesh.addresses("a.example.com"), pair(v4, v6));
    }
}

#[test]
fn other_hosts_and_duplicates_do_not_matter_where_nothing_collides() {
    let known = [
        ("a.com", "240.240.109.8"),
        ("c.com", "240.240.234.51"),
        ("e.com", "240.240.85.60"),
        ("g.com", "240.240.23.172"),
        ("i.com", "240.240.15.2"),
        ("k.com", "240.240.160.161"),
        ("l.com", "240.240.42.96"),
        ("n.com", "240.240.121.61"),
        ("o.com", "240.240.122.71"),
    ];
    let check = |mesh: &Mesh| {
        for (host, v4) in known {
            let answered = mesh.addresses(host);
            assert!(answered.contains(&v4.parse().unwrap()) && answered.len() == 2, "{host}: {answered:?}");
        }
    };
    let hosts: Vec<&str> = known.iter().map(|(host, _)| *host).collect();
    let mut mesh = mesh(one_after_the_other("", &hosts));
    check(&mesh);
    let more: Vec<String> = "bdfhjmpqr".chars().map(|letter| format!("{letter}.com")).collect();
    let more: Vec<&str> = more.iter().map(String::as_str).chain(["i.com"]).collect();
    mesh.keeper.apply(0, Change::Upsert(Object::ServiceEntry(entry("", "more", &more, 100))));
    check(&mesh);
}

#[test]
fn a_host_in_two_entries_has_one_address() {
    let of = |namespace, hosts: &[&str]| {
        mesh(vec![entry(namespace, "one", hosts, 1), entry(namespace, "two", hosts, 2)])
    };
    let answered = of("default", &["istio.io"]).addresses("istio.io");
    assert!(answered.contains(&"240.240.91.120".parse().unwrap()) && answered.len() == 2, "{answered:?}");
    let two = of("ns2", &["random-1.host.example", "random-3.host.example"]);
    for (host, v4) in
        [("random-1.host.example", "240.240.116.21"), ("random-3.host.example", "240.240.81.100")]
    {
        let answered = two.addresses(host);
        assert!(answered.contains(&v4.parse().unwrap()) && answered.len() == 2, "{host}: {answered:?}");
    }
}

/// All that an allocator has for entries, which are loaded at once.
fn allocated(entries: &[ServiceEntry]) -> BTreeMap<String, Allocation> {
    let (mut inventory, mut allocator) = (Inventory::default(), HashAllocator::default());
    let objects = entries.iter().cloned().map(Object::ServiceEntry).collect();
    let touched = inventory.apply(0, Change::Replace(objects));
    allocator.update(&inventory, &touched);
    let host = |entry: &ServiceEntry| {
        (entry.hosts[0].text.to_string(), allocator.allocation(&entry.name.namespace, &entry.hosts[0]))
    };
    entries.iter().map(host).collect()
}

fn v4(allocation: Allocation) -> Ipv4Addr {
    match allocation {
        Allocation::Given(assigned) => assigned.v4.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// `foo0.com` to `foo65023.com`, in this order, take every slot there is.
#[test]
fn all_slots_can_be_taken() {
    let hosts: Vec<String> = (0..65_024).map(|n| format!("foo{n}.com")).collect();
    let found = allocated(&one_after_the_other("", &hosts));
    assert_eq!(v4(found["foo65023.com"]), Ipv4Addr::new(240, 240, 10, 222));
    let distinct: BTreeSet<Ipv4Addr> = found.values().map(|allocation| v4(*allocation)).collect();
    assert_eq!(distinct.len(), 65_024);
}

/// Beyond 65,024 hosts the youngest get nothing, and are told why; what the others have does not change.
#[test]
fn more_hosts_than_slots() {
    let hosts: Vec<String> = (0..65_030).map(|n| format!("foo{n}.com")).collect();
    let mut entries = one_after_the_other("", &hosts);
    let found = allocated(&entries);
    assert_eq!(v4(found["foo65023.com"]), Ipv4Addr::new(240, 240, 10, 222));
    for n in 65_024..65_030 {
        let Allocation::Refused(reason) = found[&format!("foo{n}.com")] else {
            panic!("foo{n}.com has some")
        };
        assert!(reason.contains("older hosts"), "{reason}");
    }
    // Two of the old ones go: two of the others come in, the oldest first.
    let (mut inventory, mut allocator) = (Inventory::default(), HashAllocator::default());
    let objects = entries.iter().cloned().map(Object::ServiceEntry).collect();
    let touched = inventory.apply(0, Change::Replace(objects));
    allocator.update(&inventory, &touched);
    for entry in entries.drain(100..102) {
        let touched = inventory.apply(0, Change::Remove(Object::ServiceEntry(entry).key()));
        allocator.update(&inventory, &touched);
    }
    let given = |n: usize| allocator.allocation("", &Host::parse(&format!("foo{n}.com")).unwrap());
    assert!(matches!(given(65_026), Allocation::Refused(_)));
    let expected = reference::addresses(&entries);
    assert_eq!(expected.len(), 65_024);
    for ((_, host), (address, _)) in expected {
        let given = allocator.allocation("", &Host::parse(&host).unwrap());
        assert_eq!(v4(given), address, "{host}");
    }
}
