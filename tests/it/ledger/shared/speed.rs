//! How long it takes until an address is stored, at a real API server. Run by hand:
//! `cargo test --release --test it -- --ignored --nocapture measures_a_shared_ledger`.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use meshdns::allocate::{Assigned, Claim, HostKey, Origin, Outcome, Row, Slices};
use meshdns::apiserver::ApiServerSettings;
use meshdns::model::Cidr;
use meshdns::store::{ConfigMapSettings, ConfigMapStore, Store};
use meshdns::telemetry::metrics::Metrics;

use super::*;

const COUNT: usize = 300;

fn told(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what}: median {median:?}, p99 {p99:?} of {}", times.len());
}

/// A claim for an address of the host's own shard.
fn claim(settings: &ConfigMapSettings, number: u32) -> Claim {
    let key = std::sync::Arc::new(HostKey::parse("shop", &format!("m{number}.example")).unwrap());
    let slice = Slices::new(settings.shards).of_host(&key);
    let mut addresses = Assigned::default();
    // The parts of a /16 in 64 shards are /22.
    addresses.set(std::net::IpAddr::from((0xf0f0_0000 + (slice << 10) + 1 + number % 1000).to_be_bytes()));
    let row = Row { addresses, origin: Origin::Own, since: 1, freed: None };
    Claim { key, was: None, row: Some(row) }
}

#[test]
#[ignore = "a measurement"]
fn measures_a_shared_ledger() {
    let mesh = Mesh::new();
    let settings = ConfigMapSettings {
        api: ApiServerSettings {
            kubeconfig: Some(ControlPlane::shared().kubeconfig(&mesh.account)),
            context: None,
        },
        namespace: mesh.namespace.name.clone(),
        name: "measured".into(),
        shards: NonZeroU32::new(64).unwrap(),
        ranges: vec![Cidr::parse("240.240.0.0/16").unwrap()],
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let metrics = Metrics::new();
        let mut one = ConfigMapStore::new(settings.clone(), metrics.ledger().clone());
        let mut two = ConfigMapStore::new(settings.clone(), metrics.ledger().clone());
        let begin = Instant::now();
        one.load().await.unwrap();
        println!("a new ledger of 64 shards: {:?}", begin.elapsed());
        let begin = Instant::now();
        two.load().await.unwrap();
        println!("reading it: {:?}", begin.elapsed());
        let (mut stored, mut heard) = (Vec::new(), Vec::new());
        for number in 0..COUNT as u32 {
            let begin = Instant::now();
            let outcomes = one.commit([claim(&settings, number)].into()).await.unwrap();
            stored.push(begin.elapsed());
            assert_eq!(outcomes, [Outcome::Stored]);
            assert_eq!(two.changes().await.len(), 1);
            heard.push(begin.elapsed());
        }
        told("one host stored", stored);
        told("heard of by another replica", heard);
        let batch: Vec<Claim> = (10_000..14_000).map(|number| claim(&settings, number)).collect();
        let begin = Instant::now();
        let outcomes = one.commit(batch.into()).await.unwrap();
        let count = outcomes.iter().filter(|outcome| **outcome == Outcome::Stored).count();
        println!("{count} hosts in one batch: {:?}", begin.elapsed());
    });
    let replica = Replica { shards: 64, ..mesh.replica() };
    let server = replica.start();
    let mut answered = Vec::new();
    for host in 0..60 {
        let begin = Instant::now();
        replica.declare([host]);
        given(&server, &format!("n{host}.example"));
        answered.push(begin.elapsed());
    }
    told("from a manifest to the answer of a server that looks every 250 ms", answered);
}
