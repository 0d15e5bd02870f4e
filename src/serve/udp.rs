//! Plain DNS over UDP.
//!
//! Rules: RFC 1035 §4.2.1. A reply leaves from the address that the query came to, also on a wildcard address;
//! datagrams that the kernel has joined (GRO) are taken apart again. A query that waits for a lookup does not hold up
//! others; beyond a bound it is answered as if the lookup had failed. When stopped, what has been received is still
//! answered and waiting queries finish.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::answerer::{Answerer, Client, Step, USUAL_REPLY};
use super::stop::Stop;
use crate::telemetry::metrics::Listener;

/// As much as the kernel joins. Pages that are never written to cost no memory.
const SLOT: usize = 1 << 16;
/// Batches that are still read once stopped: more than a socket holds, less than a flood.
const LAST_BATCHES: usize = 2048;
/// Queries of one socket that wait for lookups.
const WAITING: usize = 1024;

/// A socket that knows where packets came to.
struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
}

/// Where a reply goes, and from which of our addresses.
#[derive(Clone, Copy)]
struct Route {
    to: SocketAddr,
    from: Option<IpAddr>,
}

/// Answers until stopped and everything under way is finished.
pub async fn serve(socket: std::net::UdpSocket, answerer: Arc<Answerer>, stop: Stop) -> io::Result<()> {
    let socket = UdpSocket::from_std(socket)?;
    let state = UdpSocketState::new((&socket).into())?;
    let mut server = Server {
        port: Arc::new(Port { socket, state }),
        answerer,
        waiting: JoinSet::new(),
        reply: Vec::with_capacity(USUAL_REPLY),
    };
    let mut buffer = vec![0; SLOT * BATCH_SIZE];
    let requested = stop.requested();
    tokio::pin!(requested);
    loop {
        tokio::select! {
            () = &mut requested => break,
            ready = server.port.socket.readable() => ready?,
            Some(_) = server.waiting.join_next() => continue,
        }
        if server.take_batch(&mut buffer).await {
            // There may be more, but others want their turn.
            tokio::task::yield_now().await;
        }
    }
    for _ in 0..LAST_BATCHES {
        if !server.take_batch(&mut buffer).await {
            break;
        }
    }
    while server.waiting.join_next().await.is_some() {}
    Ok(())
}

struct Server {
    port: Arc<Port>,
    answerer: Arc<Answerer>,
    waiting: JoinSet<()>,
    reply: Vec<u8>,
}

impl Server {
    /// Answers what has been received, a batch at most. `false` if that was nothing.
    async fn take_batch(&mut self, buffer: &mut [u8]) -> bool {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let received = match self.port.receive(buffer, &mut metas) {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => {
                // An earlier reply that could not be delivered (ICMP), or a passing lack of memory.
                tracing::debug!(%error, "packet cannot be received");
                return true;
            }
        };
        for (meta, slot) in metas.iter().zip(buffer.chunks(SLOT)).take(received) {
            let route = Route { to: meta.addr, from: meta.dst_ip };
            for packet in slot[..meta.len.min(SLOT)].chunks(meta.stride.max(1)) {
                self.take(packet, route).await;
            }
        }
        true
    }

    async fn take(&mut self, packet: &[u8], route: Route) {
        let client = Client { listener: Listener::Udp, peer: Some(route.to) };
        match self.answerer.take(packet, client, &mut self.reply) {
            Step::Send => self.port.send(&self.reply, route).await,
            Step::Nothing | Step::Unreadable => {}
            Step::Wait(waiting) if self.waiting.len() >= WAITING => {
                self.answerer.finish_at_once(&waiting, &mut self.reply);
                self.port.send(&self.reply, route).await;
            }
            Step::Wait(waiting) => {
                let (answerer, port) = (Arc::clone(&self.answerer), Arc::clone(&self.port));
                self.waiting.spawn(async move {
                    let mut reply = Vec::with_capacity(USUAL_REPLY);
                    answerer.finish(waiting, &mut reply).await;
                    port.send(&reply, route).await;
                });
            }
        }
    }
}

impl Port {
    fn receive(&self, buffer: &mut [u8], metas: &mut [RecvMeta; BATCH_SIZE]) -> io::Result<usize> {
        let mut rest = buffer;
        let mut slots: [IoSliceMut<'_>; BATCH_SIZE] = std::array::from_fn(|_| {
            let (slot, tail) = std::mem::take(&mut rest).split_at_mut(SLOT);
            rest = tail;
            IoSliceMut::new(slot)
        });
        self.socket.try_io(Interest::READABLE, || self.state.recv((&self.socket).into(), &mut slots, metas))
    }

    async fn send(&self, reply: &[u8], route: Route) {
        let transmit = Transmit {
            destination: route.to,
            ecn: None,
            contents: reply,
            segment_size: None,
            src_ip: route.from,
        };
        let sent = self
            .socket
            .async_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), &transmit));
        if let Err(error) = sent.await {
            tracing::debug!(%error, to = %route.to, "reply cannot be sent");
        }
    }
}
