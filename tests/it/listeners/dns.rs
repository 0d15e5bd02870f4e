//! Plain DNS over UDP and TCP.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use meshdns::serve::chase::Upstreams;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;

use super::packet::{Said, query, read};
use super::server::{PATIENCE, Server, WEB, WEB_ADDRESS, alias, parts, settings, within};
use super::upstream::{FOUND, Manner, Upstream};
use crate::support::process::queries;

/// A UDP client that only hears the address it asks.
async fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    socket
}

async fn heard(socket: &UdpSocket) -> Said {
    let mut buffer = [0; 4096];
    let length = within(socket.recv(&mut buffer)).await.unwrap();
    read(&buffer[..length])
}

async fn say(stream: &mut TcpStream, packet: &[u8]) {
    let length = u16::try_from(packet.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes()[..], packet].concat()).await.unwrap();
}

async fn hear(stream: &mut TcpStream) -> Said {
    let mut packet = vec![0; usize::from(within(stream.read_u16()).await.unwrap())];
    within(stream.read_exact(&mut packet)).await.unwrap();
    read(&packet)
}

#[tokio::test]
async fn many_udp_queries_are_answered() {
    let server = Server::start(settings()).await;
    let socket = client(server.dns()).await;
    for id in 0..200 {
        socket.send(&query(id, WEB)).await.unwrap();
    }
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let said = heard(&socket).await;
        assert_eq!(said.answer, [WEB_ADDRESS]);
        ids.insert(said.id);
    }
    assert_eq!(ids.len(), 200);
    assert_eq!(queries(&server.metrics.text(), "udp", "NOERROR"), 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_udp_reply_leaves_from_the_address_that_was_asked() {
    let mut settings = settings();
    settings.dns = vec!["0.0.0.0:0".parse().unwrap()];
    let server = Server::start(settings).await;
    for host in [[127, 0, 0, 1], [127, 0, 0, 2]] {
        let socket = client((host, server.dns().port()).into()).await;
        socket.send(&query(1, WEB)).await.unwrap();
        assert_eq!(heard(&socket).await.answer, [WEB_ADDRESS]);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn ipv6_wildcards_serve_both_families() {
    let mut settings = settings();
    settings.dns = vec!["[::]:0".parse().unwrap()];
    let server = Server::start(settings).await;
    let port = server.dns().port();
    let socket = client(([127, 0, 0, 2], port).into()).await;
    socket.send(&query(1, WEB)).await.unwrap();
    assert_eq!(heard(&socket).await.answer, [WEB_ADDRESS]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn garbage_and_responses_over_udp_get_no_reply() {
    let server = Server::start(settings()).await;
    let socket = client(server.dns()).await;
    let mut response = query(1, WEB);
    response[2] |= 0x80;
    socket.send(b"short").await.unwrap();
    socket.send(&response).await.unwrap();
    socket.send(&query(2, WEB)).await.unwrap();
    // One client's packets are taken in their order.
    assert_eq!(heard(&socket).await.id, 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn before_everything_is_known_plain_dns_fails() {
    let parts = parts();
    let manifests = parts.readiness.handle("manifests");
    let server = Server::with(settings(), parts).await;
    let socket = client(server.dns()).await;
    socket.send(&query(7, WEB)).await.unwrap();
    let said = heard(&socket).await;
    assert_eq!((said.id, said.rcode), (7, ResponseCode::ServFail));
    manifests.release();
    socket.send(&query(8, WEB)).await.unwrap();
    assert_eq!(heard(&socket).await.answer, [WEB_ADDRESS]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn tcp_replies_come_when_they_are_ready() {
    let permits = Arc::new(Semaphore::new(0));
    let upstream = Upstream::start(Manner::Waits(Arc::clone(&permits))).await;
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(vec![upstream.address]);
    settings.limits.chase.attempt = PATIENCE;
    settings.limits.chase.total = PATIENCE;
    let server = Server::start(settings).await;
    let mut stream = TcpStream::connect(server.dns()).await.unwrap();
    say(&mut stream, &query(1, &alias(0))).await;
    say(&mut stream, &query(2, WEB)).await;
    say(&mut stream, &query(3, WEB)).await;
    assert_eq!(hear(&mut stream).await.id, 2);
    assert_eq!(hear(&mut stream).await.id, 3);
    permits.add_permits(1);
    let said = hear(&mut stream).await;
    assert_eq!(said.id, 1);
    assert!(said.answer.contains(&FOUND.to_owned()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn more_tcp_queries_than_may_wait_are_read_later_and_not_lost() {
    let permits = Arc::new(Semaphore::new(0));
    let upstream = Upstream::start(Manner::Waits(Arc::clone(&permits))).await;
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(vec![upstream.address]);
    settings.limits.chase.attempt = PATIENCE;
    settings.limits.chase.total = PATIENCE;
    settings.limits.tcp.waiting = 2;
    let server = Server::start(settings).await;
    let mut stream = TcpStream::connect(server.dns()).await.unwrap();
    for id in 0..10 {
        say(&mut stream, &query(id, &alias(usize::from(id)))).await;
    }
    upstream.is_asked(2).await;
    permits.add_permits(10);
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..10 {
        ids.insert(hear(&mut stream).await.id);
    }
    assert_eq!(ids.len(), 10);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_gets_no_reply_does_not_end_a_tcp_connection() {
    let server = Server::start(settings()).await;
    let mut stream = TcpStream::connect(server.dns()).await.unwrap();
    let mut response = query(1, WEB);
    response[2] |= 0x80;
    say(&mut stream, &response).await;
    say(&mut stream, b"").await;
    say(&mut stream, &query(2, WEB)).await;
    assert_eq!(hear(&mut stream).await.id, 2);
    server.stop().await.unwrap();
}
