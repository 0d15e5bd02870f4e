//! ServiceEntry hosts: which entries give the answer, and what it is.
//!
//! Each entry of the namespace that decides gives the first of: its literal addresses; the automatic address, or the
//! addresses of its endpoints, as its answer mode says; nothing. What they give is merged in their order
//! (Istio `pkg/dns/server/name_table.go`). A row of istiod's name table replaces the automatic and literal addresses.

mod automatic;
mod endpoints;
mod visibility;

use std::net::IpAddr;

use super::super::content::Content;
use super::super::endpoints::hash_port;
use super::super::{
    AddressOrigin, AutomaticAddresses, CompilePolicy, Difference, HostState, HostUnit, InForce, Parity,
    PassedOver, UnitTtl,
};
use crate::allocate::{Allocation, Allocator};
use crate::inventory::Inventory;
use crate::model::{AnswerMode, Name, ObjectName, Port, Registry, Resolution, ServiceEntry, Stamp, TableRow};
use endpoints::Endpoints;
use visibility::Choice;

/// Why an entry gives nothing, or not yet.
type Reason = &'static str;

const NO_ADDRESS: Reason = "it has no address of its own and takes no automatic one";
const NONE_YET: Reason = "it has no automatic address yet";
const OTHER_FAMILY: Reason = "its automatic address is of a family that serviceEntries.families leaves out";
const OFF: Reason = "it has no address of its own and serviceEntries.addresses is off";
const RANGES: Reason = "its addresses are ranges, which no query can be answered with";
const NO_WORKLOAD: Reason = "it selects no workload that is ready";
const NO_POD: Reason = "it selects no pod that is ready";
const NO_ENDPOINT: Reason = "it has no endpoint that DNS could answer with";
const NOT_WANTED: Reason = "its annotation meshdns.io/answer is decline";
const DECLINED: Reason = "it has no address of its own and serviceEntries.answer is decline";

pub(super) fn compile_host(
    inventory: &Inventory,
    allocator: &dyn Allocator,
    name: &Name,
    wildcard: bool,
    policy: &CompilePolicy,
    ttls: &InForce,
) -> Option<HostUnit> {
    let entries = inventory.entries_of(name, wildcard);
    let row = inventory.row_of(name, wildcard);
    if entries.is_empty() && row.is_none() {
        return None;
    }
    let declared = !entries.is_empty();
    let Choice { chosen, mut passed_over } = visibility::choose(entries, policy);
    let visible = !chosen.is_empty() || row.is_some();
    let host = HostOf { inventory, allocator, name, wildcard, policy };
    let mut answer = Answer::default();
    let mut used = Vec::new();
    let mut ttl: Option<UnitTtl> = None;
    for entry in chosen {
        answer.add_ports(entry);
        match host.give(entry) {
            Ok(given) => {
                answer.merge(given);
                used.push(entry.name.clone());
                let own = ttls.of_object(&entry.name.namespace, &entry.labels, entry.ttl);
                let own = own.since(written(entry, policy));
                ttl = Some(ttl.map_or(own, |others| others.and(own)));
            }
            Err(refusal) => {
                answer.pending |= refusal.pending;
                answer.by_rule |= refusal.by_rule;
                let entry = entry.name.clone();
                passed_over.push(PassedOver { entry, reason: refusal.reason, hidden: false });
            }
        }
    }
    let parity = if inventory.knows_table() { answer.parity(row, declared) } else { Parity::Unknown };
    if let Some(row) = row.filter(|row| takes_row(row, declared, &answer)) {
        answer.replace_by(row);
    }
    let ttl = ttl.unwrap_or_else(|| ttls.of_nothing());
    Some(answer.finish(name, wildcard, Told { used, passed_over, visible, parity, row, ttl }))
}

/// When what an entry gives was written, if the entry alone gives it.
fn written(entry: &ServiceEntry, policy: &CompilePolicy) -> Option<Stamp> {
    let alone = entry.selector.is_none() && policy.automatic != AutomaticAddresses::Hash;
    entry.written.filter(|_| alone)
}

/// Whether a row is answered: not where a rule of ours withholds the address or gives another. Services of Kubernetes are
/// answered by their own rules, so an entry that decorates one does not take its row.
fn takes_row(row: &TableRow, declared: bool, answer: &Answer) -> bool {
    let decorates = declared && matches!(row.registry, Registry::Kubernetes { .. });
    !(answer.by_rule || decorates)
}

/// What an entry gives to a host.
struct Given {
    addresses: Vec<IpAddr>,
    alias: Option<(Name, Box<str>)>,
    origin: AddressOrigin,
    /// By a rule of ours, whatever the mesh's proxies answer.
    by_rule: bool,
}

/// Why it gives nothing.
struct Refusal {
    reason: Reason,
    /// That can change any moment.
    pending: bool,
    /// By a rule of ours, whatever the mesh's proxies answer.
    by_rule: bool,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, pending: false, by_rule: false }
    }
}

fn pending(reason: Reason) -> Refusal {
    Refusal { pending: true, ..Refusal::from(reason) }
}

fn withheld(reason: Reason) -> Refusal {
    Refusal { by_rule: true, ..Refusal::from(reason) }
}

/// The host that is compiled.
struct HostOf<'a> {
    inventory: &'a Inventory,
    allocator: &'a dyn Allocator,
    name: &'a Name,
    wildcard: bool,
    policy: &'a CompilePolicy,
}

impl HostOf<'_> {
    fn give(&self, entry: &ServiceEntry) -> Result<Given, Refusal> {
        if entry.answer == Some(AnswerMode::Decline) {
            return Err(withheld(NOT_WANTED));
        }
        if !entry.addresses.is_empty() {
            let addresses = entry.addresses.clone();
            return Ok(Given { addresses, alias: None, origin: AddressOrigin::Literal, by_rule: false });
        }
        match entry.answer.unwrap_or(self.policy.answer) {
            AnswerMode::Vip => self.automatic(entry),
            AnswerMode::Endpoints => match self.endpoints(entry) {
                Ok(given) => Ok(Given { by_rule: true, ..given }),
                Err(refusal) => Err(Refusal { by_rule: true, ..refusal }),
            },
            AnswerMode::Decline => Err(withheld(DECLINED)),
        }
    }

    fn automatic(&self, entry: &ServiceEntry) -> Result<Given, Refusal> {
        let Self { inventory, allocator, name, wildcard, policy } = *self;
        if entry.declares_addresses {
            return Err(RANGES.into());
        }
        if entry.resolution == Resolution::None {
            return self.selected(entry);
        }
        if policy.automatic == AutomaticAddresses::Off {
            return Err(OFF.into());
        }
        if !automatic::takes_one(entry, wildcard, policy.automatic) {
            return Err(NO_ADDRESS.into());
        }
        if let Some(reason) = automatic::withheld(inventory, entry, name, wildcard, policy) {
            return Err(withheld(reason));
        }
        match automatic::allocation(allocator, entry, name, wildcard, policy) {
            Allocation::Given(assigned) => {
                let addresses = automatic::of_families(inventory, assigned, policy);
                if addresses.is_empty() {
                    return Err(pending(OTHER_FAMILY));
                }
                Ok(Given { addresses, alias: None, origin: AddressOrigin::Automatic, by_rule: false })
            }
            Allocation::Waiting => Err(pending(NONE_YET)),
            Allocation::Refused(reason) => Err(reason.into()),
        }
    }

    /// To the mesh an entry without resolution and address is a headless service, with the ready pods that any entry of its
    /// namespace selects for the host at its first port (Istio `pkg/dns/server/name_table.go`; endpoints are kept by
    /// namespace, host and port). Workloads that are no pods count as unhealthy there.
    fn selected(&self, entry: &ServiceEntry) -> Result<Given, Refusal> {
        let entries = self.inventory.entries_of(self.name, self.wildcard);
        let same = |other: &&&ServiceEntry| {
            let first = entry.ports.first().map(|port| port.number);
            other.name.namespace == entry.name.namespace
                && other.ports.iter().any(|port| Some(port.number) == first)
        };
        let mut selecting = entries.iter().filter(|other| other.selector.is_some()).peekable();
        if selecting.peek().is_none() {
            return Err(NO_ADDRESS.into());
        } else if entry.ports.is_empty() {
            return Err("it selects workloads, but has no ports".into());
        }
        let mut addresses = Vec::new();
        for other in selecting.filter(same) {
            addresses.extend(Endpoints::pods(self.inventory, other).addresses);
        }
        if addresses.is_empty() {
            return Err(pending(NO_POD));
        }
        Ok(Given { addresses, alias: None, origin: AddressOrigin::Endpoints, by_rule: false })
    }

    fn endpoints(&self, entry: &ServiceEntry) -> Result<Given, Refusal> {
        let Endpoints { addresses, alias } = Endpoints::of(self.inventory, entry);
        // A name that is an alias of itself leads nowhere, and one cannot stand beside addresses (RFC 1034 §3.6.2).
        let alias = alias.filter(|(target, _)| addresses.is_empty() && target != self.name);
        if addresses.is_empty() && alias.is_none() {
            return Err(if entry.selector.is_some() { pending(NO_WORKLOAD) } else { NO_ENDPOINT.into() });
        }
        Ok(Given { addresses, alias, origin: AddressOrigin::Endpoints, by_rule: false })
    }
}

/// What all entries together give.
#[derive(Default)]
struct Answer {
    addresses: Vec<IpAddr>,
    /// Those of them that the mesh assigned.
    automatic: Vec<IpAddr>,
    alias: Option<(Name, Box<str>)>,
    ports: Vec<Port>,
    origin: Option<AddressOrigin>,
    pending: bool,
    by_rule: bool,
    from_table: bool,
}

/// What is said of the answer.
struct Told<'a> {
    used: Vec<ObjectName>,
    passed_over: Vec<PassedOver>,
    visible: bool,
    parity: Parity,
    row: Option<&'a TableRow>,
    ttl: UnitTtl,
}

impl Answer {
    fn add_ports(&mut self, entry: &ServiceEntry) {
        for port in &entry.ports {
            if !port.name.is_empty() && !self.ports.contains(port) {
                self.ports.push(port.clone());
            }
        }
    }

    fn merge(&mut self, given: Given) {
        self.by_rule |= given.by_rule;
        if given.origin == AddressOrigin::Automatic {
            self.automatic.extend(&given.addresses);
        }
        for address in given.addresses {
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
        self.alias = self.alias.take().or(given.alias).filter(|_| self.addresses.is_empty());
        // Where they differ, the TTL is that of what its author wrote.
        self.origin = self.origin.map_or(Some(given.origin), |origin| Some(origin.min(given.origin)));
    }

    /// How this compares with what istiod says.
    fn parity(&self, row: Option<&TableRow>, declared: bool) -> Parity {
        if row.is_some_and(|row| matches!(row.registry, Registry::Kubernetes { .. })) {
            return Parity::Unknown;
        } else if !declared {
            return Parity::Undeclared;
        } else if self.by_rule {
            return Parity::Ruled;
        }
        let sorted = |addresses: &[IpAddr]| {
            let mut sorted = addresses.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            sorted
        };
        let theirs = sorted(row.map_or(&[], |row| &row.addresses));
        // A proxy is told automatic addresses of its own family only.
        let told = |address: &IpAddr| {
            theirs.is_empty()
                || !self.automatic.contains(address)
                || theirs.iter().any(|other| other.is_ipv4() == address.is_ipv4())
        };
        let ours: Vec<IpAddr> = self.addresses.iter().copied().filter(told).collect();
        let ours = sorted(&ours);
        if ours == theirs { Parity::Equal } else { Parity::Differs(Box::new(Difference { ours, theirs })) }
    }

    fn replace_by(&mut self, row: &TableRow) {
        let own = std::mem::take(&mut self.addresses);
        for address in &row.addresses {
            if !self.addresses.contains(address) {
                self.addresses.push(*address);
            }
        }
        let known = self.addresses.iter().any(|address| own.contains(address));
        self.origin = match (&row.registry, self.origin) {
            (_, Some(origin)) if known => Some(origin),
            (Registry::External, _) => Some(AddressOrigin::Automatic),
            (Registry::Kubernetes { .. }, _) => Some(AddressOrigin::Literal),
        };
        self.from_table = true;
    }

    fn finish(self, name: &Name, wildcard: bool, told: Told<'_>) -> HostUnit {
        let Told { used, passed_over, visible, parity, row, ttl } = told;
        let mut content = Content::of("host").bytes(name.wire()).number(u64::from(wildcard));
        content = self.addresses.iter().fold(content, |content, address| content.address(*address));
        content = self.ports.iter().fold(content, hash_port);
        let service = if self.from_table { row.and_then(service_of) } else { None };
        let state = if let Some(origin) = self.origin.filter(|_| !self.addresses.is_empty()) {
            let v4 = |a: &IpAddr| if let IpAddr::V4(a) = a { Some(*a) } else { None };
            let v6 = |a: &IpAddr| if let IpAddr::V6(a) = a { Some(*a) } else { None };
            HostState::Addresses {
                v4: self.addresses.iter().filter_map(v4).collect(),
                v6: self.addresses.iter().filter_map(v6).collect(),
                ports: self.ports.into(),
                origin,
                from_table: self.from_table,
            }
        } else if let Some((target, text)) = self.alias {
            let text = super::wire_text(&text);
            content = content.bytes(&text);
            HostState::Alias { target, text }
        } else if self.pending {
            HostState::Pending
        } else {
            HostState::Declined(passed_over.last().map_or(NO_ADDRESS, |passed| passed.reason))
        };
        HostUnit {
            name: name.clone(),
            wildcard,
            state,
            visible,
            entries: used.into(),
            passed_over: passed_over.into(),
            parity,
            service,
            ttl,
            content: content.finish(),
        }
    }
}

/// The key in the catalog of the Service that a row was made of: of a pod's row, that of its last label.
fn service_of(row: &TableRow) -> Option<Box<[u8]>> {
    let Registry::Kubernetes { short_name, namespace } = &row.registry else { return None };
    let service = short_name.rsplit('.').next().filter(|name| !name.is_empty())?;
    Some(super::super::service_key(&ObjectName::new(namespace.clone(), service)))
}
