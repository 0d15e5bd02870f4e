//! What TTLs cost and spare: how many queries a cache sends, and for how long what it has is wrong, while the endpoints of
//! services change as they do in clusters. A simulation: seconds pass as fast as they are counted, but what is published, asked and
//! answered goes through the keeper and the answers of meshdns.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

#[path = "churn/cache.rs"]
mod cache;
/// What the tests draw from.
#[path = "../tests/it/support/random.rs"]
#[allow(dead_code, reason = "tests use the rest of it")]
mod random;
#[path = "churn/stream.rs"]
mod stream;
#[path = "churn/world.rs"]
mod world;

use cache::{Cost, run};
use meshdns::catalog::{Churn, TtlPolicy, TtlSetting};
use meshdns::model::Ttl;
use random::Random;
use stream::Stream;

/// Services of each kind, each with changes of its own.
const SERVICES: u64 = 20;
/// What is simulated of each, in seconds.
const TIME: u32 = 2 * 24 * 3600;

/// TTLs that are compared.
#[derive(Clone, Copy)]
enum Given {
    Fixed(i64),
    Churn { min: i64, max: i64, weight: u16 },
}

const GIVEN: [Given; 6] = [
    Given::Fixed(5),
    Given::Fixed(30),
    Given::Fixed(300),
    Given::Churn { min: 1, max: 60, weight: 20 },
    Given::Churn { min: 5, max: 60, weight: 2 },
    Given::Churn { min: 5, max: 300, weight: 2 },
];

impl Given {
    fn policy(self) -> TtlPolicy {
        let ttl = |seconds| Ttl::new(seconds).unwrap();
        match self {
            Given::Fixed(seconds) => TtlPolicy { default: ttl(seconds).into(), ..TtlPolicy::default() },
            Given::Churn { min, max, weight } => TtlPolicy {
                default: TtlSetting::Churn,
                churn: Churn { min: ttl(min), max: ttl(max), weight },
                ..TtlPolicy::default()
            },
        }
    }

    fn in_words(self) -> String {
        match self {
            Given::Fixed(seconds) => format!("{seconds} s"),
            Given::Churn { min, max, weight } => format!("churn, {min} to {max} s, weight {weight}"),
        }
    }
}

/// Prints a table; with `--points FILE`, what a plot of it needs goes there.
fn main() {
    let points = std::env::args().skip_while(|argument| argument != "--points").nth(1);
    let mut plotted = String::new();
    println!(
        "| endpoints | changes an hour | TTL | queries an hour | wrong, of all time | wrong for, mean | longest |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for stream in Stream::ALL {
        for given in GIVEN {
            let cost = (0..SERVICES).map(|seed| one(stream, given, seed)).fold(Cost::default(), Cost::and);
            println!("{}", row(stream, given, &cost));
            plotted += &point(given, &cost);
        }
        plotted += "\n\n";
    }
    if let Some(file) = points {
        std::fs::write(file, plotted).unwrap();
    }
}

/// What one service costs. The same changes meet every TTL.
fn one(stream: Stream, given: Given, seed: u64) -> Cost {
    let mut random = Random::new(seed);
    let changes = stream.changes(TIME, &mut random);
    run(&changes, TIME, given.policy(), &mut random)
}

fn row(stream: Stream, given: Given, cost: &Cost) -> String {
    let (changes, queries) = (cost.an_hour(cost.changes), cost.an_hour(cost.queries));
    let (mean, longest) = (cost.mean_wrong(), cost.longest);
    let (stream, given, wrong) = (stream.in_words(), given.in_words(), 100.0 * cost.part_wrong());
    format!("| {stream} | {changes:.1} | {given} | {queries:.0} | {wrong:.2}% | {mean:.1} s | {longest} s |")
}

/// Queries an hour, wrong seconds an hour, whether it follows churn, and what it is called.
fn point(given: Given, cost: &Cost) -> String {
    let (queries, wrong) = (cost.an_hour(cost.queries), cost.an_hour(cost.wrong));
    let (follows, name) = match given {
        Given::Fixed(seconds) => (0, format!("{seconds} s")),
        Given::Churn { min, max, .. } => (1, format!("{min} to {max} s")),
    };
    format!("{queries:.3} {wrong:.3} {follows} \"{name}\"\n")
}
