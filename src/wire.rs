//! Bytes to question, outcome to bytes.
//!
//! [`respond`] is what every listener calls, and what the core consists of: a DNS message in, a DNS message out.
//! An ordinary query (one question, at most an OPT record behind it) is read and answered by the few lines here;
//! anything else is decoded whole by hickory-proto before it is judged.
//!
//! Rules: RFC 1035 §4, RFC 6891 (EDNS), RFC 2181 §9 (truncation), RFC 8914 (errors of stale answers). The question is repeated octet by octet, so owner
//! names, which point into it, keep the letter case of the client (RFC 4343).

mod chase;
mod encode;
mod request;
mod stale;
mod zone_file;

pub use chase::{Chase, ChaseKey};
pub use request::Transport;
pub use zone_file::{ReadRecord, ReadReply, Section, plain_query, read_reply, type_name, type_number};

use crate::answer::{Notes, Outcome, Step, Topic, answer};
use crate::catalog::{Catalog, Staleness};
use encode::Encoder;
use request::{Problem, Request};

/// RCODEs that we give (RFC 1035 §4.1.1, RFC 6891 §9).
pub mod rcode {
    /// No error.
    pub const NOERROR: u8 = 0;
    /// The query cannot be read.
    pub const FORMERR: u8 = 1;
    /// The name does not exist.
    pub const NXDOMAIN: u8 = 3;
    /// Not this kind of query.
    pub const NOTIMP: u8 = 4;
    /// Not for us.
    pub const REFUSED: u8 = 5;
    /// An EDNS version that we do not know; the upper bits stand in the OPT record.
    pub const BADVERS: u8 = 16;
}

/// What is to be done with a packet.
#[derive(Debug)]
pub enum Verdict {
    /// Send the reply.
    Reply,
    /// Send nothing: a response, or no DNS header at all, on a plain DNS listener.
    Drop,
    /// There is no DNS header that could be answered (gRPC only).
    Unreadable,
    /// An alias leads outside: look its target up, then finish.
    Chase(Box<Chase>),
}

/// Answers one packet. `reply` is overwritten; it holds a whole message when the verdict is [`Verdict::Reply`].
/// `rotation` decides with which record address lists and SRV records begin; pass a different number every time.
pub fn respond(
    catalog: &Catalog,
    packet: &[u8],
    transport: Transport,
    rotation: u32,
    reply: &mut Vec<u8>,
) -> Verdict {
    respond_noting(catalog, packet, transport, rotation, reply, &mut ())
}

/// [`respond`] with notes for who counts.
pub fn respond_noting(
    catalog: &Catalog,
    packet: &[u8],
    transport: Transport,
    rotation: u32,
    reply: &mut Vec<u8>,
    notes: &mut impl Notes,
) -> Verdict {
    let (verdict, stale) = respond_or_refuse(catalog, packet, transport, rotation, reply, notes);
    if stale.is_some() {
        catalog.staleness().count();
    }
    verdict
}

/// [`respond`] with notes on the way, for who only looks: it is not counted.
pub fn respond_with(
    catalog: &Catalog,
    packet: &[u8],
    transport: Transport,
    rotation: u32,
    reply: &mut Vec<u8>,
    notes: &mut impl Notes,
) -> Verdict {
    respond_or_refuse(catalog, packet, transport, rotation, reply, notes).0
}

/// Says of a stale answer that it is one.
fn respond_or_refuse(
    catalog: &Catalog,
    packet: &[u8],
    transport: Transport,
    rotation: u32,
    reply: &mut Vec<u8>,
    notes: &mut impl Notes,
) -> (Verdict, Option<Staleness>) {
    reply.clear();
    let request = match Request::read(packet) {
        Ok(request) => request,
        Err(problem) => return (refuse(packet, problem, transport, reply), None),
    };
    notes.asked(request.question.kind);
    // Before the answer is looked up: one that changes in between was not stale.
    let stale = catalog.staleness().get();
    let outcome = answer(catalog, &request.question, notes);
    let stale = stale.filter(|_| outcome.rests_on_objects());
    if let Some(staleness) = &stale {
        notes.say(|| Step::of(Topic::Stale, staleness.to_string()));
    }
    let frame = request.frame(transport, rotation);
    let mut encoder = Encoder::begin(&frame, reply);
    encoder.mark(stale);
    match outcome {
        Outcome::Data(data) => encoder.data(&data),
        Outcome::NoData(soa) => encoder.negative(rcode::NOERROR, soa.as_ref()),
        Outcome::NoSuchName(soa) => encoder.negative(rcode::NXDOMAIN, soa.as_ref()),
        Outcome::NotMine => encoder.bare(rcode::NXDOMAIN),
        Outcome::Refused => encoder.bare(rcode::REFUSED),
        Outcome::Elsewhere { data, target } => {
            let owned = request.own(transport, rotation);
            let chase = Chase::new(owned, data.aliases, data.ttl, target, stale);
            return (Verdict::Chase(Box::new(chase)), stale);
        }
    }
    encoder.finish();
    (Verdict::Reply, stale)
}

fn refuse(packet: &[u8], problem: Problem, transport: Transport, reply: &mut Vec<u8>) -> Verdict {
    let plain = !matches!(transport, Transport::Grpc);
    match problem {
        Problem::NoHeader if plain => Verdict::Drop,
        Problem::NoHeader => Verdict::Unreadable,
        // Two servers that answer each other's answers would never stop.
        Problem::Response if plain => Verdict::Drop,
        Problem::Response => encode::header_only(packet, rcode::FORMERR, reply),
        // CoreDNS passes on only what repeats the question.
        Problem::NotImplemented(Some(request)) => bare(&request, rcode::NOTIMP, transport, reply),
        Problem::NotImplemented(None) => encode::header_only(packet, rcode::NOTIMP, reply),
        Problem::Malformed => encode::header_only(packet, rcode::FORMERR, reply),
        Problem::BadVersion(request) => bare(&request, rcode::BADVERS, transport, reply),
    }
}

/// A reply with this RCODE and no records.
fn bare(request: &Request<'_>, rcode: u8, transport: Transport, reply: &mut Vec<u8>) -> Verdict {
    let frame = request.frame(transport, 0);
    let mut encoder = Encoder::begin(&frame, reply);
    encoder.bare(rcode);
    encoder.finish();
    Verdict::Reply
}
