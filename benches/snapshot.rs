//! Snapshots: their size, and how long it takes to walk the inventory for one, to write it, to check it and to read it.
//!
//! Each service has one slice of five endpoints with everything that a scheduler fills in: pod, zone, hostnames of the
//! headless ones. Writing waits for the disk.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use meshdns::model::Object;
use meshdns::store::snapshot::{Snapshot, SnapshotWriter, Taken, Wanted};

/// Endpoints of a service.
const ENDPOINTS: u32 = 5;
/// Objects of a page.
const PAGE: usize = 1000;

fn main() {
    println!(
        "| services | objects | octets per service and slice | MB | slowest page, ms | walk, ms | write, ms | check, ms | read, ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("snapshot-bench");
    std::fs::create_dir_all(&directory).unwrap();
    for services in support::SIZES {
        row(services, &directory.join("snapshot.meshdns"));
    }
    std::fs::remove_dir_all(directory).unwrap();
}

fn row(services: usize, path: &Path) {
    let (_catalog, keeper) = support::keeper(objects(services));
    let (mut pages, mut slowest, mut walk) = (Vec::new(), Duration::ZERO, Duration::ZERO);
    let mut after = None;
    loop {
        let (page, took) = timed(|| keeper.inventory().page(0, after.as_ref(), PAGE));
        (slowest, walk) = (slowest.max(took), walk + took);
        let Some(last) = page.last() else { break };
        after = Some(last.key());
        pages.push(page);
    }
    let taken = Taken { live: 1_800_000_000, scope: "bench".into() };
    let (written, write) = timed(|| {
        let mut writer = SnapshotWriter::create(path, &taken).unwrap();
        pages.iter().for_each(|page| writer.push(page).unwrap());
        writer.finish().unwrap()
    });
    let wanted = Wanted { scope: "bench", now: taken.live, most: Duration::from_secs(60) };
    let (snapshot, check) = timed(|| Snapshot::open(path, &wanted).unwrap().unwrap());
    let (count, read) = timed(|| -> usize {
        let blocks = snapshot.blocks().unwrap();
        blocks.map(|block| block.unwrap().objects.len()).sum()
    });
    assert_eq!(count as u64, written.objects);
    println!(
        "| {services} | {} | {} | {:.1} | {:.1} | {} | {} | {} | {} |",
        written.objects,
        written.octets / services as u64,
        written.octets as f64 / 1e6,
        slowest.as_secs_f64() * 1e3,
        walk.as_millis(),
        write.as_millis(),
        check.as_millis(),
        read.as_millis(),
    );
}

fn objects(services: usize) -> Vec<Object> {
    let namespaces = (0..services.div_ceil(50)).map(|index| support::namespace(&format!("ns-{index}")));
    let mut objects: Vec<Object> = namespaces.collect();
    for index in 0..services {
        objects.push(support::service(index));
        let mut slice = support::slice(index, ENDPOINTS, index as u32 * 8);
        if let Object::EndpointSlice(slice) = &mut slice {
            let name = support::name(index).name;
            for (number, endpoint) in slice.endpoints.iter_mut().enumerate() {
                endpoint.target = Some(format!("{name}-7d4b9c6f5b-x2k{number}p").into());
                endpoint.zone = Some(format!("eu-central-1{}", ['a', 'b', 'c'][number % 3]).into());
            }
        }
        objects.push(slice);
    }
    objects
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let done = work();
    (done, begin.elapsed())
}
