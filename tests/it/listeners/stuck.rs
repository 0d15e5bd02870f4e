//! A worker that is stuck in a call of the system: reading a resolver configuration that never comes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use meshdns::run::RunSettings;
use meshdns::serve::chase::Upstreams;
use meshdns::serve::{DnsPacket, PulseLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::packet::query;
use super::server::{Server, alias, settings, within};

/// A named pipe: who opens it waits until another does.
struct Pipe(PathBuf);

impl Pipe {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("meshdns-it-{name}-{}", std::process::id()));
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Self(path)
    }

    /// Lets the reader go on.
    async fn write(&self) {
        let path = self.0.clone();
        let written = tokio::task::spawn_blocking(move || std::fs::write(path, "nameserver 127.0.0.1\n"));
        within(written).await.unwrap().unwrap();
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A server whose aliases lead into the pipe.
fn leading_to(pipe: &Pipe, lost: u32) -> RunSettings {
    let mut settings = settings();
    settings.upstreams = Upstreams::ResolvConf(pipe.0.clone());
    settings.limits.pulse = PulseLimits { beat: Duration::from_millis(20), silent: 10, lost };
    settings.limits.drain = Duration::from_millis(100);
    settings
}

/// Gets a worker stuck.
async fn ask(server: &Server) {
    let mut client = server.client().await;
    tokio::spawn(async move { client.query(DnsPacket { msg: query(1, &alias(0)) }).await });
}

/// What `/livez` says.
async fn livez(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.admin()).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

/// Waits until `/livez` has this status, and gives all it says.
async fn is(server: &Server, status: &str) -> String {
    within(async {
        loop {
            let reply = livez(server).await;
            if reply.starts_with(&format!("HTTP/1.1 {status} ")) {
                return reply;
            }
        }
    })
    .await
}

#[tokio::test]
async fn livez_says_which_worker_is_stuck_and_when_it_goes_on() {
    let pipe = Pipe::new("stuck");
    let server = Server::start(leading_to(&pipe, u32::MAX)).await;
    is(&server, "200").await;
    ask(&server).await;
    let reply = is(&server, "503").await;
    assert!(reply.contains("worker 0: nothing done for ") || reply.contains("worker 1: "), "{reply}");
    pipe.write().await;
    is(&server, "200").await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_stays_stuck_ends_the_server() {
    let pipe = Pipe::new("lost");
    let server = Server::start(leading_to(&pipe, 50)).await;
    ask(&server).await;
    let ended = server.ended().await.unwrap_err().to_string();
    assert!(ended.starts_with("worker ") && ended.ends_with("it got nothing done for 1 s"), "{ended}");
    pipe.write().await;
}

#[tokio::test]
async fn a_stuck_worker_does_not_hold_up_the_end() {
    let pipe = Pipe::new("held");
    let server = Server::start(leading_to(&pipe, u32::MAX)).await;
    ask(&server).await;
    is(&server, "503").await;
    server.stop().await.unwrap();
    pipe.write().await;
}
