//! What an answer consists of, before it is put into a message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::catalog::{ServiceSet, TtlSource};
use crate::model::Name;

/// What becomes of a question. Listeners map it to RCODEs in one place.
#[derive(Debug)]
pub enum Outcome {
    /// Records.
    Data(Data),
    /// The name exists, without such records.
    NoData(Option<Soa>),
    /// The name does not exist, nor anything below it.
    NoSuchName(Option<Soa>),
    /// An alias leads to a name that is not ours: `data` holds the aliases so far, and `target` is to be looked up.
    Elsewhere {
        /// The aliases.
        data: Data,
        /// Where they lead.
        target: Name,
    },
    /// The name lies outside everything we serve, and is left to others.
    NotMine,
    /// The question is refused.
    Refused,
}

impl Outcome {
    /// The SOA of a negative answer.
    pub fn soa(&self) -> Option<&Soa> {
        match self {
            Outcome::NoData(soa) | Outcome::NoSuchName(soa) => soa.as_ref(),
            _ => None,
        }
    }

    /// Whether it rests on objects that there are or are not, so that it may be another one when they change.
    pub fn rests_on_objects(&self) -> bool {
        match self {
            Outcome::Data(data) => !matches!(data.records, Records::Soa(_) | Records::Text(_)),
            Outcome::NoData(_) | Outcome::NoSuchName(_) | Outcome::Elsewhere { .. } => true,
            Outcome::NotMine | Outcome::Refused => false,
        }
    }

    /// The outcome as a phrase.
    pub fn in_words(&self) -> &'static str {
        match self {
            Outcome::Data(_) => "records",
            Outcome::NoData(_) => "NODATA: the name exists, but has no record of this type",
            Outcome::NoSuchName(_) => "NXDOMAIN: nothing exists at or below the name",
            Outcome::Elsewhere { .. } => "an alias to a name that others answer",
            Outcome::NotMine => "NXDOMAIN: not ours (catchAll)",
            Outcome::Refused => "REFUSED",
        }
    }
}

/// Records of one type under one owner, behind the aliases that lead there.
#[derive(Debug)]
pub struct Data {
    /// Aliases in order: the first is owned by the name asked, each next by the target before it.
    pub aliases: Vec<Alias>,
    /// The records, owned by the name asked or by the last alias's target.
    pub records: Records,
    /// The TTL of all of this, in seconds.
    pub ttl: u32,
}

/// A CNAME record.
#[derive(Debug)]
pub struct Alias {
    /// Its target in wire form, as written.
    pub target: Box<[u8]>,
}

/// Records of one type.
#[derive(Debug)]
pub enum Records {
    /// None: an alias alone.
    None,
    /// A.
    V4(Addresses<Ipv4Addr>),
    /// AAAA.
    V6(Addresses<Ipv6Addr>),
    /// SRV, with the addresses of the targets as additional records.
    Services {
        /// The records.
        set: Arc<ServiceSet>,
        /// Where the base name that all targets lie below begins in the name asked.
        base: usize,
    },
    /// PTR.
    Pointers(Vec<MadeName>),
    /// NS, with addresses as additional records.
    NameServers(Vec<NameServer>),
    /// The SOA itself.
    Soa(Soa),
    /// One TXT record of one string.
    Text(&'static str),
}

impl Records {
    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        match self {
            Records::None => true,
            Records::V4(addresses) => addresses.is_empty(),
            Records::V6(addresses) => addresses.is_empty(),
            Records::Services { set, .. } => set.records.is_empty(),
            Records::Pointers(names) => names.is_empty(),
            Records::NameServers(servers) => servers.is_empty(),
            Records::Soa(_) | Records::Text(_) => false,
        }
    }
}

/// A list of addresses: that of a unit, shared, or one put together for this answer.
#[derive(Clone, Debug)]
pub enum Addresses<T> {
    /// Shared with the unit.
    Shared(Arc<[T]>),
    /// Put together.
    Own(Vec<T>),
}

impl<T> std::ops::Deref for Addresses<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Addresses::Shared(addresses) => addresses,
            Addresses::Own(addresses) => addresses,
        }
    }
}

/// A name that we make up: labels as stored, in front of a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeName {
    /// The labels, in wire form without a root octet.
    pub labels: Vec<u8>,
    /// What they stand in front of.
    pub base: Base,
}

/// What a made-up name ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The name asked, from this offset on, with its letter case.
    Asked(usize),
    /// A name of ours.
    Name(Name),
}

/// One NS record and the addresses of its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// The target.
    pub name: MadeName,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// The SOA of the zone that the name asked lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Soa {
    /// Where the zone's apex begins in the name asked.
    pub apex: usize,
    /// Serial.
    pub serial: u32,
    /// TTL of the record, in seconds.
    pub ttl: u32,
    /// Its minimum field: how long negative answers may be kept (RFC 2308 §4).
    pub minimum: u32,
    /// What gave both.
    pub source: TtlSource,
}
