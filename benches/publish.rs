//! One change, from object to readers, at clusters of three sizes; and reading while a thousand changes a second are
//! published.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Object};
use meshdns::wire::{Transport, respond};

/// Another endpoint set for a service, of addresses that no other service has: two sets in turn.
fn moved(index: usize, turn: usize) -> Change {
    let addresses = 0x0200_0000 + (index as u32) * 8 + (turn as u32 % 2) * 4;
    Change::Upsert(support::slice(index, 3, addresses))
}

fn changes(criterion: &mut Criterion) {
    for services in support::SIZES {
        let (_catalog, mut keeper) = support::keeper(support::cluster(services));
        let mut group = criterion.benchmark_group(format!("publish-{services}"));
        let mut turn = 0;
        group.bench_function("endpoints-change", |bencher| {
            bencher.iter(|| {
                turn += 1;
                keeper.apply(0, moved(turn * 7 % services, turn / services))
            });
        });
        group.bench_function("endpoints-of-one-service-change", |bencher| {
            bencher.iter(|| {
                turn += 1;
                keeper.apply(0, moved(1, turn))
            });
        });
        let comes_and_goes = |keeper: &mut Keeper, object: Object| {
            let key = object.key();
            keeper.apply(0, Change::Upsert(object));
            keeper.apply(0, Change::Remove(key))
        };
        group.bench_function("service-comes-and-goes", |bencher| {
            bencher.iter(|| comes_and_goes(&mut keeper, support::service(services)));
        });
        group.bench_function("host-comes-and-goes", |bencher| {
            bencher.iter(|| comes_and_goes(&mut keeper, support::entry("new.mesh.example", services + 1)));
        });
        let (_catalog, mut keeper) = support::keeper((0..services).map(sharing).collect());
        group.bench_function("host-of-a-shared-address-comes-and-goes", |bencher| {
            bencher.iter(|| comes_and_goes(&mut keeper, sharing(services)));
        });
        group.finish();
    }
}

/// A host with the automatic address that all of these have.
fn sharing(index: usize) -> Object {
    let host = format!("host-{index}.mesh.example");
    let Object::ServiceEntry(mut entry) = support::entry(&host, index) else { unreachable!() };
    entry.assigned = vec![(host.into(), [240, 240, 0, 1].into())];
    Object::ServiceEntry(entry)
}

fn reads(criterion: &mut Criterion) {
    for services in support::SIZES {
        let (catalog, mut keeper) = support::keeper(support::cluster(services));
        let packets = support::questions(services).swap_remove(0).1;
        let mut group = criterion.benchmark_group(format!("read-{services}"));
        let mut read = |what: &str| {
            let (mut reply, mut next) = (Vec::new(), 0);
            group.bench_function(what, |bencher| {
                bencher.iter(|| {
                    next = (next + 1) % packets.len();
                    black_box(respond(&catalog, &packets[next], Transport::Grpc, 0, &mut reply));
                });
            });
        };
        read("undisturbed");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut turn = 0;
                while !done.load(Ordering::Relaxed) {
                    turn += 1;
                    keeper.apply(0, moved(turn * 7 % services, turn));
                    std::thread::sleep(Duration::from_micros(900));
                }
            });
            read("during-1000-changes-a-second");
            done.store(true, Ordering::Relaxed);
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800)).sample_size(20);
    targets = changes, reads
}
criterion_main!(benches);
