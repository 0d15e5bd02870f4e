//! Bytes to question.

use hickory_proto::op::Message;

use crate::answer::{Asked, Question, kind};

/// Octets of a DNS header (RFC 1035 §4.1.1).
pub(super) const HEADER: usize = 12;
/// The largest message that TCP and gRPC carry.
const MAX_MESSAGE: usize = 65_535;
/// The largest UDP message without EDNS (RFC 1035 §4.2.1).
const PLAIN_UDP: usize = 512;
/// The largest UDP message that we send: what passes without fragments (DNS flag day 2020).
pub(super) const MAX_UDP: usize = 1232;

/// Over what a packet came. It decides about sizes, about TC and about what becomes of garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// CoreDNS, which cuts for each client itself: always everything.
    Grpc,
    /// Plain DNS over UDP.
    Udp,
    /// Plain DNS over TCP.
    Tcp,
}

/// EDNS parameters of a query (RFC 6891 §6.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    version: u8,
    size: u16,
    pub(super) dnssec_ok: bool,
}

/// A query that can be answered.
pub(super) struct Request<'a> {
    packet: &'a [u8],
    pub(super) question: Question,
    /// Where the question section ends.
    question_end: usize,
    edns: Option<Edns>,
}

/// Why a packet is not such a query.
pub(super) enum Problem<'a> {
    /// Fewer than 12 octets.
    NoHeader,
    /// A response.
    Response,
    /// An opcode other than QUERY, with the question if there is one that can be repeated.
    NotImplemented(Option<Box<Request<'a>>>),
    /// Anything that cannot be read, or not exactly one question.
    Malformed,
    /// An EDNS version that we do not know.
    BadVersion(Box<Request<'a>>),
}

/// What a reply repeats of its query, and how large it may be.
pub(super) struct Frame<'a> {
    /// ID and flags of the query.
    pub(super) header: [u8; 4],
    /// The question section.
    pub(super) question: &'a [u8],
    /// Its name, with the letter case of the query and its root octet.
    pub(super) name: &'a [u8],
    pub(super) edns: Option<Edns>,
    pub(super) limit: usize,
    /// Whether a reply that does not fit says so (TC).
    pub(super) says_truncated: bool,
    pub(super) rotation: u32,
}

/// A frame that outlives its packet.
#[derive(Debug)]
pub(super) struct OwnedFrame {
    header: [u8; 4],
    question: Box<[u8]>,
    edns: Option<Edns>,
    limit: usize,
    says_truncated: bool,
    rotation: u32,
    pub(super) kind: u16,
}

impl<'a> Request<'a> {
    /// Reads a query.
    pub(super) fn read(packet: &'a [u8]) -> Result<Self, Problem<'a>> {
        if packet.len() < HEADER {
            return Err(Problem::NoHeader);
        }
        if packet[2] & 0x80 != 0 {
            return Err(Problem::Response);
        }
        if packet[2] & 0x78 != 0 {
            return Err(Problem::NotImplemented(Self::asking(packet).ok().map(Box::new)));
        }
        let request = Self::asking(packet)?;
        if request.edns.is_some_and(|edns| edns.version > 0) {
            return Err(Problem::BadVersion(Box::new(request)));
        }
        Ok(request)
    }

    /// Reads what comes behind the header's flags.
    fn asking(packet: &'a [u8]) -> Result<Self, Problem<'a>> {
        let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        if word(4) != 1 {
            return Err(Problem::Malformed);
        }
        let name = Asked::read(&packet[HEADER..]).map_err(|_| Problem::Malformed)?;
        let after = HEADER + name.wire().len();
        let question_end = after + 4;
        if packet.len() < question_end {
            return Err(Problem::Malformed);
        }
        let question = Question { name, kind: word(after), class: word(after + 2) };
        let edns = match (word(6), word(8), word(10)) {
            (0, 0, 0) => None,
            (0, 0, 1) => match opt(&packet[question_end..]) {
                Some(edns) => Some(edns),
                None => decoded_whole(packet)?,
            },
            _ => decoded_whole(packet)?,
        };
        Ok(Self { packet, question, question_end, edns })
    }

    /// What a reply repeats.
    pub(super) fn frame(&self, transport: Transport, rotation: u32) -> Frame<'a> {
        let question = &self.packet[HEADER..self.question_end];
        Frame {
            header: [self.packet[0], self.packet[1], self.packet[2], self.packet[3]],
            question,
            name: &question[..question.len() - 4],
            edns: self.edns,
            limit: limit(transport, self.edns),
            says_truncated: transport == Transport::Udp,
            rotation,
        }
    }

    /// The same, kept for later.
    pub(super) fn own(&self, transport: Transport, rotation: u32) -> OwnedFrame {
        let frame = self.frame(transport, rotation);
        OwnedFrame {
            header: frame.header,
            question: frame.question.into(),
            edns: frame.edns,
            limit: frame.limit,
            says_truncated: frame.says_truncated,
            rotation,
            kind: self.question.kind,
        }
    }
}

impl OwnedFrame {
    pub(super) fn frame(&self) -> Frame<'_> {
        Frame {
            header: self.header,
            question: &self.question,
            name: &self.question[..self.question.len() - 4],
            edns: self.edns,
            limit: self.limit,
            says_truncated: self.says_truncated,
            rotation: self.rotation,
        }
    }
}

fn limit(transport: Transport, edns: Option<Edns>) -> usize {
    match (transport, edns) {
        (Transport::Grpc | Transport::Tcp, _) => MAX_MESSAGE,
        (Transport::Udp, None) => PLAIN_UDP,
        (Transport::Udp, Some(edns)) => usize::from(edns.size).clamp(PLAIN_UDP, MAX_UDP),
    }
}

/// Reads what follows the question as one OPT record that ends with the packet.
fn opt(octets: &[u8]) -> Option<Edns> {
    let (fixed, options) = octets.split_at_checked(11)?;
    let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
    if fixed[0] != 0 || word(1) != kind::OPT || usize::from(word(9)) != options.len() || !are_options(options)
    {
        return None;
    }
    Some(Edns { version: fixed[6], size: word(3), dnssec_ok: fixed[7] & 0x80 != 0 })
}

/// Whether octets are a row of EDNS options: code, length, data.
fn are_options(mut rest: &[u8]) -> bool {
    while let Some((head, tail)) = rest.split_at_checked(4) {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        match tail.split_at_checked(length) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The EDNS parameters of an unusual message: more records than an OPT, or an OPT in an unusual place.
fn decoded_whole<'a>(packet: &[u8]) -> Result<Option<Edns>, Problem<'a>> {
    let message = Message::from_vec(packet).map_err(|_| Problem::Malformed)?;
    Ok(message.edns.map(|edns| Edns {
        version: edns.version(),
        size: edns.max_payload(),
        dnssec_ok: edns.flags().dnssec_ok,
    }))
}
