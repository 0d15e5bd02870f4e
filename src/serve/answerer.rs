//! What every listener does with a packet.
//!
//! Rules: answer from the catalog; look up what leads outside; count. Before everything is known, plain DNS gets
//! SERVFAIL (so that a client asks another server) and gRPC a status, which is that listener's own business.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::chase::Chaser;
use super::dns::server_failure;
use super::readiness::Readiness;
use crate::catalog::Catalog;
use crate::random::random;
use crate::telemetry::metrics::{Listener, QueryShard, Rcode};
use crate::wire::{Chase, Transport, Verdict, respond};

/// Room for the usual reply.
pub(super) const USUAL_REPLY: usize = 512;

/// Answers packets; every worker has its own.
pub struct Answerer {
    catalog: Arc<Catalog>,
    readiness: Readiness,
    chaser: Arc<Chaser>,
    metrics: Arc<QueryShard>,
    rotation: AtomicU32,
}

/// What to do about a packet.
#[derive(Debug)]
pub(super) enum Step {
    /// Send the reply.
    Send,
    /// Send nothing.
    Nothing,
    /// There is no DNS header (gRPC only).
    Unreadable,
    /// Wait for a lookup.
    Wait(Waiting),
}

/// A query that waits for a lookup elsewhere.
#[derive(Debug)]
pub(super) struct Waiting {
    chase: Box<Chase>,
    listener: Listener,
    started: Instant,
}

impl Answerer {
    /// Rotation begins at a random place, so that replicas and workers do not move in step.
    pub fn new(
        catalog: Arc<Catalog>,
        readiness: Readiness,
        chaser: Arc<Chaser>,
        metrics: Arc<QueryShard>,
    ) -> Self {
        Self { catalog, readiness, chaser, metrics, rotation: AtomicU32::new(random()) }
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Answers a packet, as far as that goes without waiting.
    pub(super) fn take(&self, packet: &[u8], transport: Transport, reply: &mut Vec<u8>) -> Step {
        let (started, listener) = (Instant::now(), listener(transport));
        if listener != Listener::Grpc && !self.readiness.is_complete() {
            return self.unready(packet, listener, started, reply);
        }
        let rotation = self.rotation.fetch_add(1, Ordering::Relaxed);
        let (step, rcode) = match respond(&self.catalog, packet, transport, rotation, reply) {
            Verdict::Reply => (Step::Send, Rcode::of(reply)),
            Verdict::Drop => (Step::Nothing, Rcode::Dropped),
            Verdict::Unreadable => (Step::Unreadable, Rcode::Status),
            Verdict::Chase(chase) => return Step::Wait(Waiting { chase, listener, started }),
        };
        self.metrics.record(listener, rcode, started.elapsed());
        step
    }

    /// Finishes a query that had to wait. Drop the future to give up.
    pub(super) async fn finish(&self, waiting: Waiting, reply: &mut Vec<u8>) {
        let Waiting { chase, listener, started } = waiting;
        let answer = self.chaser.look_up(&chase).await;
        chase.finish(answer.as_deref(), reply);
        self.metrics.record(listener, Rcode::of(reply), started.elapsed());
    }

    /// The same where nobody can wait: the reply of a failed lookup.
    pub(super) fn finish_at_once(&self, waiting: &Waiting, reply: &mut Vec<u8>) {
        waiting.chase.finish(None, reply);
        self.metrics.record(waiting.listener, Rcode::of(reply), waiting.started.elapsed());
    }

    /// Counts a call that got a status in place of a message.
    pub(super) fn count_status(&self) {
        self.metrics.record(Listener::Grpc, Rcode::Status, std::time::Duration::ZERO);
    }

    fn unready(&self, packet: &[u8], listener: Listener, started: Instant, reply: &mut Vec<u8>) -> Step {
        let answered = server_failure(packet, reply);
        let rcode = if answered { Rcode::ServFail } else { Rcode::Dropped };
        self.metrics.record(listener, rcode, started.elapsed());
        if answered { Step::Send } else { Step::Nothing }
    }
}

fn listener(transport: Transport) -> Listener {
    match transport {
        Transport::Grpc => Listener::Grpc,
        Transport::Udp => Listener::Udp,
        Transport::Tcp => Listener::Tcp,
    }
}
