//! Outcome to bytes.
//!
//! Record data is kept in wire form by the units, so a reply is put together by copying: header and question from
//! the query, a fixed head per record, an address or a target. Owner names point to the question or to the target
//! of the record before. SRV targets are written out (RFC 2782), everything made up ends in the zone as it was
//! asked.
//!
//! A reply that is too large loses its additional records first, then as many answers as must go; lists begin at
//! the rotation, so what is left is a different part every time. TC is set only where the client can ask again over
//! TCP. That an answer is stale is said in the room that is left, and costs no record.

use std::net::IpAddr;

use super::request::{Frame, HEADER, MAX_UDP};
use super::{Verdict, rcode, stale};
use crate::answer::{Base, Data, MadeName, NameServer, Records, Soa, kind};
use crate::catalog::{ServiceSet, Staleness};
use crate::model::labels;

/// An OPT record without options (RFC 6891 §6.1.2).
const OPT_LENGTH: usize = 11;
/// Offsets that a compression pointer can hold.
const POINTER_LIMIT: usize = 0x4000;
/// SOA timers (seconds): refresh, retry, expire. Nobody transfers these zones; the values are CoreDNS's.
const SOA_TIMERS: [u32; 3] = [7200, 1800, 86_400];

/// Writes one reply.
pub(super) struct Encoder<'a> {
    frame: &'a Frame<'a>,
    out: &'a mut Vec<u8>,
    answers: u16,
    authorities: u16,
    additionals: u16,
    rcode: u8,
    authoritative: bool,
    truncated: bool,
    stale: Option<Staleness>,
}

/// Where a name stands in the message, for an owner that points to it.
#[derive(Clone, Copy)]
struct Place(usize);

impl<'a> Encoder<'a> {
    /// Starts a reply: header, filled in at the end, and question.
    pub(super) fn begin(frame: &'a Frame<'a>, out: &'a mut Vec<u8>) -> Self {
        out.clear();
        out.extend_from_slice(&[0; HEADER]);
        out.extend_from_slice(frame.question);
        Self {
            frame,
            out,
            answers: 0,
            authorities: 0,
            additionals: 0,
            rcode: rcode::NOERROR,
            authoritative: true,
            truncated: false,
            stale: None,
        }
    }

    /// Says of the answer that it may be wrong by now.
    pub(super) fn mark(&mut self, stale: Option<Staleness>) {
        self.stale = stale;
    }

    /// No records at all and nothing that we are an authority for.
    pub(super) fn bare(&mut self, code: u8) {
        self.rcode = code;
        self.authoritative = false;
    }

    /// A negative answer.
    pub(super) fn negative(&mut self, code: u8, soa: Option<&Soa>) {
        self.rcode = code;
        if let Some(soa) = soa {
            self.soa(soa);
            self.authorities = 1;
        }
    }

    /// Aliases and records.
    pub(super) fn data(&mut self, data: &Data) {
        let mut owner = Place(HEADER);
        for alias in &data.aliases {
            match self.alias(owner, &alias.target, data.ttl) {
                Some(target) => owner = target,
                None => return,
            }
        }
        match &data.records {
            Records::None => {}
            Records::V4(addresses) => {
                self.addresses(owner, kind::A, data.ttl, addresses.len(), |at| addresses[at].octets());
            }
            Records::V6(addresses) => {
                self.addresses(owner, kind::AAAA, data.ttl, addresses.len(), |at| addresses[at].octets());
            }
            Records::Services { set, base } => self.services(set, *base, data.ttl),
            Records::Pointers(names) => self.pointers(names, data.ttl),
            Records::NameServers(servers) => self.name_servers(servers, data.ttl),
            Records::Soa(soa) => {
                self.soa(soa);
                self.answers = 1;
            }
            Records::Text(text) => {
                let start = self.head(owner, kind::TXT, data.ttl);
                self.out.push(text.len() as u8);
                self.out.extend_from_slice(text.as_bytes());
                self.end(start);
                self.answers = 1;
            }
        }
    }

    /// A CNAME record; its target becomes the owner of what follows. `None` when it does not fit any more.
    fn alias(&mut self, owner: Place, target: &[u8], ttl: u32) -> Option<Place> {
        let mark = self.out.len();
        let start = self.head(owner, kind::CNAME, ttl);
        self.out.extend_from_slice(target);
        self.end(start);
        if !self.fits(mark) {
            self.truncated = true;
            return None;
        }
        self.answers += 1;
        Some(Place(start))
    }

    /// Records that were decoded from an upstream's message and encoded again without compression.
    pub(super) fn upstream(&mut self, records: &[Vec<u8>], truncated: bool) {
        self.truncated |= truncated;
        for record in records {
            let mark = self.out.len();
            self.out.extend_from_slice(record);
            if !self.fits(mark) {
                self.truncated = true;
                return;
            }
            self.answers += 1;
        }
    }

    /// Address records, beginning at the rotation, as many as fit.
    fn addresses<const N: usize>(
        &mut self,
        owner: Place,
        kind: u16,
        ttl: u32,
        count: usize,
        octets: impl Fn(usize) -> [u8; N],
    ) {
        let Place(at) = owner;
        let mut head = [0u8; 12];
        head[..2].copy_from_slice(&(0xc000 | at as u16).to_be_bytes());
        head[2..4].copy_from_slice(&kind.to_be_bytes());
        head[5] = 1;
        head[6..10].copy_from_slice(&ttl.to_be_bytes());
        head[11] = N as u8;
        let room = self.limit().saturating_sub(self.out.len()) / (12 + N);
        let fitting = count.min(room);
        self.out.reserve(fitting * (12 + N) + OPT_LENGTH);
        let first = self.frame.rotation as usize % count.max(1);
        for at in (first..count).chain(0..first).take(fitting) {
            self.out.extend_from_slice(&head);
            self.out.extend_from_slice(&octets(at));
        }
        self.answers += fitting as u16;
        self.truncated |= fitting < count;
    }

    fn services(&mut self, set: &ServiceSet, base: usize, ttl: u32) {
        let base_name = &self.frame.name[base..];
        let mut written = vec![0usize; set.targets.len()];
        let count = set.records.len();
        let first = self.frame.rotation as usize % count.max(1);
        for at in (first..count).chain(0..first) {
            let record = set.records[at];
            let target = &set.targets[record.target as usize];
            let mark = self.out.len();
            let start = self.head(Place(HEADER), kind::SRV, ttl);
            self.out.extend_from_slice(&[0, 0]);
            self.out.extend_from_slice(&set.weight.to_be_bytes());
            self.out.extend_from_slice(&record.port.to_be_bytes());
            let name = self.out.len();
            if target.labels.len() + base_name.len() > 255 {
                // A name that cannot be written: the record is left out and nothing else is lost.
                self.out.truncate(mark);
                continue;
            }
            self.out.extend_from_slice(&target.labels);
            self.out.extend_from_slice(base_name);
            self.end(start);
            if !self.fits(mark) {
                self.truncated = true;
                return;
            }
            written[record.target as usize] = name;
            self.answers += 1;
        }
        for (target, name) in set.targets.iter().zip(written) {
            if name != 0 && !self.additional(&target.addresses, name, ttl) {
                return;
            }
        }
    }

    fn pointers(&mut self, names: &[MadeName], ttl: u32) {
        for name in names {
            let mark = self.out.len();
            let start = self.head(Place(HEADER), kind::PTR, ttl);
            if self.made(name).is_none() {
                self.out.truncate(mark);
                continue;
            }
            self.end(start);
            if !self.fits(mark) {
                self.truncated = true;
                return;
            }
            self.answers += 1;
        }
    }

    fn name_servers(&mut self, servers: &[NameServer], ttl: u32) {
        let mut written = Vec::with_capacity(servers.len());
        for server in servers {
            let mark = self.out.len();
            let start = self.head(Place(HEADER), kind::NS, ttl);
            let Some(name) = self.made(&server.name) else {
                self.out.truncate(mark);
                continue;
            };
            self.end(start);
            if !self.fits(mark) {
                self.truncated = true;
                return;
            }
            self.answers += 1;
            written.push((server, name));
        }
        for (server, name) in written {
            if !self.additional(&server.addresses, name, ttl) {
                return;
            }
        }
    }

    /// Writes a made-up name out and returns where; `None` when it is longer than a name can be.
    fn made(&mut self, name: &MadeName) -> Option<usize> {
        let at = self.out.len();
        let base = match &name.base {
            Base::Asked(offset) => &self.frame.name[*offset..],
            Base::Name(name) => name.wire(),
        };
        if name.labels.len() + base.len() > 255 {
            return None;
        }
        self.out.extend_from_slice(&name.labels);
        self.out.extend_from_slice(base);
        Some(at)
    }

    /// All addresses of one target as additional records, or none of them: half a set would pass for a whole one
    /// (RFC 2181 §9). The target stands written out at `name`. Says whether there was room.
    fn additional(&mut self, addresses: &[IpAddr], name: usize, ttl: u32) -> bool {
        let mark = self.out.len();
        for address in addresses {
            if name < POINTER_LIMIT {
                self.out.extend_from_slice(&(0xc000 | name as u16).to_be_bytes());
            } else {
                let length = wire_length(&self.out[name..]);
                self.out.extend_from_within(name..name + length);
            }
            let kind = if address.is_ipv4() { kind::A } else { kind::AAAA };
            self.fixed(kind, ttl);
            match address {
                IpAddr::V4(address) => {
                    self.out.extend_from_slice(&[0, 4]);
                    self.out.extend_from_slice(&address.octets());
                }
                IpAddr::V6(address) => {
                    self.out.extend_from_slice(&[0, 16]);
                    self.out.extend_from_slice(&address.octets());
                }
            }
        }
        if !self.fits(mark) {
            return false;
        }
        self.additionals += addresses.len() as u16;
        true
    }

    fn soa(&mut self, soa: &Soa) {
        self.pointer_to_asked(soa.apex);
        self.fixed(kind::SOA, soa.ttl);
        let start = self.out.len() + 2;
        self.out.extend_from_slice(&[0, 0]);
        self.out.extend_from_slice(b"\x02ns\x03dns");
        self.pointer_to_asked(soa.apex);
        self.out.extend_from_slice(b"\x0ahostmaster");
        self.pointer_to_asked(soa.apex);
        self.out.extend_from_slice(&soa.serial.to_be_bytes());
        for timer in SOA_TIMERS {
            self.out.extend_from_slice(&timer.to_be_bytes());
        }
        self.out.extend_from_slice(&soa.minimum.to_be_bytes());
        self.end(start);
    }

    fn pointer_to_asked(&mut self, offset: usize) {
        let pointer = 0xc000 | (HEADER + offset) as u16;
        self.out.extend_from_slice(&pointer.to_be_bytes());
    }

    /// Owner, type, class, TTL and room for the length; returns where the data begins.
    fn head(&mut self, owner: Place, kind: u16, ttl: u32) -> usize {
        let Place(at) = owner;
        self.out.extend_from_slice(&(0xc000 | at as u16).to_be_bytes());
        self.fixed(kind, ttl);
        self.out.extend_from_slice(&[0, 0]);
        self.out.len()
    }

    fn fixed(&mut self, kind: u16, ttl: u32) {
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&[0, 1]);
        self.out.extend_from_slice(&ttl.to_be_bytes());
    }

    /// Fills in the length of data that began at `start`.
    fn end(&mut self, start: usize) {
        let length = (self.out.len() - start) as u16;
        self.out[start - 2..start].copy_from_slice(&length.to_be_bytes());
    }

    /// How large everything but the OPT record may be.
    fn limit(&self) -> usize {
        self.frame.limit - if self.frame.edns.is_some() { OPT_LENGTH } else { 0 }
    }

    /// Takes back what was written since `mark` if it is too much.
    fn fits(&mut self, mark: usize) -> bool {
        let fits = self.out.len() <= self.limit();
        if !fits {
            self.out.truncate(mark);
        }
        fits
    }

    /// Writes the OPT record, if the query had one, and the header.
    pub(super) fn finish(self) {
        let Self { frame, out, rcode, .. } = self;
        let (answers, authorities, mut additionals) = (self.answers, self.authorities, self.additionals);
        if let Some(edns) = frame.edns {
            out.extend_from_slice(&[0]);
            out.extend_from_slice(&kind::OPT.to_be_bytes());
            out.extend_from_slice(&(MAX_UDP as u16).to_be_bytes());
            out.extend_from_slice(&[rcode >> 4, 0, if edns.dnssec_ok { 0x80 } else { 0 }, 0]);
            let room = frame.limit.saturating_sub(out.len() + 2);
            let error =
                self.stale.map(|staleness| stale::option(&staleness, rcode, room)).unwrap_or_default();
            out.extend_from_slice(&(error.len() as u16).to_be_bytes());
            out.extend_from_slice(&error);
            additionals += 1;
        }
        let [id_high, id_low, first, second] = frame.header;
        let truncated = self.truncated && frame.says_truncated;
        out[0] = id_high;
        out[1] = id_low;
        out[2] = 0x80
            | (first & 0x79)
            | if self.authoritative { 0x04 } else { 0 }
            | if truncated { 0x02 } else { 0 };
        out[3] = (second & 0x10) | (rcode & 0x0f);
        for (at, count) in [(4, 1), (6, answers), (8, authorities), (10, additionals)] {
            out[at..at + 2].copy_from_slice(&u16::to_be_bytes(count));
        }
    }
}

/// Octets of the name that `octets` begin with, its root octet included.
fn wire_length(octets: &[u8]) -> usize {
    labels(octets).map(|label| label.len() + 1).sum::<usize>() + 1
}

/// A reply of a header alone, for queries whose question cannot be repeated. The packet has a header.
pub(super) fn header_only(packet: &[u8], rcode: u8, reply: &mut Vec<u8>) -> Verdict {
    reply.clear();
    reply.extend_from_slice(&[packet[0], packet[1], 0x80 | (packet[2] & 0x79), (packet[3] & 0x10) | rcode]);
    reply.extend_from_slice(&[0; 8]);
    Verdict::Reply
}
