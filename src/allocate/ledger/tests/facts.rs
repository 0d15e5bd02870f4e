//! What Istio's own tests say of its status allocator (`ipallocate_test.go`), with our differences marked.

use super::*;

#[test]
fn facts_of_upstream_tests() {
    let mut world = World::istio();
    world.add(entry("default/first", 10, &["first.example"]));
    assert_eq!(world.of("default", "first.example"), "240.240.0.1 2001:2::1");
    world.add(entry("default/second", 20, &["second.example"]));
    assert_eq!(world.of("default", "second.example"), "240.240.0.2 2001:2::2");

    // A literal address wins.
    world.add(literal("default/literal", 30, &["literal.example"], &["240.240.0.2"]));
    assert_eq!(world.of("default", "second.example"), "240.240.0.3 2001:2::3");

    // An entry created later whose status claims what another has.
    let status = [("late.example", "240.240.0.3"), ("late.example", "2001:2::3")];
    world.add(with_status(entry("default/late", 40, &["late.example"]), &status));
    assert_eq!(world.of("default", "second.example"), "240.240.0.3 2001:2::3");
    assert_eq!(world.of("default", "late.example"), "240.240.0.4 2001:2::4");

    // A host more.
    world.add(entry("default/first", 10, &["first.example", "added.example"]));
    assert_eq!(world.of("default", "first.example"), "240.240.0.1 2001:2::1");
    assert_eq!(world.of("default", "added.example"), "240.240.0.5 2001:2::5");

    // A wildcard gets nothing.
    world.add(entry("default/first", 10, &["first.example", "added.example", "*.wild.example"]));
    assert_eq!(world.of("default", "*.wild.example"), "waiting");

    // A host that comes back. Istio gives .6; here it gets what it had, because that was kept for it.
    world.add(entry("default/first", 10, &["first.example"]));
    world.add(entry("default/first", 10, &["first.example", "added.example"]));
    assert_eq!(world.of("default", "added.example"), "240.240.0.5 2001:2::5");

    // Four at once, in their order (one lower than in Istio, for that reason).
    let hosts = ["first.example", "added.example", "d.example", "c.example", "b.example", "a.example"];
    world.add(entry("default/first", 10, &hosts));
    assert_eq!(world.of("default", "d.example"), "240.240.0.6 2001:2::6");
    assert_eq!(world.of("default", "c.example"), "240.240.0.7 2001:2::7");
    assert_eq!(world.of("default", "b.example"), "240.240.0.8 2001:2::8");
    assert_eq!(world.of("default", "a.example"), "240.240.0.9 2001:2::9");

    // A wildcard with DYNAMIC_DNS.
    let wild = ServiceEntry {
        resolution: Resolution::DynamicDns,
        ..entry("default/wild", 50, &["*.dynamic.example"])
    };
    world.add(wild);
    assert_eq!(world.of("default", "*.dynamic.example"), "240.240.0.10 2001:2::a");

    // Opted out, and literal from now on: nothing.
    let mut out = entry("default/second", 20, &["second.example"]);
    out.labels = [("networking.istio.io/enable-autoallocate-ip", "FALSE")].into_iter().collect();
    world.add(out);
    assert!(world.store[&HostKey::parse("default", "second.example").unwrap()].freed.is_some());
    world.add(literal("default/late", 40, &["late.example"], &["10.0.0.0"]));
    assert!(world.store[&HostKey::parse("default", "late.example").unwrap()].freed.is_some());
}

#[test]
fn other_prefixes() {
    let mut world = World::new(&["240.240.2.0/24", "2001:2:0:2::/64"]);
    world.add(entry("default/first", 10, &["first.example"]));
    assert_eq!(world.of("default", "first.example"), "240.240.2.1 2001:2:0:2::1");
}
