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

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

mod pb {
    tonic::include_proto!("coredns.dns");
}
use pb::DnsPacket;
use pb::dns_service_client::DnsServiceClient;
use pb::dns_service_server::{DnsService, DnsServiceServer};

/// Services in the manifests.
const SERVICES: usize = 1_000;
const ROUND: Duration = Duration::from_millis(1_500);
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

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// CPU time of all its threads.
    fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let spent = tasks.map(|task| {
            let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(spent.sum())
    }
}

/// Queries per second and CPU microseconds per query: ours, then the echo's.
type Round = ((f64, f64), (f64, f64));

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn connected(port: u16) -> DnsServiceClient<Channel> {
    let endpoint = Channel::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
    let begin = Instant::now();
    loop {
        match endpoint.connect().await {
            Ok(channel) => return DnsServiceClient::new(channel),
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(30), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the server has read its manifests, and returns what it answers then.
async fn first_answer(port: u16, packet: &[u8]) -> Vec<u8> {
    let mut client = connected(port).await;
    loop {
        if let Ok(reply) = client.query(DnsPacket { msg: packet.to_vec() }).await {
            return reply.into_inner().msg;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Queries per second and CPU microseconds per query with so many calls at once.
async fn round(server: &Running, port: u16, packets: &[Vec<u8>], streams: usize) -> (f64, f64) {
    let client = connected(port).await;
    let (begin, cpu) = (Instant::now(), server.cpu());
    let callers: Vec<_> = (0..streams)
        .map(|at| {
            let (mut client, packets) = (client.clone(), packets.to_vec());
            tokio::spawn(async move {
                let mut sent = 0;
                while begin.elapsed() < ROUND {
                    let msg = packets[(at + sent) % packets.len()].clone();
                    client.query(DnsPacket { msg }).await.unwrap();
                    sent += 1;
                }
                sent
            })
        })
        .collect();
    let mut sent = 0;
    for caller in callers {
        sent += caller.await.unwrap();
    }
    let (wall, cpu) = (begin.elapsed(), server.cpu() - cpu);
    (sent as f64 / wall.as_secs_f64(), cpu.as_secs_f64() * 1e6 / sent as f64)
}

fn manifests() -> String {
    let service = |index: usize| {
        let name = support::name(index);
        let address = if support::is_headless(index) {
            "None".to_owned()
        } else {
            format!("10.128.{}.{}", index / 250, index % 250)
        };
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {}, namespace: {}}}\n\
             spec: {{clusterIP: {address}, ports: [{{name: http, port: 80}}]}}\n---\n",
            name.name, name.namespace
        )
    };
    (0..SERVICES).map(service).collect()
}

fn start(directory: &Path, port: u16) -> Running {
    let file = directory.join("services.yaml");
    std::fs::write(&file, manifests()).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_meshdns"))
        .args(["serve", "--zone", "cluster.local", "--admin-listen", "off", "--manifests"])
        .arg(&file)
        .args(["--grpc-listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(child.unwrap())
}

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

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
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
    let ours = start(&directory, ours_port);
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
