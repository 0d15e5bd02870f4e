//! How a server ends.

use std::io::ErrorKind;
use std::sync::Arc;

use meshdns::run::{RunError, Task};
use meshdns::serve::DnsPacket;
use meshdns::serve::chase::Upstreams;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;

use super::packet::{query, read};
use super::server::{PATIENCE, SOON, Server, alias, parts, settings, within};
use super::upstream::{FOUND, Manner, Upstream};

/// Reads frames of HTTP/2 until one of that kind, and does what the protocol wants of a client.
async fn frame(stream: &mut TcpStream, wanted: u8) {
    loop {
        let mut head = [0; 9];
        within(stream.read_exact(&mut head)).await.unwrap();
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut body = vec![0; length];
        within(stream.read_exact(&mut body)).await.unwrap();
        if head[3] == wanted {
            return;
        }
        if matches!(head[3], 4 | 6) && head[4] & 1 == 0 {
            let mut ack = head.to_vec();
            ack[4] = 1;
            if head[3] == 4 {
                (ack[0], ack[1], ack[2]) = (0, 0, 0);
            } else {
                ack.extend_from_slice(&body);
            }
            stream.write_all(&ack).await.unwrap();
        }
    }
}

#[tokio::test]
async fn calls_under_way_finish_while_new_connections_are_refused() {
    let permits = Arc::new(Semaphore::new(0));
    let upstream = Upstream::start(Manner::Waits(Arc::clone(&permits))).await;
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(vec![upstream.address]);
    settings.limits.chase.total = PATIENCE;
    settings.limits.chase.attempt = PATIENCE;
    settings.limits.drain = PATIENCE;
    let server = Server::start(settings).await;
    let (grpc, dns) = (server.grpc(), server.dns());

    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.query(DnsPacket { msg: query(1, &alias(0)) }).await });
    let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    datagrams.connect(dns).await.unwrap();
    datagrams.send(&query(2, &alias(1))).await.unwrap();
    let mut stream = TcpStream::connect(dns).await.unwrap();
    let packet = query(3, &alias(2));
    stream.write_u16(packet.len().try_into().unwrap()).await.unwrap();
    stream.write_all(&packet).await.unwrap();
    let mut idle = TcpStream::connect(grpc).await.unwrap();
    idle.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    frame(&mut idle, 4).await;
    upstream.is_asked(3).await;

    server.stop.stop();
    frame(&mut idle, 7).await;
    drop(idle);
    for address in [grpc, dns] {
        within(async {
            loop {
                match TcpStream::connect(address).await {
                    Err(error) if error.kind() == ErrorKind::ConnectionRefused => break,
                    // The last ones in the queue of a socket that was just closed.
                    _ => tokio::task::yield_now().await,
                }
            }
        })
        .await;
    }
    permits.add_permits(3);
    let reply = within(call).await.unwrap().unwrap().into_inner();
    assert!(read(&reply.msg).answer.contains(&FOUND.to_owned()));
    let mut buffer = [0; 4096];
    let length = within(datagrams.recv(&mut buffer)).await.unwrap();
    assert!(read(&buffer[..length]).answer.contains(&FOUND.to_owned()));
    let mut packet = vec![0; usize::from(within(stream.read_u16()).await.unwrap())];
    within(stream.read_exact(&mut packet)).await.unwrap();
    assert!(read(&packet).answer.contains(&FOUND.to_owned()));
    server.ended().await.unwrap();
}

#[tokio::test]
async fn old_connections_are_asked_to_go() {
    let mut settings = settings();
    settings.limits.grpc.age = SOON;
    let server = Server::start(settings).await;
    let mut idle = TcpStream::connect(server.grpc()).await.unwrap();
    idle.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    // The first one announces the end, the second one follows when the client has heard of it.
    frame(&mut idle, 7).await;
    frame(&mut idle, 7).await;
    let mut rest = Vec::new();
    within(idle.read_to_end(&mut rest)).await.unwrap();
    drop(idle);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let upstream = Upstream::start(Manner::Silent).await;
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(vec![upstream.address]);
    settings.limits.chase.total = PATIENCE * 10;
    settings.limits.chase.attempt = PATIENCE * 10;
    settings.limits.drain = SOON;
    let server = Server::start(settings).await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.query(DnsPacket { msg: query(1, &alias(0)) }).await });
    upstream.is_asked(1).await;
    server.stop().await.unwrap();
    within(call).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_part_that_ends_by_itself_ends_the_server() {
    let mut parts = parts();
    let future = Box::pin(async { anyhow::bail!("the disk is full") });
    parts.tasks.push(Task { name: "manifests", future });
    let ended = Server::with(settings(), parts).await.ended().await.unwrap_err();
    assert!(matches!(&ended, RunError::Ended { part, .. } if part == "manifests"));
    assert_eq!(ended.to_string(), "manifests ended unexpectedly: the disk is full");
}

#[tokio::test]
async fn a_part_that_panics_ends_the_server() {
    let mut parts = parts();
    let future = Box::pin(async { panic!("of the test") });
    parts.tasks.push(Task { name: "manifests", future });
    let ended = Server::with(settings(), parts).await.ended().await.unwrap_err();
    assert!(ended.to_string().contains("of the test"), "{ended}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_of_the_start() {
    let server = Server::start(settings()).await;
    let mut taken = settings();
    taken.grpc = server.addresses.grpc.clone();
    let (_stop, stopped) = meshdns::serve::StopSignal::new();
    let refused = meshdns::run::serve(taken, parts(), stopped, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains(&server.grpc().to_string()), "{refused}");
    server.stop().await.unwrap();
}
