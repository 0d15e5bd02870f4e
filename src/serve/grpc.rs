//! CoreDNS's `grpc` plugin as client: `coredns.dns.DnsService/Query`, with health and reflection beside it.
//!
//! Rules: what CoreDNS makes of a status decides which one it gets. `UNAVAILABLE` (not ready) makes it ask another
//! upstream; `NOT_FOUND` would be taken for NXDOMAIN and is never sent. A packet without a DNS header is
//! `INVALID_ARGUMENT`; any other gets a DNS message. Hundreds of calls share one connection, and all of them are
//! reset at once when CoreDNS's five seconds are over: that must not pass for an attack (CVE-2023-44487).
//!
//! A connection that is old, or whose server stops, is asked to go (GOAWAY, RFC 9113 §6.8). Calls that come before the
//! client has heard of it are answered like any other: what we know is still true, and a client with one upstream
//! would have nobody else to ask. Every connection has a server of its own, because each has an age of its own.

mod age;
mod health;
mod single;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_server::HealthServer;

use super::accept::Incoming;
use super::answerer::{Answerer, Client, Step, USUAL_REPLY};
use super::connection::{Connection, Peer};
use super::proto::{DESCRIPTORS, DnsPacket, DnsService, DnsServiceServer};
use super::stop::{Stop, StopSignal};
use super::tls::{Gate, Guest};
use crate::random::random;
use crate::telemetry::metrics::Listener;
use health::Healthy;
use single::Single;

/// A DNS message of the largest size, and what protobuf adds.
const LARGEST_MESSAGE: usize = 65_535 + 8;
/// Octets that a connection may have sent before we took them; 1024 queries fit.
const CONNECTION_WINDOW: u32 = 1 << 20;

/// What one connection may do.
#[derive(Clone, Copy, Debug)]
pub struct GrpcLimits {
    /// Calls at once.
    pub streams: u32,
    /// Resets of calls that we have not even seen, in one read.
    pub early_resets: usize,
    /// Resets that a peer's errors caused, in the life of the connection (CVE-2025-8671).
    pub caused_resets: usize,
    /// How long a call may take to say what it asks, and we to answer.
    pub call: Duration,
    /// How often a silent peer is asked for a sign of life.
    pub ping_every: Duration,
    /// How long it may take to give one.
    pub ping_within: Duration,
    /// After about that time, a tenth more or less, a connection is asked to go (GOAWAY), so that new replicas get
    /// their share.
    pub age: Duration,
    /// How long it may take to go. Longer than a call, so that only streams without an end are cut off.
    pub grace: Duration,
}

impl Default for GrpcLimits {
    fn default() -> Self {
        Self {
            streams: 1024,
            early_resets: 4096,
            caused_resets: 65_536,
            call: Duration::from_secs(10),
            ping_every: Duration::from_secs(30),
            ping_within: Duration::from_secs(10),
            age: Duration::from_secs(600),
            grace: Duration::from_secs(30),
        }
    }
}

/// Why gRPC is not served.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The descriptors for reflection are broken.
    #[error("the built-in protocol descriptors cannot be read")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves the connections of one worker, those over TCP with TLS if there is a gate. When stopped, it says GOAWAY on each of them and ends when they have.
pub async fn serve(
    mut incoming: Incoming,
    answerer: Arc<Answerer>,
    gate: Option<Gate>,
    limits: GrpcLimits,
    stop: Stop,
) -> Result<(), GrpcError> {
    let network = routes(Arc::clone(&answerer), Listener::Grpc)?;
    let local = routes(answerer, Listener::GrpcUnix)?;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.requested() => break,
            Some(ended) = connections.join_next() => note(ended),
            connection = incoming.next() => match connection {
                Some(Ok(connection)) => {
                    let routes = if connection.is_unix() { local.clone() } else { network.clone() };
                    connections.spawn(receive(connection, gate.clone(), routes, limits, stop.clone()));
                }
                Some(Err(error)) => tracing::debug!(%error, "connection lost before it was served"),
                None => break,
            },
        }
    }
    // Whoever is still in the queue is refused like those who come now.
    drop(incoming);
    while let Some(ended) = connections.join_next().await {
        note(ended);
    }
    Ok(())
}

fn routes(answerer: Arc<Answerer>, listener: Listener) -> Result<Routes, GrpcError> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let health = HealthServer::new(Healthy { readiness: answerer.readiness().clone() });
    let queries = DnsServiceServer::new(Queries { answerer, listener })
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    Ok(Routes::new(queries).add_service(health).add_service(reflection).prepare())
}

/// Lets a client in, if there is a gate that it has to pass, and serves it.
async fn receive(
    connection: Connection,
    gate: Option<Gate>,
    routes: Routes,
    limits: GrpcLimits,
    stop: Stop,
) -> Result<(), tonic::transport::Error> {
    let Some(gate) = gate.filter(|_| connection.is_plain_tcp()) else {
        return converse(connection, None, routes, limits, stop).await;
    };
    let admitted = tokio::select! {
        admitted = gate.admit(connection) => admitted,
        () = stop.requested() => None,
    };
    match admitted {
        Some((connection, guest)) => converse(connection, Some(guest), routes, limits, stop).await,
        None => Ok(()),
    }
}

/// Serves one connection until it is closed, and asks it to go when it is old, its client is no longer welcome, or we stop.
async fn converse(
    mut connection: Connection,
    guest: Option<Guest>,
    routes: Routes,
    limits: GrpcLimits,
    stop: Stop,
) -> Result<(), tonic::transport::Error> {
    let age = age::of_one(limits.age, random());
    let (ask, asked) = StopSignal::new();
    connection.close_at(async move {
        asked.requested().await;
        tokio::time::sleep(limits.grace).await;
    });
    let outstays = async move {
        match guest {
            Some(guest) => guest.outstays().await,
            None => std::future::pending().await,
        }
    };
    let goes = async move {
        tokio::select! {
            () = stop.requested() => {}
            () = tokio::time::sleep(age) => {}
            () = outstays => {}
        }
        ask.stop();
    };
    Server::builder()
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.streams)
        .http2_max_pending_accept_reset_streams(Some(limits.early_resets))
        .http2_max_local_error_reset_streams(Some(limits.caused_resets))
        .http2_keepalive_interval(Some(limits.ping_every))
        .http2_keepalive_timeout(Some(limits.ping_within))
        .timeout(limits.call)
        .add_routes(routes)
        .serve_with_incoming_shutdown(Single::new(connection), goes)
        .await
}

fn note(ended: Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "connection failed"),
        Err(error) => tracing::error!(%error, "connection was lost"),
    }
}

struct Queries {
    answerer: Arc<Answerer>,
    listener: Listener,
}

#[tonic::async_trait]
impl DnsService for Queries {
    async fn query(&self, request: Request<DnsPacket>) -> Result<Response<DnsPacket>, Status> {
        let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
        let client = Client { listener: self.listener, peer };
        if !self.answerer.readiness().is_complete() {
            self.answerer.turn_away(&request.get_ref().msg, client);
            return Err(Status::unavailable("not everything is known yet"));
        }
        let packet = request.into_inner().msg;
        let mut msg = Vec::with_capacity(USUAL_REPLY);
        match self.answerer.take(&packet, client, &mut msg) {
            Step::Send => {}
            Step::Wait(waiting) => self.answerer.finish(waiting, &mut msg).await,
            Step::Nothing | Step::Unreadable => return Err(unreadable(packet.len())),
        }
        Ok(Response::new(DnsPacket { msg }))
    }
}

fn unreadable(length: usize) -> Status {
    Status::invalid_argument(match length {
        0 => "the field msg is missing or empty: a DNS message is expected".to_owned(),
        _ => format!("a DNS message begins with a header of 12 octets: only {length} came"),
    })
}
