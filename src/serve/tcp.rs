//! Plain DNS over TCP.
//!
//! Rules: RFC 7766. A message follows its length in two octets; queries may follow each other without waiting, and
//! replies that had to wait for a lookup come when they are ready (§6.2.1.1). A connection ends when no whole query
//! came for a while, be it silent or dripping (§6.2.3), when its peer does not read, or when it is closed. A packet
//! that deserves no reply gets none, and the connection goes on. When stopped, queries that were read are finished.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::accept::rest;
use super::answerer::{Answerer, Client, Step, USUAL_REPLY};
use super::permits::{Permit, Permits};
use super::stop::Stop;
use crate::telemetry::metrics::Listener;

/// Octets before a message.
const PREFIX: usize = 2;
/// Room for the usual queries of one read.
const READ: usize = 4096;
/// Replies are sent when that much has come together, or when there is nothing else to do.
const FLUSH: usize = 1 << 16;

/// What one connection may do.
#[derive(Clone, Copy, Debug)]
pub struct TcpLimits {
    /// How long it may be without a whole query, and how long its peer may not read.
    pub idle: Duration,
    /// Queries that wait for lookups; more are not read.
    pub waiting: usize,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(10), waiting: 16 }
    }
}

/// Accepts and answers until stopped and everything under way is finished.
pub async fn serve(
    listener: std::net::TcpListener,
    answerer: Arc<Answerer>,
    permits: Permits,
    limits: TcpLimits,
    stop: Stop,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    let requested = stop.requested();
    tokio::pin!(requested);
    loop {
        let accepted = tokio::select! {
            () = &mut requested => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Err(error) => rest(&error).await,
            Ok((stream, from)) => match admit(&permits, from.ip(), &stream) {
                None => tracing::debug!(%from, "connection closed: too many are open"),
                Some(permit) => {
                    let (answerer, stop) = (Arc::clone(&answerer), stop.clone());
                    connections.spawn(async move {
                        if let Err(error) = converse(stream, answerer, limits, stop).await {
                            tracing::debug!(%from, %error, "connection ended");
                        }
                        drop(permit);
                    });
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

fn admit(permits: &Permits, from: IpAddr, stream: &TcpStream) -> Option<Permit> {
    let permit = permits.admit(Some(from))?;
    stream.set_nodelay(true).ok()?;
    Some(permit)
}

/// One connection, to its end.
async fn converse(
    mut stream: TcpStream,
    answerer: Arc<Answerer>,
    limits: TcpLimits,
    stop: Stop,
) -> io::Result<()> {
    let client = Client { listener: Listener::Tcp, peer: stream.peer_addr().ok() };
    let (reader, writer) = stream.split();
    let mut talk = Talk { writer, client, answerer, limits, output: Vec::new(), waiting: JoinSet::new() };
    let mut input = Input { reader, octets: Vec::with_capacity(READ) };
    let mut deadline = Instant::now() + limits.idle;
    let requested = stop.requested();
    tokio::pin!(requested);
    loop {
        while talk.has_room()
            && let Some(packet) = input.message()
        {
            talk.take(&packet).await?;
            deadline = Instant::now() + limits.idle;
        }
        talk.flush().await?;
        tokio::select! {
            () = &mut requested => break,
            Some(reply) = talk.waiting.join_next() => {
                talk.put_waited(reply);
                deadline = Instant::now() + limits.idle;
            }
            read = input.read(), if talk.has_room() => if read? == 0 { break },
            () = sleep_until(deadline), if talk.waiting.is_empty() => break,
        }
    }
    talk.finish().await
}

/// What came in and was not taken yet.
struct Input<'a> {
    reader: ReadHalf<'a>,
    octets: Vec<u8>,
}

impl Input<'_> {
    /// The next message that is there as a whole.
    fn message(&mut self) -> Option<Vec<u8>> {
        let (prefix, rest) = self.octets.split_first_chunk::<PREFIX>()?;
        let length = usize::from(u16::from_be_bytes(*prefix));
        let message = rest.get(..length)?.to_vec();
        self.octets.drain(..PREFIX + length);
        Some(message)
    }

    /// Reads on; 0 at the end.
    async fn read(&mut self) -> io::Result<usize> {
        self.octets.reserve(READ);
        self.reader.read_buf(&mut self.octets).await
    }
}

/// The side that answers.
struct Talk<'a> {
    writer: WriteHalf<'a>,
    client: Client,
    answerer: Arc<Answerer>,
    limits: TcpLimits,
    output: Vec<u8>,
    waiting: JoinSet<Vec<u8>>,
}

impl Talk<'_> {
    fn has_room(&self) -> bool {
        self.waiting.len() < self.limits.waiting
    }

    async fn take(&mut self, packet: &[u8]) -> io::Result<()> {
        let mut reply = Vec::with_capacity(USUAL_REPLY);
        match self.answerer.take(packet, self.client, &mut reply) {
            Step::Send => self.put(&reply),
            Step::Nothing | Step::Unreadable => {}
            Step::Wait(waiting) => {
                let answerer = Arc::clone(&self.answerer);
                self.waiting.spawn(async move {
                    answerer.finish(waiting, &mut reply).await;
                    reply
                });
            }
        }
        if self.output.len() >= FLUSH { self.flush().await } else { Ok(()) }
    }

    fn put_waited(&mut self, reply: Result<Vec<u8>, tokio::task::JoinError>) {
        match reply {
            Ok(reply) => self.put(&reply),
            Err(error) => tracing::error!(%error, "query was lost"),
        }
    }

    fn put(&mut self, reply: &[u8]) {
        // Replies are DNS messages; there are none of more than 65,535 octets.
        let Ok(length) = u16::try_from(reply.len()) else { return };
        self.output.extend_from_slice(&length.to_be_bytes());
        self.output.extend_from_slice(reply);
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        timeout(self.limits.idle, self.writer.write_all(&self.output)).await??;
        self.output.clear();
        Ok(())
    }

    /// Sends what is still waited for, and the end.
    async fn finish(mut self) -> io::Result<()> {
        while let Some(reply) = self.waiting.join_next().await {
            self.put_waited(reply);
            self.flush().await?;
        }
        self.flush().await?;
        self.writer.shutdown().await
    }
}
