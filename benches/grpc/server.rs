//! A running `meshdns serve`, or what stands beside it, and what a query over gRPC costs it.

use std::fmt::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tonic::transport::Channel;

use super::pb::DnsPacket;
use super::pb::dns_service_client::DnsServiceClient;
use super::support;

/// Services in the manifests.
pub(crate) const SERVICES: usize = 1_000;
const ROUND: Duration = Duration::from_millis(1_500);

/// A process that ends with this value.
pub(crate) struct Running(pub(crate) Child);

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

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) fn free_port() -> u16 {
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
pub(crate) async fn first_answer(port: u16, packet: &[u8]) -> Vec<u8> {
    let mut client = connected(port).await;
    loop {
        if let Ok(reply) = client.query(DnsPacket { msg: packet.to_vec() }).await {
            return reply.into_inner().msg;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Queries per second and CPU microseconds per query with so many calls at once.
pub(crate) async fn round(server: &Running, port: u16, packets: &[Vec<u8>], streams: usize) -> (f64, f64) {
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

/// Starts it with these settings besides, in YAML.
pub(crate) fn start(directory: &Path, port: u16, settings: &str) -> Running {
    let (objects, file) = (directory.join("services.yaml"), directory.join(format!("{port}.yaml")));
    std::fs::write(&objects, manifests()).unwrap();
    let mut text = String::from("zones: [cluster.local]\n");
    write!(text, "sources: {{manifests: ['{}']}}\n{settings}\n", objects.display()).unwrap();
    std::fs::write(&file, text).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_meshdns"))
        .args(["serve", "--admin-listen", "off", "--config"])
        .arg(&file)
        .args(["--grpc-listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(child.unwrap())
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
