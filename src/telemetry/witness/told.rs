//! A query as people are told of it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use super::{QueryId, Seen};
use crate::answer::{Asked, Cause, Facts, Recorder};
use crate::catalog::Catalog;
use crate::model::dotted;
use crate::telemetry::metrics::{Listener, Rcode};
use crate::wire::{Transport, Verdict, read_reply, respond_with, type_name};

/// Octets of a header.
const HEADER: usize = 12;
/// Type and class.
const AFTER_NAME: usize = 4;

/// A query, and what its answer rests on.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its id.
    pub id: QueryId,
    /// Where it came in.
    pub listener: Listener,
    /// From whom, if that is on a network.
    pub peer: Option<SocketAddr>,
    /// The name in lower case, escaped as in zone files, and the type; none, if no question could be read.
    pub question: Option<(String, u16)>,
    /// What the answer said of itself.
    pub facts: Facts,
    /// How it ended.
    pub rcode: Rcode,
    /// How long the answer may be kept, in seconds; none, if not at all.
    pub ttl: Option<u32>,
    /// When it ended.
    pub ended: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// The object that the answer rests on.
    pub object: Option<String>,
    /// Why there are no records, in the words of `explain`.
    pub reason: Option<String>,
}

impl Told {
    pub(super) fn of(catalog: &Catalog, seen: &Seen) -> Self {
        let question = question(&seen.message);
        let cause = question.as_ref().and_then(|(_, _, packet)| cause(catalog, packet, seen.rcode));
        let (object, reason) = cause.map(|cause| (cause.object, cause.text)).unwrap_or_default();
        let has_records = seen.message.get(6..8).is_some_and(|count| count != [0, 0]);
        let reason = match seen.rcode {
            Rcode::Status | Rcode::ServFail if question.is_some() => {
                Some("not everything is known yet".to_owned())
            }
            _ => reason.filter(|_| !has_records),
        };
        Self {
            id: seen.id,
            listener: seen.listener,
            peer: seen.peer,
            question: question.map(|(name, kind, _)| (name, kind)),
            facts: seen.facts,
            rcode: seen.rcode,
            ttl: read_reply(&seen.message).and_then(|reply| reply.ttl()),
            ended: seen.ended,
            took: seen.took,
            object,
            reason,
        }
    }

    /// The name of the type.
    pub fn type_name(&self) -> Option<String> {
        self.question.as_ref().map(|(_, kind)| type_name(*kind))
    }
}

/// The question of a message: its name, its type, and a query that has nothing else.
fn question(message: &[u8]) -> Option<(String, u16, Vec<u8>)> {
    if message.get(4..6)? != [0, 1] {
        return None;
    }
    let name = Asked::read(message.get(HEADER..)?).ok()?;
    let end = HEADER + name.wire().len();
    let after = message.get(end..end + AFTER_NAME)?;
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend_from_slice(message.get(HEADER..end + AFTER_NAME)?);
    Some((dotted(name.wire()), u16::from_be_bytes([after[0], after[1]]), packet))
}

/// What the answer rests on; none, if it would be another one by now.
fn cause(catalog: &Catalog, packet: &[u8], given: Rcode) -> Option<Cause> {
    let (mut recorder, mut reply) = (Recorder::default(), Vec::new());
    match respond_with(catalog, packet, Transport::Grpc, 0, &mut reply, &mut recorder) {
        Verdict::Reply => {}
        Verdict::Chase(chase) => chase.finish(None, &mut reply),
        Verdict::Drop | Verdict::Unreadable => return None,
    }
    (Rcode::of(&reply) == given).then(|| Cause::of(&recorder.steps))
}
