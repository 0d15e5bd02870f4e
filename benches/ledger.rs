//! Giving addresses: one host that comes and goes at ledgers of two sizes, and a change until its address is published with
//! the file of the ledger on disk.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use meshdns::allocate::Allocator;
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::{Keeper, keep};
use meshdns::model::{Change, Object};
use meshdns::source::{SourceId, Update};
use meshdns::store::{FileStore, Journal, Store};
use meshdns::telemetry::metrics::Metrics;
use tokio::sync::mpsc;

/// Hosts that are there already; a /16 has room for 65,535.
const SIZES: [usize; 2] = [1_000, 65_000];

fn settings() -> Settings {
    let text = "zones: [cluster.local]\nserviceEntries: {addresses: ledger}";
    Settings::read("settings", text, &Overrides::default()).unwrap()
}

/// A host without a status, so that it gets an address of ours.
fn entry(host: &str, index: usize) -> Object {
    let Object::ServiceEntry(mut entry) = support::entry(host, index) else { unreachable!() };
    entry.assigned.clear();
    entry.resolution = meshdns::model::Resolution::Static;
    Object::ServiceEntry(entry)
}

fn filled(hosts: usize, allocator: Box<dyn Allocator>) -> (Arc<Catalog>, Keeper) {
    let catalog = Arc::new(Catalog::new(settings().policy()));
    let mut keeper = Keeper::with_allocator(Arc::clone(&catalog), allocator);
    let entries = (0..hosts).map(|index| entry(&format!("host-{index}.mesh.example"), index));
    keeper.apply(SourceId::MANIFESTS.0, Change::Replace(entries.collect()));
    (catalog, keeper)
}

fn gives(criterion: &mut Criterion) {
    for hosts in SIZES {
        let (_catalog, mut keeper) = filled(hosts, settings().allocator());
        keeper.store_nowhere();
        let object = entry("new.mesh.example", hosts);
        criterion.benchmark_group(format!("ledger-{hosts}")).bench_function(
            "host-comes-and-goes",
            |bencher| {
                bencher.iter(|| {
                    keeper.apply(0, Change::Upsert(object.clone()));
                    keeper.store_nowhere();
                    keeper.apply(0, Change::Remove(object.key()));
                    keeper.store_nowhere();
                });
            },
        );
    }
}

/// From a change being sent to a reader finding the address.
fn publishes(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let mut store = FileStore::new(directory.path().join("ledger.redb"));
    let rows = runtime.block_on(store.load()).unwrap();
    let (catalog, mut keeper) = filled(1_000, settings().allocator_from(store.slices(), 1, rows));
    keeper.settle();
    let (updates, incoming) = mpsc::channel(8);
    let (_requests, asked) = Journal::requests();
    let (journal, writer) = Journal::connect(store, BTreeSet::new(), asked, Metrics::new().ledger().clone());
    runtime.spawn(writer.run());
    runtime.spawn(keep(incoming, keeper, journal, |_| {}));
    let mut next = 1_000;
    let mut durations = Vec::new();
    criterion.benchmark_group("ledger-file").bench_function("change-to-published", |bencher| {
        bencher.iter_custom(|times| {
            let mut whole = Duration::ZERO;
            for _ in 0..times {
                next += 1;
                let host = format!("host-{next}.mesh.example");
                let wire = meshdns::model::Name::parse(&host).unwrap();
                let change = Change::Upsert(entry(&host, next));
                let begin = Instant::now();
                runtime.block_on(async {
                    updates.send(Update { source: SourceId::MANIFESTS, change }).await.unwrap();
                    while !answers(&catalog, &wire) {
                        tokio::task::yield_now().await;
                    }
                });
                durations.push(begin.elapsed());
                whole += begin.elapsed();
            }
            whole
        });
    });
    durations.sort();
    if let (Some(median), Some(p99)) =
        (durations.get(durations.len() / 2), durations.get(durations.len() * 99 / 100))
    {
        println!(
            "ledger-file/change-to-published: median {median:?}, 99% {p99:?}, {} changes",
            durations.len()
        );
    }
}

fn answers(catalog: &Catalog, name: &meshdns::model::Name) -> bool {
    let mut reply = Vec::new();
    let host = name.to_string();
    let packet = support::query(host.trim_end_matches('.'), 1);
    meshdns::wire::respond(catalog, &packet, meshdns::wire::Transport::Grpc, 0, &mut reply);
    // Answer count.
    reply.get(7).is_some_and(|count| *count > 0)
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(4));
    targets = gives, publishes
}
criterion_main!(benches);
