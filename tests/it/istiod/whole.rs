//! The whole server with istiod as a source.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use super::peer::Peer;
use super::source::within;
use crate::support::dig::dig;
use crate::support::process::{Process, free_address, written};

/// `meshdns serve`, not waited for.
pub(crate) struct Server {
    process: Process,
    dns: SocketAddr,
    admin: SocketAddr,
}

impl Server {
    fn start(istiod: SocketAddr) -> Self {
        Self::start_with(&format!(
            "zones: [cluster.local]\nsources: {{istiod: {{address: '{istiod}', tls: off}}}}\n"
        ))
    }

    /// Starts it with these settings.
    pub(crate) fn start_with(settings: &str) -> Self {
        let (dns, admin) = (free_address(), free_address());
        let process = Process::start(
            Command::new(env!("CARGO_BIN_EXE_meshdns"))
                .args(["serve", "--config"])
                .arg(written("meshdns.yaml", settings))
                .args(["--grpc-listen", &free_address().to_string()])
                .args(["--dns-listen", &dns.to_string()])
                .args(["--admin-listen", &admin.to_string()]),
        );
        Self { process, dns, admin }
    }

    pub(crate) async fn page(&self, path: &'static str) -> String {
        let admin = self.admin;
        spawn_blocking(move || page(admin, path)).await.unwrap()
    }

    /// Waits until it logs a line with this in it.
    pub(crate) fn wait_for_log(&mut self, part: &str) {
        self.process.wait_until(part, |printed| printed.iter().any(|line| line.contains(part)));
    }

    /// Waits until a page has this in it.
    pub(crate) async fn until(&self, path: &'static str, part: &str) -> String {
        let begin = Instant::now();
        loop {
            let page = self.page(path).await;
            if page.contains(part) {
                return page;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "{path} has no `{part}`:\n{page}");
        }
    }

    pub(crate) async fn answers(&self, name: &'static str) -> Vec<String> {
        let dns = self.dns;
        let reply = spawn_blocking(move || dig(dns, [name, "A"])).await.unwrap();
        reply.answer.into_iter().map(|record| record.data).collect()
    }

    /// Waits until a name has these addresses.
    pub(crate) async fn becomes(&self, name: &'static str, addresses: &[&str]) {
        let begin = Instant::now();
        let mut now = self.answers(name).await;
        while now != addresses {
            assert!(begin.elapsed() < Duration::from_secs(60), "{name} is {now:?}");
            now = self.answers(name).await;
        }
    }
}

/// The body of an admin page; nothing while it is not served.
fn page(admin: SocketAddr, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(admin) else { return String::new() };
    let mut reply = String::new();
    let asked = stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes());
    let read = asked.and_then(|()| stream.read_to_string(&mut reply));
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    read.ok().and(body).unwrap_or_default()
}

#[tokio::test]
async fn hosts_are_answered_as_istiod_says_also_when_it_is_gone() {
    let address = free_address();
    let mut server = Server::start(address);
    let told = server.until("/readyz", "onnection refused").await;
    assert!(told.starts_with(&format!("istiod: istiod at {address} cannot be connected to: ")), "{told}");
    assert!(server.page("/metrics").await.contains("\nmeshdns_istiod_connected 0.0\n"));

    server.until("/metrics", "meshdns_istiod_reconnects_total 2").await;

    let mut peer = Peer::start_at(address, None).await;
    let mut stream = within(peer.stream()).await;
    stream.request().await;
    server.until("/readyz", "istiod: it has not sent a table yet").await;
    stream
        .accepted_table("1", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2"), ("a..b", "10.0.0.3")])
        .await;
    server.until("/readyz", "ok").await;
    let mut told = 0;
    server.process.wait_until("a table", |printed| {
        told = printed.iter().filter(|line| line.contains("istiod is away")).count();
        printed.iter().any(|line| line.contains("name table taken"))
    });
    assert_eq!(told, 1, "one line says it all, however often it is tried");
    assert_eq!(server.answers("a.internal").await, ["10.0.0.1"]);
    let metrics = server.until("/metrics", "meshdns_istiod_rows 2.0").await;
    for line in ["connected 1.0", "table_age_seconds 0.0", "nacks_total 0"] {
        assert!(metrics.contains(&format!("\nmeshdns_istiod_{line}\n")), "{line}\n{metrics}");
    }
    assert!(metrics.contains("\nmeshdns_objects{kind=\"name table row\"} 2\n"), "{metrics}");
    assert!(metrics.contains("\nmeshdns_defects 1\n"), "{metrics}");

    stream.accepted_table("2", &[("a.internal", "10.0.0.9")]).await;
    server.becomes("a.internal", &["10.0.0.9"]).await;
    server.becomes("b.internal", &[]).await;
    peer.go(vec![stream]).await;
    server.until("/metrics", "meshdns_istiod_connected 0.0").await;
    assert_eq!(server.answers("a.internal").await, ["10.0.0.9"]);
    assert!(server.page("/readyz").await.starts_with("ok"));
}
