//! The same cluster, seen by CoreDNS's own kubernetes plugin and by a CoreDNS that asks meshdns: every answer is the same, or
//! differs by a decision that is listed.
//!
//! # What is compared, and how
//!
//! A seed makes a cluster ([`generate`]), which a real API server takes. Both servers ([`servers`]) watch it, with the same options
//! ([`variant`]), and get the same questions: each object's names, right and wrong, put in many ways ([`names`], [`question`]).
//! Then part of the objects changes ([`changes`]) and they are asked again.
//!
//! What the plugin says goes through the rules ([`rules`]), which make of it what we must say; anything else fails the test, and so does
//! a rule that was never needed. The rules are also what `docs/coredns-differences.md` consists of ([`report`]).
//!
//! `MESHDNS_SEED` takes another cluster, `MESHDNS_DIFFERENTIAL_SEEDS` that many of them, one after the other.

mod changes;
mod client;
mod compare;
mod facts;
mod generate;
mod names;
mod question;
mod reply;
mod report;
mod rules;
mod servers;
mod variant;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use self::compare::Outcome;
use self::generate::Size;
use self::servers::{Pair, Servers};
use self::world::World;
use crate::support::kube::{CustomResources, Setup};

/// What there is at first, and what comes later.
const FIRST: Size = Size { namespaces: 26, services: 700, pods: 160, imports: 90 };
const LATER: Size = Size { namespaces: 26, services: 60, pods: 20, imports: 10 };
/// Questions about objects, at first and later.
const QUESTIONS: [usize; 2] = [40_000, 8_000];
/// Variants that are asked at once. Some questions get no reply, which takes time and nothing else.
const AT_ONCE: usize = 3;
/// So many failures say enough.
const TOLD: usize = 12;

#[test]
fn every_difference_is_a_listed_decision() {
    let mut total = Outcome::default();
    let (mut objects, mut addresses) = (0, false);
    for seed in seeds() {
        let (count, outcome, servers_have_addresses) = compared(seed);
        let different = outcome.unexplained.len();
        let told = outcome.unexplained[..different.min(TOLD)].join("\n");
        assert_eq!(different, 0, "{different} differences that no rule explains, among them:\n{told}");
        total += outcome;
        objects += count;
        addresses |= servers_have_addresses;
    }
    let unused = rules::all().map(|rule| rule.name).filter(|name| !total.explained.contains_key(name));
    // Name servers need an address that is no loopback address, which not every machine has.
    let unused: Vec<&str> =
        unused.filter(|name| addresses || *name != "name servers of other zones").collect();
    assert!(unused.is_empty(), "these rules explain nothing: {unused:?}");
    report::write(objects, &total);
}

/// How many objects there were, what came of it, and whether the servers had addresses of their own.
fn compared(seed: u64) -> (usize, Outcome, bool) {
    let begin = Instant::now();
    let plane = Setup::default().without_controllers().start();
    plane.install(CustomResources::ServiceImport);
    let world = World::create(&plane, seed, FIRST);
    assert!(world.refused.is_empty(), "the API server refuses {:#?}", world.refused);
    let servers = Servers::start(&plane);
    eprintln!("{} objects served after {:?}", world.count(), begin.elapsed());
    let mut total = all(&servers.pairs, |pair| asked(&world, pair, QUESTIONS[0]));
    let addresses = servers.pairs.iter().find(|pair| pair.variant.name_servers).unwrap().addresses.clone();
    let world = changes::change(&plane, &world, LATER, &addresses);
    let later = all(&servers.pairs, |pair| {
        pair.wait_for_last();
        asked(&world, pair, QUESTIONS[1])
    });
    total += later;
    eprintln!("seed {seed}: {} questions, {:?}, {:#?}", total.questions, begin.elapsed(), total.explained);
    (world.count(), total, !addresses.is_empty())
}

fn asked(world: &World, pair: &Pair, questions: usize) -> Outcome {
    let questions = names::questions(world, pair.variant, questions * pair.variant.share / 1000);
    Outcome::of(world, pair, &questions)
}

/// Does this with each variant, some at a time.
fn all(pairs: &[Pair], ask: impl Fn(&Pair) -> Outcome + Sync) -> Outcome {
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Outcome::default()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(pair) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = ask(pair);
                    *total.lock().unwrap() += outcome;
                }
            });
        }
    });
    total.into_inner().unwrap()
}

/// One, unless a larger run is wanted.
fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("MESHDNS_DIFFERENTIAL_SEEDS") {
        Some(count) => (1..=count).collect(),
        None => vec![number("MESHDNS_SEED").unwrap_or(1)],
    }
}

#[test]
fn a_seed_always_gives_the_same_cluster() {
    let objects =
        |seed| generate::cluster(seed, FIRST).into_iter().map(|plan| plan.object).collect::<Vec<_>>();
    assert_eq!(objects(7), objects(7));
    assert_ne!(objects(7), objects(8));
}
