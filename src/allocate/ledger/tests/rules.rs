//! The rules that Istio does not have, and those that its tests do not show.

use super::*;

#[test]
fn nothing_is_published_before_it_is_stored() {
    let mut world = World::istio();
    world.change(Change::Upsert(Object::ServiceEntry(entry("one/a", 1, &["a.example"]))));
    assert_eq!(world.of("one", "a.example"), "waiting");
    let published = world.store_all();
    assert_eq!(world.of("one", "a.example"), "240.240.0.1 2001:2::1");
    assert!(published.contains(&HostKey::parse("one", "a.example").unwrap().unit()));
    assert!(world.ledger.claims().is_empty(), "each claim is handed out once");
}

#[test]
fn an_address_that_is_lost_is_no_longer_published_though_the_new_one_is_not_stored_yet() {
    let mut world = World::istio();
    world.add(entry("one/a", 1, &["a.example"]));
    let lit = literal("one/b", 2, &["b.example"], &["240.240.0.1"]);
    let touched = world.change(Change::Upsert(Object::ServiceEntry(lit)));
    assert!(touched.contains(&HostKey::parse("one", "a.example").unwrap().unit()));
    assert_eq!(world.of("one", "a.example"), "waiting");
    world.store_all();
    assert_eq!(world.of("one", "a.example"), "240.240.0.2 2001:2::2");
}

#[test]
fn entries_of_a_namespace_share_the_address_of_a_host() {
    let mut world = World::istio();
    world.batch(vec![entry("one/a", 1, &["a.example"]), entry("one/b", 2, &["A.Example", "b.example"])]);
    world.add(entry("two/a", 3, &["a.example"]));
    assert_eq!(world.of("one", "a.example"), "240.240.0.1 2001:2::1");
    assert_eq!(world.of("one", "A.EXAMPLE"), "240.240.0.1 2001:2::1", "letter case does not matter");
    assert_eq!(world.of("one", "b.example"), "240.240.0.2 2001:2::2");
    assert_eq!(world.of("two", "a.example"), "240.240.0.3 2001:2::3");
    world.remove("one/a");
    assert_eq!(world.of("one", "a.example"), "240.240.0.1 2001:2::1", "the other still names it");
}

#[test]
fn order_within_a_batch_is_by_age_then_name_then_place() {
    let mut world = World::istio();
    world.batch(vec![
        entry("two/a", 5, &["e.example"]),
        entry("one/b", 5, &["d.example", "c.example", "d.example"]),
        entry("one/a", 5, &["b.example"]),
        entry("two/b", 4, &["a.example"]),
    ]);
    for (namespace, host, last) in
        [("two", "a", 1), ("one", "b", 2), ("one", "d", 3), ("one", "c", 4), ("two", "e", 5)]
    {
        let expected = format!("240.240.0.{last} 2001:2::{last}");
        assert_eq!(world.of(namespace, &format!("{host}.example")), expected);
    }
}

#[test]
fn a_host_gets_back_what_it_had_while_it_cools_and_others_do_not_get_it() {
    let mut world = World::new(&["192.0.2.0/29"]);
    for (at, name) in ["a", "b", "c", "d", "e", "f", "g"].iter().enumerate() {
        world.add(entry(&format!("one/{name}"), at as i64, &[&format!("{name}.example")]));
    }
    assert_eq!(world.of("one", "g.example"), "192.0.2.7");
    world.at(100);
    world.remove("one/b");
    world.at(200);
    world.remove("one/a");
    world.add(entry("one/b", 1, &["b.example"]));
    assert_eq!(world.of("one", "b.example"), "192.0.2.2");
    // Nothing else is left: what cooled for the longest time.
    world.at(300);
    world.remove("one/c");
    world.add(entry("one/x", 99, &["x.example"]));
    assert_eq!(world.of("one", "x.example"), "192.0.2.1");
    // Its host gets another one when it comes back.
    world.add(entry("one/a", 0, &["a.example"]));
    assert_eq!(world.of("one", "a.example"), "192.0.2.3");
    nothing_is_given_twice(&world);
}

#[test]
fn what_has_cooled_is_free_and_forgotten() {
    let mut world = World::new(&["192.0.2.0/24"]);
    world.add(entry("one/a", 0, &["a.example"]));
    world.at(1000);
    world.remove("one/a");
    world.at(1000 + COOLING - 1);
    assert_eq!(world.store.len(), 1);
    world.at(1000 + COOLING);
    assert!(world.store.is_empty());
    assert_eq!(world.ledger.stats().unwrap().ranges[0].used, 0);
}

#[test]
fn a_full_range_refuses_with_its_name_and_serves_those_who_wait_when_it_can() {
    let mut world = World::new(&["192.0.2.0/30"]);
    world.batch((0..5).map(|n| entry(&format!("one/{n}"), n, &[&format!("h{n}.example")])).collect());
    assert_eq!(world.of("one", "h2.example"), "192.0.2.3");
    assert!(world.of("one", "h3.example").contains("serviceEntries.ranges"));
    let defects = world.ledger.listing().defects;
    assert!(
        defects[0].to_string().contains("`h3.example` gets no address: every one of 192.0.2.0/30 is taken")
    );
    assert_eq!(world.ledger.stats().unwrap().waiting, 2);
    let notices = world.ledger.notices();
    assert!(
        matches!(&notices[..], [Notice::Exhausted { ranges, waiting: 2, .. }] if ranges == "192.0.2.0/30")
    );
    world.remove("one/0");
    assert_eq!(world.of("one", "h3.example"), "192.0.2.1", "the older of the two");
    assert!(world.of("one", "h4.example").contains("serviceEntries.ranges"));
}

#[test]
fn with_one_family_exhausted_there_is_the_other() {
    let mut world = World::new(&["192.0.2.0/31", "2001:db8::/64"]);
    world.batch(vec![entry("one/a", 1, &["a.example"]), entry("one/b", 2, &["b.example"])]);
    assert_eq!(world.of("one", "b.example"), "2001:db8::2");
    world.remove("one/a");
    assert_eq!(world.of("one", "b.example"), "192.0.2.1 2001:db8::2", "completed when it can be");
}

#[test]
fn ranges_of_a_family_are_used_in_order() {
    let mut world = World::new(&["192.0.2.0/31", "2001:db8::/126", "198.51.100.0/30"]);
    world.batch((0..3).map(|n| entry(&format!("one/{n}"), n, &[&format!("h{n}.example")])).collect());
    assert_eq!(world.of("one", "h0.example"), "192.0.2.1 2001:db8::1");
    assert_eq!(world.of("one", "h1.example"), "198.51.100.1 2001:db8::2");
}

#[test]
fn the_older_entry_keeps_the_address_that_two_claim_whoever_comes_first() {
    let old = || with_status(entry("one/old", 1, &["old.example"]), &[("old.example", "240.240.0.9")]);
    let young =
        || with_status(entry("two/young", 2, &["young.example"]), &[("young.example", "240.240.0.9")]);
    let mut in_order = World::istio();
    in_order.add(old());
    in_order.add(young());
    let mut in_reverse = World::istio();
    in_reverse.add(young());
    assert_eq!(in_reverse.of("two", "young.example"), "240.240.0.9 2001:2::1");
    in_reverse.add(old());
    let mut at_once = World::istio();
    at_once.batch(vec![young(), old()]);
    for world in [&in_order, &in_reverse, &at_once] {
        assert!(world.of("one", "old.example").starts_with("240.240.0.9 "));
        assert!(world.of("two", "young.example").starts_with("240.240.0.1 "));
        let listing = world.ledger.listing();
        let text = listing.conflicts[0].to_string();
        assert!(text.contains("240.240.0.9: ServiceEntry one/old keeps it because it is older"), "{text}");
        assert!(text.contains("two/young gets others"), "{text}");
        assert_eq!(world.ledger.stats().unwrap().conflicts, 1);
        nothing_is_given_twice(world);
    }
}

#[test]
fn an_entry_that_gives_way_gets_new_addresses_for_all_its_hosts() {
    let mut world = World::istio();
    world.add(entry("one/a", 1, &["a.example", "b.example"]));
    world.add(literal("one/b", 2, &["c.example"], &["240.240.0.2", "240.240.0.2"]));
    assert_eq!(world.of("one", "a.example"), "240.240.0.3 2001:2::3");
    assert_eq!(world.of("one", "b.example"), "240.240.0.4 2001:2::4");
    let conflict = &world.ledger.listing().conflicts[0];
    assert_eq!((conflict.why, conflict.kept.to_string()), (Why::Literal, "one/b".to_owned()));
}

#[test]
fn a_status_that_loses_gives_nothing_and_costs_nothing() {
    let mut world = World::istio();
    world.add(literal("one/a", 9, &["a.example"], &["240.240.0.7"]));
    world.add(entry("one/b", 2, &["b.example"]));
    let status = [("c.example", "240.240.0.6"), ("d.example", "240.240.0.7")];
    world.add(with_status(entry("one/b", 2, &["b.example", "c.example", "d.example"]), &status));
    assert_eq!(world.of("one", "b.example"), "240.240.0.1 2001:2::1", "as before");
    assert_eq!(world.of("one", "c.example"), "240.240.0.2 2001:2::2", "not what the status says");
    assert_eq!(world.of("one", "d.example"), "240.240.0.3 2001:2::3");
}

#[test]
fn a_status_counts_inside_the_ranges_and_only_for_hosts_without_an_address() {
    let mut world = World::istio();
    let status = [("a.example", "10.1.2.3"), ("a.example", "2001:2::77"), ("gone.example", "240.240.0.1")];
    world.add(with_status(entry("one/a", 1, &["a.example"]), &status));
    assert_eq!(world.of("one", "a.example"), "240.240.0.1 2001:2::77");
    world.add(with_status(entry("one/a", 1, &["a.example"]), &[("a.example", "240.240.9.9")]));
    assert_eq!(world.of("one", "a.example"), "240.240.0.1 2001:2::77", "given once, stays");
    let row = world.store[&HostKey::parse("one", "a.example").unwrap()];
    assert_eq!(row.origin, crate::allocate::Origin::Status);
}

#[test]
fn entries_that_do_not_change_cost_nothing() {
    let mut world = World::istio();
    world.add(entry("one/a", 1, &["a.example"]));
    let again = Change::Replace(vec![Object::ServiceEntry(entry("one/a", 1, &["a.example"]))]);
    world.change(again);
    assert!(world.ledger.claims().is_empty());
}
