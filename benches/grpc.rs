//! The whole server over gRPC, beside a bare tonic server that echoes messages of the same size, in the same run.
//!
//! Both are processes of their own, asked over one connection on loopback; what they cost is the CPU time of all
//! their threads as the kernel counts it. Rounds alternate, and the median of each counts.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a bench that cannot prepare has failed"
)]

#[path = "grpc/server.rs"]
mod server;
mod support;

use std::process::Command;

use tonic::transport::Server;
use tonic::{Request, Response, Status};

mod pb {
    tonic::include_proto!("coredns.dns");
}
use pb::DnsPacket;
use pb::dns_service_server::{DnsService, DnsServiceServer};
use server::{Running, SERVICES, first_answer, free_port, median, round, runtime, start};

const ROUNDS: usize = 3;
/// Calls at once.
const STREAMS: [usize; 2] = [1, 64];

/// Gives every query the same reply.
struct Echo(Vec<u8>);

#[tonic::async_trait]
impl DnsService for Echo {
    async fn query(&self, request: Request<DnsPacket>) -> Result<Response<DnsPacket>, Status> {
        let id = request.into_inner().msg;
        let mut msg = self.0.clone();
        msg[..2].copy_from_slice(&id[..2]);
        Ok(Response::new(DnsPacket { msg }))
    }
}

/// Queries per second and CPU microseconds per query: ours, then the echo's.
type Round = ((f64, f64), (f64, f64));

fn start_echo(port: u16, reply: &[u8]) -> Running {
    let this = std::env::current_exe().unwrap();
    let hex: String = reply.iter().map(|octet| format!("{octet:02x}")).collect();
    Running(Command::new(this).args(["echo", &port.to_string(), &hex]).spawn().unwrap())
}

fn echo(port: u16, hex: &str) {
    let octet = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let reply = (0..hex.len()).step_by(2).map(octet).collect();
    let address = ([127, 0, 0, 1], port).into();
    let service = DnsServiceServer::new(Echo(reply));
    runtime().block_on(Server::builder().add_service(service).serve(address)).unwrap();
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [what, port, reply] = arguments.as_slice()
        && what == "echo"
    {
        return echo(port.parse().unwrap(), reply);
    }
    let packets = support::questions(SERVICES).swap_remove(0).1;
    let directory = std::env::temp_dir().join(format!("meshdns-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let runtime = runtime();
    let ours_port = free_port();
    let ours = start(&directory, ours_port, "");
    let reply = runtime.block_on(first_answer(ours_port, &packets[0]));
    let echo_port = free_port();
    let echo = start_echo(echo_port, &reply);
    println!("| over gRPC, one connection | meshdns | bare echo | ratio |\n| --- | --- | --- | --- |");
    for streams in STREAMS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push((
                runtime.block_on(round(&ours, ours_port, &packets, streams)),
                runtime.block_on(round(&echo, echo_port, &packets, streams)),
            ));
        }
        let of = |pick: fn(&Round) -> f64| median(rounds.iter().map(pick).collect());
        let (rate, echo_rate) = (of(|round| round.0.0), of(|round| round.1.0));
        let (cpu, echo_cpu) = (of(|round| round.0.1), of(|round| round.1.1));
        let calls =
            if streams == 1 { "1 call at a time".to_owned() } else { format!("{streams} calls at once") };
        println!("| {calls}, queries a second | {rate:.0} | {echo_rate:.0} | {:.2} |", rate / echo_rate);
        println!("| {calls}, CPU us per query | {cpu:.1} | {echo_cpu:.1} | {:.2} |", cpu / echo_cpu);
    }
    drop((ours, echo));
    let _ = std::fs::remove_dir_all(directory);
}
