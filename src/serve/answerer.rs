//! What every listener does with a packet.
//!
//! Rules: answer from the catalog; look up what leads outside; count. Before everything is known, plain DNS gets
//! SERVFAIL (so that a client asks another server) and gRPC a status, which is that listener's own business.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::chase::Chaser;
use super::dns::server_failure;
use super::readiness::Readiness;
use crate::answer::{Facts, Origin};
use crate::catalog::Catalog;
use crate::telemetry::metrics::{Counted, Listener, QueryShard, Rcode};
use crate::telemetry::witness::{Begun, Ended, Numbers, QueryNumber, Witness};
use crate::wire::{Chase, Transport, Verdict, respond_noting};

/// Room for the usual reply.
pub(super) const USUAL_REPLY: usize = 512;

/// Answers packets; every worker has its own.
pub struct Answerer {
    catalog: Arc<Catalog>,
    readiness: Readiness,
    chaser: Arc<Chaser>,
    metrics: Arc<QueryShard>,
    witness: Arc<Witness>,
    numbers: Numbers,
}

/// Who asks, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) listener: Listener,
    /// Its address, if it is on a network.
    pub(super) peer: Option<SocketAddr>,
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
    asked: Query,
}

/// A query that is being answered.
#[derive(Clone, Copy, Debug)]
struct Query {
    client: Client,
    facts: Facts,
    started: Instant,
    /// Decides with which record the answer begins.
    number: QueryNumber,
}

/// Whether a query had to wait for a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chased {
    Yes,
    No,
}

impl Answerer {
    /// Answers from this catalog.
    pub fn new(
        catalog: Arc<Catalog>,
        readiness: Readiness,
        chaser: Arc<Chaser>,
        metrics: Arc<QueryShard>,
        witness: Arc<Witness>,
    ) -> Self {
        Self { catalog, readiness, chaser, metrics, witness, numbers: Numbers::new() }
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Answers a packet, as far as that goes without waiting.
    pub(super) fn take(&self, packet: &[u8], client: Client, reply: &mut Vec<u8>) -> Step {
        let (mut asked, transport) = (self.begin(packet, client), client.transport());
        if transport != Transport::Grpc && !self.readiness.is_complete() {
            return self.unready(packet, asked, reply);
        }
        let verdict =
            respond_noting(&self.catalog, packet, transport, asked.number.count(), reply, &mut asked.facts);
        let (step, rcode) = match verdict {
            Verdict::Reply => (Step::Send, Rcode::of(reply)),
            Verdict::Drop => (Step::Nothing, Rcode::Dropped),
            Verdict::Unreadable => (Step::Unreadable, Rcode::Status),
            Verdict::Chase(chase) => {
                asked.facts.origin = Origin::Upstream;
                return Step::Wait(Waiting { chase, asked });
            }
        };
        self.ended(asked, rcode, Chased::No, reply);
        step
    }

    /// Finishes a query that had to wait. Drop the future to give up.
    pub(super) async fn finish(&self, waiting: Waiting, reply: &mut Vec<u8>) {
        let Waiting { chase, asked } = waiting;
        let answer = self.chaser.look_up(&chase).await;
        chase.finish(answer.as_deref(), reply);
        self.ended(asked, Rcode::of(reply), Chased::Yes, reply);
    }

    /// The same where nobody can wait: the reply of a failed lookup.
    pub(super) fn finish_at_once(&self, waiting: &Waiting, reply: &mut Vec<u8>) {
        waiting.chase.finish(None, reply);
        self.ended(waiting.asked, Rcode::of(reply), Chased::Yes, reply);
    }

    /// Counts a query that got a status in place of a message, because we are not ready.
    pub(super) fn turn_away(&self, packet: &[u8], client: Client) {
        let asked = self.begin(packet, client);
        self.ended(asked, Rcode::Status, Chased::No, packet);
    }

    /// Takes note of a query that was read.
    fn begin(&self, packet: &[u8], client: Client) -> Query {
        let (started, number) = (Instant::now(), self.numbers.next());
        let Client { listener, peer } = client;
        self.witness.begin(&Begun { listener, peer, started, packet, number });
        Query { client, facts: Facts::default(), started, number }
    }

    fn unready(&self, packet: &[u8], asked: Query, reply: &mut Vec<u8>) -> Step {
        let answered = server_failure(packet, reply);
        self.ended(asked, if answered { Rcode::ServFail } else { Rcode::Dropped }, Chased::No, reply);
        if answered { Step::Send } else { Step::Nothing }
    }

    /// Counts a query, and has it told about if it is to be. `message` is the reply, or the query if there is none.
    fn ended(&self, asked: Query, rcode: Rcode, chased: Chased, message: &[u8]) {
        let Query { client: Client { listener, peer }, facts, started, number } = asked;
        let (chased, took) = (chased == Chased::Yes, started.elapsed());
        self.metrics.record(&Counted { listener, facts, rcode, chased, took });
        self.witness.see(&Ended { listener, peer, facts, rcode, started, took, message, number });
    }
}

impl Client {
    fn transport(self) -> Transport {
        match self.listener {
            // The admin listener takes no queries.
            Listener::Grpc | Listener::GrpcUnix | Listener::Admin => Transport::Grpc,
            Listener::Udp => Transport::Udp,
            Listener::Tcp => Transport::Tcp,
        }
    }
}
