//! What it costs a query over gRPC that it may be told about: the query log, traces and dnstap, beside none of them, in the same run.
//!
//! Each is a process of its own, asked over one connection on loopback with 64 calls at once; rounds take turns, and the median of the
//! ratios counts. One of them has nothing of it either: how far its ratio is from 1 is what the machine makes up.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a bench that cannot prepare has failed"
)]

#[path = "telemetry/collectors.rs"]
mod collectors;
#[path = "grpc/server.rs"]
mod server;
mod support;

mod pb {
    tonic::include_proto!("coredns.dns");
}

use server::{SERVICES, first_answer, free_port, median, round, runtime, start};

const ROUNDS: usize = 9;
/// Calls at once.
const STREAMS: usize = 64;

fn main() {
    let packets = support::questions(SERVICES).swap_remove(0).1;
    let directory = std::env::temp_dir().join(format!("meshdns-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (dnstap, traces) = (collectors::dnstap(&directory), collectors::traces());
    let tap =
        |ratio| format!("telemetry: {{dnstap: {{endpoint: 'unix://{}', ratio: {ratio}}}}}", dnstap.display());
    let variants = [
        ("nothing", String::new()),
        ("nothing, once more", String::new()),
        ("query log, one success in a thousand", "telemetry: {queryLog: {}}".to_owned()),
        ("traces, 1%", format!("telemetry: {{traces: {{endpoint: '{traces}', ratio: 0.01}}}}")),
        ("dnstap, 1%", tap("0.01")),
        ("dnstap, everything", tap("1")),
    ];
    let runtime = runtime();
    let servers = variants.map(|(name, settings)| {
        let port = free_port();
        let server = start(&directory, port, &settings);
        runtime.block_on(first_answer(port, &packets[0]));
        (name, port, server)
    });
    let mut rounds = Vec::new();
    for turn in 0..ROUNDS {
        let mut costs = [0.0; 6];
        // Each begins as often as the others.
        for place in 0..servers.len() {
            let at = (place + turn) % servers.len();
            let (_, port, server) = &servers[at];
            costs[at] = runtime.block_on(round(server, *port, &packets, STREAMS)).1;
        }
        rounds.push(costs);
    }
    println!("| told of queries | CPU us per query | ratio |\n| --- | --- | --- |");
    for (at, (name, ..)) in servers.iter().enumerate() {
        let cost = median(rounds.iter().map(|costs| costs[at]).collect());
        let ratio = median(rounds.iter().map(|costs| costs[at] / costs[0]).collect());
        println!("| {name} | {cost:.1} | {ratio:.3} |");
    }
    drop(servers);
    let _ = std::fs::remove_dir_all(directory);
}
