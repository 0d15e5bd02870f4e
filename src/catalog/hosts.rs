//! Mesh hosts: exact ones, wildcards, and what lies below them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crossbeam_skiplist::SkipSet;

use super::table::Table;
use super::{Class, Clock, Seen, UnitTtl};
use crate::model::{Name, ObjectName, Port};

/// A ServiceEntry host with all entries that name it.
#[derive(Debug)]
pub struct HostUnit {
    /// What it is called; of a wildcard, what stands after the star.
    pub name: Name,
    /// Whether it is a wildcard.
    pub wildcard: bool,
    /// What it is answered with.
    pub state: HostState,
    /// Whether any entry that names it may be seen. A host that only others may see is not even denied in its own
    /// name.
    pub visible: bool,
    /// The entries that the answer is made of.
    pub entries: Box<[ObjectName]>,
    /// Entries that name the host too but give nothing, each with the reason.
    pub passed_over: Box<[PassedOver]>,
    /// How what the entries give compares with istiod's name table.
    pub parity: Parity,
    /// The Service, by its key in the catalog, that a row of the name table was made of: while it is known itself, the
    /// row does not count.
    pub(super) service: Option<Box<[u8]>>,
    /// What the TTLs of its records depend on.
    pub ttl: UnitTtl,
    /// Hash of the answer.
    pub(super) content: u64,
}

/// An entry that names a host and gives nothing to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// The entry.
    pub entry: ObjectName,
    /// Why, as the rest of a sentence about it.
    pub reason: &'static str,
    /// Whether it may not be seen, so that it does not compete.
    pub hidden: bool,
}

/// What a mesh host is answered with.
#[derive(Clone, Debug)]
pub enum HostState {
    /// Addresses.
    Addresses {
        /// Of IPv4.
        v4: Arc<[Ipv4Addr]>,
        /// Of IPv6.
        v6: Arc<[Ipv6Addr]>,
        /// Named ports, for SRV.
        ports: Box<[Port]>,
        /// Where the addresses are from.
        origin: AddressOrigin,
        /// Whether istiod's name table has them.
        from_table: bool,
    },
    /// Another name: its only endpoint is called so.
    Alias {
        /// That name, compared without regard to case.
        target: Name,
        /// As written, in wire form.
        text: Box<[u8]>,
    },
    /// Nothing yet: an automatic address can be assigned, or a workload become ready, any moment.
    Pending,
    /// Nothing: the name is left to others.
    Declined(&'static str),
}

/// Where the addresses of a mesh host are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressOrigin {
    /// The entry's author wrote them.
    Literal,
    /// They are those of endpoints.
    Endpoints,
    /// The mesh assigned them.
    Automatic,
}

impl AddressOrigin {
    /// The class whose TTL they have.
    pub const fn class(self) -> Class {
        match self {
            AddressOrigin::Literal => Class::ServiceEntry,
            AddressOrigin::Endpoints => Class::Headless,
            AddressOrigin::Automatic => Class::Vip,
        }
    }
}

/// How what the entries of a host give compares with istiod's name table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Parity {
    /// There is no table, or it has a Service of that name.
    #[default]
    Unknown,
    /// The table has the host, and no entry declares it.
    Undeclared,
    /// A rule of ours answers otherwise than proxies do.
    Ruled,
    /// Both are the same.
    Equal,
    /// They are not.
    Differs(Box<Difference>),
}

/// What the entries of a host give beside what istiod tells proxies of it. Addresses are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// By our calculation.
    pub ours: Vec<IpAddr>,
    /// In the name table; none if it lacks the host.
    pub theirs: Vec<IpAddr>,
}

impl Difference {
    /// Both sides as a sentence.
    pub fn in_words(&self) -> String {
        let told = |addresses: &[IpAddr]| match addresses {
            [] => "nothing".to_owned(),
            some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        format!("istiod's name table has {}, the entries give {}", told(&self.theirs), told(&self.ours))
    }
}

impl HostUnit {
    /// Says since when its records are what they are. `before`: what was published.
    pub(super) fn date(&mut self, before: Option<&Self>, clock: &Clock, seen: Seen) {
        let same = before.filter(|before| before.content == self.content);
        let same = same.map(|before| before.ttl.changed());
        self.ttl = self.ttl.since(clock.changed(seen, self.ttl.changed(), same));
    }

    /// Its automatic addresses, for reverse names; a wildcard has none, because no single name has them.
    pub(super) fn automatic_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let (v4, v6): (&[Ipv4Addr], &[Ipv6Addr]) = match &self.state {
            HostState::Addresses { v4, v6, origin: AddressOrigin::Automatic, .. } if !self.wildcard => {
                (v4, v6)
            }
            _ => (&[], &[]),
        };
        v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a)))
    }

    /// Its content hash if anything can be seen of it, else 0.
    pub(super) fn visible_content(&self) -> u64 {
        if self.answers() { self.content } else { 0 }
    }

    /// The Service that a row of the name table was made of, by its key in the catalog.
    pub(crate) fn service(&self) -> Option<&[u8]> {
        self.service.as_deref()
    }

    /// Whether more than one entry that may be seen declares it.
    pub fn is_contested(&self) -> bool {
        let seen = self.passed_over.iter().filter(|passed| !passed.hidden).count();
        self.entries.len() + seen > 1
    }

    /// Whether it is answered with anything.
    pub fn answers(&self) -> bool {
        matches!(self.state, HostState::Addresses { .. } | HostState::Alias { .. })
    }

    /// The SOA serial of the small zone that the host is when no configured zone holds it.
    pub fn serial(&self) -> u32 {
        super::serial::fold(self.content)
    }
}

/// All mesh hosts.
#[derive(Default)]
pub(crate) struct Hosts {
    exact: Table<Box<[u8]>, Arc<HostUnit>>,
    wildcard: Table<Box<[u8]>, Arc<HostUnit>>,
    /// Hosts that answer, by their labels from the right, so that all names below one stand together.
    order: SkipSet<Box<[u8]>>,
    /// How many wildcards there are whose names have so many labels, so that only these are looked up.
    depths: Depths,
}

/// A count for every number of labels that a name can have.
struct Depths([AtomicU32; 128]);

impl Default for Depths {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU32::new(0)))
    }
}

impl Hosts {
    /// Puts a unit in place of what stood there and returns that.
    pub(super) fn publish(
        &self,
        name: &Name,
        wildcard: bool,
        new: Option<HostUnit>,
    ) -> Option<Arc<HostUnit>> {
        let key: Box<[u8]> = name.wire().into();
        let map = if wildcard { &self.wildcard } else { &self.exact };
        let old = map.get(&key);
        let mut sorted = SortKey::of(name.wire());
        let sorted = sorted.as_slice(wildcard);
        let depth = wildcard.then(|| &self.depths.0[name.labels().count()]);
        let answers = new.as_ref().is_some_and(HostUnit::answers);
        if answers {
            // In place if it is there: it must not be missing for a moment.
            self.order.get_or_insert(sorted.into());
        }
        // Counted before it can be found and for as long as it can be.
        if let Some(depth) = depth
            && new.is_some()
            && old.is_none()
        {
            depth.fetch_add(1, Ordering::Release);
        }
        let gone = new.is_none() && old.is_some();
        match new {
            Some(unit) => {
                map.insert(key, Arc::new(unit));
            }
            None => {
                map.remove(&key);
            }
        }
        if let Some(depth) = depth
            && gone
        {
            depth.fetch_sub(1, Ordering::Release);
        }
        if !answers {
            self.order.remove(sorted);
        }
        old
    }

    /// How many exact hosts and how many wildcards there are.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.exact.len(), self.wildcard.len())
    }

    /// The unit of a host.
    pub(super) fn get(&self, name: &Name, wildcard: bool) -> Option<Arc<HostUnit>> {
        if wildcard { self.wildcard(name.wire()) } else { self.exact(name.wire()) }
    }

    /// The unit of the exact host `name` (lower-case wire form with its root octet).
    pub(crate) fn exact(&self, name: &[u8]) -> Option<Arc<HostUnit>> {
        self.exact.get(name)
    }

    /// The unit of the wildcard host `*.name`.
    pub(crate) fn wildcard(&self, name: &[u8]) -> Option<Arc<HostUnit>> {
        self.wildcard.get(name)
    }

    /// Whether there are wildcard hosts whose names have so many labels.
    pub(crate) fn any_wildcard_of(&self, labels: usize) -> bool {
        self.depths.0.get(labels).is_some_and(|count| count.load(Ordering::Acquire) > 0)
    }

    /// Whether a host that answers lies below `name`.
    pub(crate) fn any_below(&self, name: &[u8]) -> bool {
        if self.order.is_empty() {
            return false;
        }
        let mut key = SortKey::of(name);
        let key = key.as_slice(false);
        let next = self.order.lower_bound(Bound::Excluded(key));
        next.is_some_and(|entry| entry.value().starts_with(key))
    }

    /// All units, exact ones first.
    pub(crate) fn all(&self) -> Vec<Arc<HostUnit>> {
        let mut units = self.exact.values();
        units.extend(self.wildcard.values());
        units
    }
}

/// Labels from the right, each with its length: names below another begin with its key.
struct SortKey {
    octets: [u8; 257],
    length: usize,
}

impl SortKey {
    fn of(name: &[u8]) -> Self {
        let mut key = Self { octets: [0; 257], length: name.len().saturating_sub(1) };
        let mut end = key.length;
        for label in crate::model::labels(name) {
            let start = end - label.len();
            key.octets[start..end].copy_from_slice(label);
            key.octets[start - 1] = label.len() as u8;
            end = start - 1;
        }
        key
    }

    /// The key; that of a wildcard ends in a star.
    fn as_slice(&mut self, wildcard: bool) -> &[u8] {
        let star = if wildcard { 2 } else { 0 };
        self.octets[self.length..self.length + 2].copy_from_slice(b"\x01*");
        &self.octets[..self.length + star]
    }
}
