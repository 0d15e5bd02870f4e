//! Connections that say nothing, say too little, do not listen, or are too many.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::packet::query;
use super::server::{SOON, Server, WEB, settings, within};

/// Waits for the server to close a connection on which it says nothing.
async fn is_closed(stream: &mut TcpStream) {
    let mut octets = Vec::new();
    match within(stream.read_to_end(&mut octets)).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

async fn connection(to: SocketAddr, says: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(says).await.unwrap();
    stream
}

#[tokio::test]
async fn silent_and_half_spoken_clients_of_grpc_are_closed() {
    let mut settings = settings();
    settings.limits.hello = SOON;
    let server = Server::start(settings).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for says in [&b""[..], &preface[..1], &preface[..]] {
        is_closed(&mut connection(server.grpc(), says).await).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_spoke_is_not_closed() {
    let mut settings = settings();
    settings.limits.hello = SOON;
    let server = Server::start(settings).await;
    let mut spoken = connection(server.grpc(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    // When a silent client that came later is closed, the time of this one was over too.
    is_closed(&mut connection(server.grpc(), b"").await).await;
    spoken.write_all(b"\0\0\x08\x06\0\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08").await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\0\0\x08\x06\x01\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08") {
        seen.push(within(spoken.read_u8()).await.unwrap());
    }
    drop(spoken);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn dead_peers_of_grpc_are_noticed_by_pings() {
    let mut settings = settings();
    settings.limits.grpc.ping_every = SOON;
    settings.limits.grpc.ping_within = SOON;
    let server = Server::start(settings).await;
    let mut mute = connection(server.grpc(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    is_closed(&mut mute).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_at_once() {
    let mut settings = settings();
    settings.limits.grpc_connections = 1;
    let server = Server::start(settings).await;
    let first = server.client().await;
    let mut second = TcpStream::connect(server.grpc()).await.unwrap();
    is_closed(&mut second).await;
    let text = server.metrics.text();
    assert!(text.contains("meshdns_connections{listener=\"grpc\"} 1"), "{text}");
    drop(first);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn one_source_of_tcp_has_a_limit_and_leaving_makes_room() {
    let mut settings = settings();
    settings.limits.tcp_connections_per_source = 1;
    let server = Server::start(settings).await;
    let mut first = connection(server.dns(), &framed(&query(1, WEB))).await;
    within(first.read_u16()).await.unwrap();
    is_closed(&mut TcpStream::connect(server.dns()).await.unwrap()).await;
    drop(first);
    within(async {
        // Whether the server has seen yet that the first one left is its business.
        loop {
            let mut next = connection(server.dns(), &framed(&query(1, WEB))).await;
            if next.read_u16().await.is_ok() {
                break;
            }
        }
    })
    .await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn tcp_clients_without_a_whole_query_are_closed() {
    let mut settings = settings();
    settings.limits.tcp.idle = SOON;
    let server = Server::start(settings).await;
    for says in [&b""[..], b"\0", b"\0\x20half of it"] {
        is_closed(&mut connection(server.dns(), says).await).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_tcp_client_that_does_not_read_is_closed() {
    let mut settings = settings();
    settings.limits.tcp.idle = SOON;
    let server = Server::start(settings).await;
    let mut deaf = TcpStream::connect(server.dns()).await.unwrap();
    let queries = framed(&query(1, WEB)).repeat(1000);
    within(async { while deaf.write_all(&queries).await.is_ok() {} }).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn silent_clients_of_admin_are_closed() {
    let mut settings = settings();
    settings.limits.hello = SOON;
    let server = Server::start(settings).await;
    is_closed(&mut connection(server.admin(), b"").await).await;
    server.stop().await.unwrap();
}

fn framed(packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap();
    [&length.to_be_bytes()[..], packet].concat()
}
