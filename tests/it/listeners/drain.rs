//! How a server ends.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshdns::run::{GrpcAddress, RunError, Task};
use meshdns::serve::chase::Upstreams;
use meshdns::serve::{DnsPacket, DnsServiceClient};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::packet::{query, read};
use super::server::{PATIENCE, SOON, Server, WEB, WEB_ADDRESS, alias, parts, settings, within};
use super::upstream::{FOUND, Manner, Upstream};

/// The preface of HTTP/2 and empty SETTINGS.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Kinds of frames.
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// Reads frames of HTTP/2 until one of that kind, and does what the protocol wants of a client.
async fn frame(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), wanted: u8) {
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
    idle.write_all(HELLO).await.unwrap();
    frame(&mut idle, SETTINGS).await;
    upstream.is_asked(3).await;

    server.stop.stop();
    frame(&mut idle, GOAWAY).await;
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
    idle.write_all(HELLO).await.unwrap();
    // The first one announces the end, the second one follows when the client has heard of it.
    frame(&mut idle, GOAWAY).await;
    frame(&mut idle, GOAWAY).await;
    let mut rest = Vec::new();
    within(idle.read_to_end(&mut rest)).await.unwrap();
    drop(idle);
    server.stop().await.unwrap();
}

/// Connects and is silent; how long it takes until it is asked to go.
async fn time_to_goaway(to: GrpcAddress) -> Duration {
    let begin = Instant::now();
    let mut stream: Box<dyn Duplex> = match to {
        GrpcAddress::Tcp(address) => Box::new(TcpStream::connect(address).await.unwrap()),
        GrpcAddress::Unix(path) => Box::new(UnixStream::connect(path).await.unwrap()),
    };
    stream.write_all(HELLO).await.unwrap();
    frame(&mut stream, GOAWAY).await;
    begin.elapsed()
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

#[tokio::test]
async fn every_connection_of_every_listener_has_an_age_of_its_own() {
    const AGE: Duration = Duration::from_secs(1);
    let path = std::env::temp_dir().join(format!("meshdns-it-age-{}.sock", std::process::id()));
    let local = GrpcAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
    let mut settings = settings();
    settings.grpc = vec![local.clone(), local, GrpcAddress::Unix(path)];
    settings.limits.grpc.age = AGE;
    let server = Server::start(settings).await;
    let mut connections = JoinSet::new();
    for address in &server.addresses.grpc {
        for _ in 0..10 {
            connections.spawn(time_to_goaway(address.clone()));
        }
    }
    let mut times = within(connections.join_all()).await;
    times.sort_unstable();
    let (first, last) = (times[0], times[times.len() - 1]);
    assert!(first >= AGE.mul_f64(0.9), "{times:?}");
    // Nothing but a busy machine comes on top.
    assert!(last < AGE.mul_f64(1.1) + Duration::from_secs(1), "{times:?}");
    assert!(last - first > AGE.mul_f64(0.05), "{times:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_call_outlives_the_age_of_its_connection() {
    let permits = Arc::new(Semaphore::new(0));
    let upstream = Upstream::start(Manner::Waits(Arc::clone(&permits))).await;
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(vec![upstream.address]);
    settings.limits.chase.total = PATIENCE;
    settings.limits.chase.attempt = PATIENCE;
    settings.limits.grpc.age = SOON;
    let server = Server::start(settings).await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.query(DnsPacket { msg: query(1, &alias(0)) }).await });
    upstream.is_asked(1).await;
    // Two that came later, one after the other, are asked to go: so was the first one.
    for _ in 0..2 {
        time_to_goaway(server.addresses.grpc[0].clone()).await;
    }
    assert!(!call.is_finished());
    permits.add_permits(1);
    let reply = within(call).await.unwrap().unwrap().into_inner();
    assert!(read(&reply.msg).answer.contains(&FOUND.to_owned()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_does_not_go_is_closed_after_a_while() {
    let mut settings = settings();
    settings.limits.grpc.age = SOON;
    settings.limits.grpc.grace = SOON;
    let server = Server::start(settings).await;
    let request = HealthCheckRequest::default();
    let mut states = HealthClient::new(server.channel().await).watch(request).await.unwrap().into_inner();
    states.message().await.unwrap().unwrap();
    within(states.message()).await.unwrap_err();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_lame_duck_serves_on_and_says_that_it_is_not_ready() {
    let mut settings = settings();
    settings.lameduck = Duration::from_secs(2);
    let parts = parts();
    let readiness = parts.readiness.clone();
    let server = Server::with(settings, parts).await;
    let (mut old, begin) = (server.client().await, Instant::now());
    server.stop.stop();
    within(readiness.watch().wait_for(|ready| !ready)).await.unwrap();
    // Also for those who come now.
    let mut new = server.client().await;
    for client in [&mut old, &mut new] {
        let reply = client.query(DnsPacket { msg: query(1, WEB) }).await.unwrap().into_inner();
        assert_eq!(read(&reply.msg).answer, [WEB_ADDRESS]);
    }
    drop((old, new));
    server.ended().await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(2));
}

/// Between the word to stop and the moment the client hears of it, calls still come.
#[tokio::test]
async fn calls_are_answered_until_the_connection_is_gone() {
    let parts = parts();
    let readiness = parts.readiness.clone();
    let server = Server::with(settings(), parts).await;
    let mut client: DnsServiceClient<_> = server.client().await;
    readiness.stop();
    let reply = client.query(DnsPacket { msg: query(1, WEB) }).await.unwrap().into_inner();
    assert_eq!(read(&reply.msg).answer, [WEB_ADDRESS]);
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
