//! Aliases that lead outside, looked up at upstreams of every manner.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use meshdns::run::RunSettings;
use meshdns::serve::DnsPacket;
use meshdns::serve::chase::Upstreams;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;

use super::packet::{Said, query, read};
use super::server::{PATIENCE, SOON, Server, WEB, alias, settings, target, within};
use super::upstream::{FOUND, Manner, Upstream};

fn asking(upstreams: &[SocketAddr]) -> RunSettings {
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(upstreams.to_vec());
    settings.limits.chase.total = PATIENCE;
    settings.limits.chase.attempt = PATIENCE;
    settings
}

async fn ask(server: &Server, number: usize) -> Said {
    let packet = DnsPacket { msg: query(1, &alias(number)) };
    let reply = within(server.client().await.query(packet)).await.unwrap();
    read(&reply.into_inner().msg)
}

/// The alias and what it leads to.
fn found(number: usize) -> Vec<String> {
    vec![target(number), FOUND.to_owned()]
}

/// The alias alone: the lookup failed.
fn alone(number: usize) -> Said {
    Said { id: 1, rcode: ResponseCode::NoError, answer: vec![target(number)] }
}

fn counted(server: &Server, outcome: &str) -> u64 {
    let text = server.metrics.text();
    let line = format!("meshdns_chases_total{{outcome=\"{outcome}\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn equal_lookups_under_way_are_one() {
    let permits = Arc::new(Semaphore::new(0));
    let upstream = Upstream::start(Manner::Waits(Arc::clone(&permits))).await;
    let server = Server::start(asking(&[upstream.address])).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server.dns()).await.unwrap();
    for id in 0..50 {
        socket.send(&query(id, &alias(0))).await.unwrap();
    }
    socket.send(&query(50, WEB)).await.unwrap();
    let mut buffer = [0; 4096];
    // Packets of one client are taken in order: once this one is answered, the others are waiting.
    let length = within(socket.recv(&mut buffer)).await.unwrap();
    assert_eq!(read(&buffer[..length]).id, 50);
    permits.add_permits(1);
    for _ in 0..50 {
        let length = within(socket.recv(&mut buffer)).await.unwrap();
        assert_eq!(read(&buffer[..length]).answer, found(0));
    }
    assert_eq!(upstream.asked(), 1);
    assert_eq!(counted(&server, "answered"), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_kept_afterwards() {
    let upstream = Upstream::start(Manner::Answers).await;
    let server = Server::start(asking(&[upstream.address])).await;
    assert_eq!(ask(&server, 0).await.answer, found(0));
    assert_eq!(ask(&server, 0).await.answer, found(0));
    assert_eq!(upstream.asked(), 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_truncated_reply_is_asked_for_over_tcp() {
    let upstream = Upstream::start(Manner::Truncates).await;
    let server = Server::start(asking(&[upstream.address])).await;
    assert_eq!(ask(&server, 0).await.answer, found(0));
    assert_eq!((upstream.asked(), upstream.asked_over_tcp()), (1, 1));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_silent_upstream_is_passed_over_and_remembered() {
    let (silent, good) = (Upstream::start(Manner::Silent).await, Upstream::start(Manner::Answers).await);
    let mut settings = asking(&[silent.address, good.address]);
    settings.limits.chase.attempt = Duration::from_secs(1);
    let server = Server::start(settings).await;
    assert_eq!(ask(&server, 0).await.answer, found(0));
    assert_eq!(ask(&server, 1).await.answer, found(1));
    assert_eq!((silent.asked(), good.asked()), (1, 2));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn upstreams_that_cannot_answer_are_passed_over() {
    let failing = Upstream::start(Manner::Fails(ResponseCode::ServFail)).await;
    let refusing = Upstream::start(Manner::Fails(ResponseCode::Refused)).await;
    let good = Upstream::start(Manner::Answers).await;
    let server = Server::start(asking(&[failing.address, refusing.address, good.address])).await;
    assert_eq!(ask(&server, 0).await.answer, found(0));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn when_nobody_can_answer_nobody_is_asked_again() {
    let refusing = Upstream::start(Manner::Fails(ResponseCode::Refused)).await;
    let server = Server::start(asking(&[refusing.address])).await;
    assert_eq!(ask(&server, 0).await, alone(0));
    assert_eq!(refusing.asked(), 1);
    assert_eq!(counted(&server, "failed"), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_an_answer() {
    let upstream = Upstream::start(Manner::Fails(ResponseCode::NXDomain)).await;
    let server = Server::start(asking(&[upstream.address])).await;
    assert_eq!(ask(&server, 0).await, alone(0));
    assert_eq!(counted(&server, "answered"), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_reply_with_another_id_is_not_believed() {
    let upstream = Upstream::start(Manner::WrongIdFirst).await;
    let server = Server::start(asking(&[upstream.address])).await;
    assert_eq!(ask(&server, 0).await.answer, found(0));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_time_for_everything_is_limited() {
    let upstream = Upstream::start(Manner::Silent).await;
    let mut settings = asking(&[upstream.address]);
    settings.limits.chase.total = SOON;
    let server = Server::start(settings).await;
    assert_eq!(ask(&server, 0).await, alone(0));
    assert_eq!(counted(&server, "timed_out"), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_asks_back_does_not_multiply_lookups() {
    let asked = Arc::new(OnceLock::new());
    let upstream = Upstream::start(Manner::Asks(Arc::clone(&asked), query(9, &alias(0)))).await;
    let mut settings = asking(&[upstream.address]);
    settings.limits.chase.total = SOON * 6;
    settings.limits.chase.attempt = SOON * 2;
    let server = Server::start(settings).await;
    asked.set(server.dns()).unwrap();
    assert_eq!(ask(&server, 0).await, alone(0));
    assert!(upstream.asked() <= 3, "{} lookups", upstream.asked());
    assert_eq!(counted(&server, "timed_out") + counted(&server, "failed"), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn lookups_at_once_are_limited_and_given_up_when_nobody_waits() {
    let upstream = Upstream::start(Manner::Silent).await;
    let mut settings = asking(&[upstream.address]);
    settings.limits.chase.at_once = 1;
    let server = Server::start(settings).await;
    let mut client = server.client().await;
    let waiting = tokio::spawn(async move { client.query(DnsPacket { msg: query(1, &alias(0)) }).await });
    upstream.is_asked(1).await;
    assert_eq!(ask(&server, 1).await, alone(1));
    assert_eq!(counted(&server, "refused"), 1);
    waiting.abort();
    let mut again = server.client().await;
    let next = tokio::spawn(async move {
        // Refused until the server has seen that the first client left.
        while again.query(DnsPacket { msg: query(1, &alias(2)) }).await.is_ok() {}
    });
    upstream.is_asked(2).await;
    next.abort();
    server.stop().await.unwrap();
}
