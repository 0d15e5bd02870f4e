//! Question bytes to answer bytes, beside what hickory-proto takes to read the same questions and write the same
//! answers.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use hickory_proto::op::Message;
use meshdns::wire::{Transport, respond};

fn answer(criterion: &mut Criterion) {
    for services in support::SIZES {
        let (catalog, _keeper) = support::keeper(support::cluster(services));
        let mut group = criterion.benchmark_group(format!("answer-{services}"));
        for (what, packets) in support::questions(services) {
            let mut reply = Vec::with_capacity(65_535);
            let mut next = 0;
            group.bench_function(what, |bencher| {
                bencher.iter(|| {
                    next = (next + 1) % packets.len();
                    black_box(respond(&catalog, &packets[next], Transport::Grpc, next as u32, &mut reply));
                });
            });
        }
        group.finish();
    }
}

fn hickory(criterion: &mut Criterion) {
    let services = support::SIZES[0];
    let (catalog, _keeper) = support::keeper(support::cluster(services));
    let mut group = criterion.benchmark_group("hickory");
    for (what, packets) in support::questions(services) {
        let mut reply = Vec::new();
        let exchanges: Vec<(&[u8], Message)> = packets
            .iter()
            .map(|packet| {
                respond(&catalog, packet, Transport::Grpc, 0, &mut reply);
                (packet.as_slice(), Message::from_vec(&reply).unwrap())
            })
            .collect();
        let mut next = 0;
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                next = (next + 1) % exchanges.len();
                let (packet, reply) = &exchanges[next];
                black_box(Message::from_vec(packet).unwrap());
                black_box(reply.to_vec().unwrap());
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600)).sample_size(20);
    targets = answer, hickory
}
criterion_main!(benches);
