//! What a ledger makes of what its store says.

use super::*;

fn key(namespace: &str, host: &str) -> HostKey {
    HostKey::parse(namespace, host).unwrap()
}

fn row(address: &str, since: u64) -> Row {
    let mut addresses = crate::allocate::Assigned::default();
    addresses.set(address.parse().unwrap());
    Row { addresses, origin: crate::allocate::Origin::Own, since, freed: None }
}

#[test]
fn a_restart_changes_nothing_and_remembered_hosts_keep_theirs() {
    let mut world = World::istio();
    world.batch(vec![entry("one/a", 1, &["a.example"]), entry("one/b", 2, &["b.example"])]);
    world.remove("one/a");
    let mut after = world.restarted(50);
    after.batch(vec![entry("one/c", 1, &["c.example"]), entry("one/b", 2, &["b.example"])]);
    assert_eq!(after.of("one", "b.example"), "240.240.0.2 2001:2::2");
    assert_eq!(after.of("one", "c.example"), "240.240.0.3 2001:2::3", "what cools is not given");
    after.add(entry("one/a", 1, &["a.example"]));
    assert_eq!(after.of("one", "a.example"), "240.240.0.1 2001:2::1");
}

#[test]
fn hosts_that_went_while_nobody_looked_cool_once_everything_was_read() {
    let mut world = World::istio();
    world.batch(vec![entry("one/a", 1, &["a.example"]), entry("one/b", 2, &["b.example"])]);
    let mut after = world.restarted(1000);
    after.add(entry("one/b", 2, &["b.example"]));
    assert_eq!(after.store[&key("one", "a.example")].freed, None);
    after.ledger.settle();
    after.store_all();
    assert_eq!(after.store[&key("one", "a.example")].freed, Some(1000));
    assert_eq!(after.store[&key("one", "b.example")].freed, None);
}

#[test]
fn a_status_does_not_take_what_is_remembered() {
    let mut world = World::istio();
    world.add(entry("one/a", 5, &["a.example"]));
    let mut after = world.restarted(1000);
    after.add(with_status(entry("one/b", 1, &["b.example"]), &[("b.example", "240.240.0.1")]));
    assert_eq!(after.of("one", "b.example"), "240.240.0.2 2001:2::2");
    assert_eq!(after.ledger.listing().conflicts[0].why, Why::Remembered);
}

#[test]
fn rows_outside_the_ranges_and_doubles_are_not_kept() {
    let rows = vec![
        (key("one", "a.example"), row("240.240.0.5", 20)),
        (key("one", "b.example"), row("240.240.0.5", 10)),
        (key("one", "c.example"), row("10.9.8.7", 10)),
    ];
    let mut world = World::with(rules(&["240.240.0.0/16"]), rows);
    let hosts = ["a.example", "b.example", "c.example"];
    world.batch(vec![entry("one/a", 1, &hosts)]);
    assert_eq!(world.of("one", "b.example"), "240.240.0.5", "it has it longer");
    assert_eq!(world.of("one", "a.example"), "240.240.0.1");
    assert_eq!(world.of("one", "c.example"), "240.240.0.2");
    nothing_is_given_twice(&world);
}

fn claim(world: &mut World, entry: ServiceEntry) -> Claim {
    world.change(Change::Upsert(Object::ServiceEntry(entry)));
    world.ledger.claims().pop().unwrap()
}

#[test]
fn what_another_writer_gave_to_the_host_counts() {
    let mut world = World::new(&["240.240.0.0/16"]);
    let claim = claim(&mut world, entry("one/a", 1, &["a.example"]));
    let outcome = Outcome::Holds(Some(row("240.240.0.9", 3)));
    let published = world.ledger.stored(vec![Settled { claim, outcome }]);
    assert!(published.contains(&key("one", "a.example").unit()));
    assert_eq!(world.of("one", "a.example"), "240.240.0.9");
    world.add(entry("one/b", 2, &["b.example"]));
    assert_eq!(world.of("one", "b.example"), "240.240.0.2", "the pointer went on");
    assert_eq!(world.ledger.stats().unwrap().ranges[0].used, 2, "ours was freed");
}

#[test]
fn an_address_that_another_host_holds_is_left_to_it() {
    let mut world = World::new(&["240.240.0.0/16"]);
    let claim = claim(&mut world, entry("one/a", 1, &["a.example"]));
    let other = Arc::new(key("two", "x.example"));
    let outcome = Outcome::Taken(Arc::clone(&other), row("240.240.0.1", 3));
    world.ledger.stored(vec![Settled { claim, outcome }]);
    assert_eq!(world.of("one", "a.example"), "waiting");
    world.store_all();
    assert_eq!(world.of("one", "a.example"), "240.240.0.2");
    world.add(entry("two/x", 2, &["x.example"]));
    assert_eq!(world.of("two", "x.example"), "240.240.0.1");
}

#[test]
fn what_others_forgot_is_claimed_again_while_it_is_used() {
    let mut world = World::new(&["240.240.0.0/16"]);
    world.add(entry("one/a", 1, &["a.example"]));
    let claim = Claim { key: Arc::new(key("one", "a.example")), was: None, row: None };
    world.ledger.stored(vec![Settled { claim, outcome: Outcome::Holds(None) }]);
    assert_eq!(world.of("one", "a.example"), "waiting");
    world.store_all();
    assert_eq!(world.of("one", "a.example"), "240.240.0.1");
}

#[test]
fn hosts_take_from_the_slice_of_their_key() {
    let rules = Rules { slices: NonZeroU32::new(64).unwrap(), ..rules(&["240.240.0.0/16"]) };
    let mut world = World::with(rules, Vec::new());
    world.batch((0..40).map(|n| entry(&format!("one/{n}"), n, &[&format!("h{n}.example")])).collect());
    let slices: BTreeSet<u8> = world
        .ledger
        .listing()
        .hosts
        .iter()
        .map(|listed| listed.addresses.v4.unwrap().octets()[2] / 4)
        .collect();
    assert!(slices.len() > 20, "{slices:?}");
    nothing_is_given_twice(&world);
}
