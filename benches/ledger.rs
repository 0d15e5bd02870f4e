//! Giving addresses: one host that comes and goes at ledgers of two sizes. With what it takes until the address is stored and
//! answered: `hosts`.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Object};
use meshdns::source::SourceId;

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
    Object::ServiceEntry(entry)
}

fn filled(hosts: usize) -> Keeper {
    let catalog = Arc::new(Catalog::new(settings().policy()));
    let mut keeper = Keeper::with_allocator(catalog, settings().allocator());
    let entries = (0..hosts).map(|index| entry(&format!("host-{index}.mesh.example"), index));
    keeper.apply(SourceId::MANIFESTS.0, Change::Replace(entries.collect()));
    keeper.store_nowhere();
    keeper
}

fn gives(criterion: &mut Criterion) {
    for hosts in SIZES {
        let mut keeper = filled(hosts);
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

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(4));
    targets = gives
}
criterion_main!(benches);
