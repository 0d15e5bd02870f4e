//! Mesh hosts: ServiceEntry hosts, exact and wildcard.
//!
//! Rules: an exact host wins over any wildcard, and the most specific wildcard over the others; a star covers any
//! number of labels but never none (Istio `pkg/dns/client/dns.go`). Unlike RFC 4592 §3.3.1 a wildcard also covers
//! names below an existing one. The owner of an answer is always the name asked. SRV records of a host's named
//! ports are at `_port._tcp.host` and `_port._udp.host`, underscores required (RFC 2782).
//!
//! A host outside all configured zones is a small zone of its own: its apex is the host, or what stands after the
//! star, so its negative answers have an SOA too.

use std::net::IpAddr;
use std::sync::Arc;

use super::alias::{self, Place};
use super::zone::Authority;
use super::{
    Addresses, Asked, Found, Notes, Origin, Outcome, Records, Scope, Step, Topic, Weight, kind, kubernetes,
    negative, not_yet, pending_soa, zone,
};
use crate::catalog::{
    AddressOrigin, Catalog, Class, HostState, HostUnit, Parity, PassedOver, ServiceSet, UnitTtl,
};
use crate::model::{Kind, Port};

/// Looks a name up among mesh hosts.
pub(super) fn find(catalog: &Catalog, name: &Asked, kind: u16, notes: &mut impl Notes) -> Found {
    let found = exact(catalog, name.wire());
    if let Some(unit) = &found {
        say(unit, notes);
        if unit.answers() {
            return contents(unit, kind);
        }
    }
    if let Some(found) = service_of_exact(catalog, name, kind, notes) {
        return found;
    }
    let covering = wildcard(catalog, name);
    if found.is_none() && covering.is_none() {
        notes.say(|| Step::of(Topic::Object, "no ServiceEntry declares the name").weighing(Weight::Fallback));
    }
    if let Some((unit, above)) = covering {
        say(&unit, notes);
        if unit.answers() {
            return service_of_wildcard(catalog, &unit, name, above, kind)
                .unwrap_or_else(|| contents(&unit, kind));
        }
    }
    let waits = found.as_deref().is_some_and(is_pending);
    if catalog.hosts.any_below(name.wire()) {
        notes.say(|| Step::of(Topic::Name, "mesh hosts stand below the name").weighing(Weight::Cause));
        return if waits { Found::Waiting } else { Found::Nothing };
    }
    let is_waited_for = waits
        || wildcards(catalog, name).any(|(unit, _)| is_pending(&unit))
        || host_of_port(name).is_some_and(|host| {
            exact(catalog, host).is_some_and(|unit| is_pending(&unit))
                && !kubernetes::is_service(catalog, host)
        });
    if is_waited_for { Found::Pending } else { Found::Missing }
}

fn is_pending(unit: &HostUnit) -> bool {
    matches!(unit.state, HostState::Pending)
}

/// The host of a name made like `_port._tcp.host` or `_tcp.host` (wire form).
fn host_of_port(name: &Asked) -> Option<&[u8]> {
    let is_protocol = || name.count() > 1 && matches!(name.label(0), b"_tcp" | b"_udp");
    match service_labels(name) {
        Some(_) => Some(name.from(2)),
        None => is_protocol().then(|| name.from(1)),
    }
}

/// The unit of an exact host (wire form). A row that was made of a Service does not count while that is known itself.
fn exact(catalog: &Catalog, name: &[u8]) -> Option<Arc<HostUnit>> {
    catalog.hosts.exact(name).filter(|unit| unit.service().is_none_or(|key| catalog.service(key).is_none()))
}

/// The answer for a name outside all configured zones.
pub(super) fn outside_zones(
    catalog: &Catalog,
    name: &Asked,
    kind: u16,
    notes: &mut impl Notes,
    depth: usize,
) -> Outcome {
    let Some((apex, serial)) = small_zone(catalog, name) else {
        notes.say(|| {
            let covering = wildcard(catalog, name).map(|(unit, _)| unit);
            match exact(catalog, name.wire()).or(covering) {
                Some(unit) => passed_over(&unit),
                None => Step::of(Topic::Object, "no ServiceEntry declares it or a name above it")
                    .weighing(Weight::Fallback),
            }
        });
        return not_ours(catalog, notes);
    };
    notes.say(|| {
        let apex = crate::model::dotted(name.from(apex));
        Step::of(Topic::Zone, format!("the mesh host {apex} is a zone of its own"))
    });
    let authority = Authority::of_host(catalog, name.start(apex), serial, name);
    notes.lies_in(Scope::Mesh);
    let found = find(catalog, name, kind, notes);
    if !matches!(found, Found::Missing) {
        notes.known_to(Origin::Istio);
    }
    match found {
        Found::Records(records, class, unit) => super::data(catalog, name, records, class, unit, notes),
        Found::Alias { target, text, ttl } => {
            let place = Place { zone: None, authority };
            alias::follow(catalog, alias::Leads { target, text, ttl }, place, name, kind, notes, depth)
        }
        found if catalog.policy.catch_all && !declares(catalog, name) => {
            drop(found);
            not_ours(catalog, notes)
        }
        _ if kind == kind::SOA && apex == 0 => {
            super::data(catalog, name, zone::asked_for(authority), Class::Zone, UnitTtl::default(), notes)
        }
        _ if kind == kind::SOA => negative(catalog, Outcome::NoData, Some(authority.soa()), notes),
        Found::Pending => {
            negative(catalog, Outcome::NoSuchName, pending_soa(catalog, authority, notes), notes)
        }
        Found::Waiting => not_yet(catalog, authority, notes),
        Found::Nothing => negative(catalog, Outcome::NoData, Some(authority.soa()), notes),
        Found::Missing
            if apex == 0 && catalog.hosts.wildcard(name.wire()).is_some_and(|unit| unit.answers()) =>
        {
            negative(catalog, Outcome::NoData, Some(authority.soa()), notes)
        }
        Found::Missing => negative(catalog, Outcome::NoSuchName, Some(authority.soa()), notes),
    }
}

/// A host that nobody may see.
fn passed_over(unit: &HostUnit) -> Step {
    let names: Vec<_> = unit.passed_over.iter().map(|passed| passed.entry.clone()).collect();
    let entries: Vec<String> = names.iter().map(|name| format!("ServiceEntry {name}")).collect();
    let reason = unit.passed_over.first().map_or("it is not to be seen", |passed| passed.reason);
    Step::of(Topic::Object, format!("{} gives nothing: {reason}", entries.join(", ")))
        .about_all(Kind::ServiceEntry, &names)
        .weighing(Weight::Cause)
}

fn not_ours(catalog: &Catalog, notes: &mut impl Notes) -> Outcome {
    let outcome = if catalog.policy.catch_all { Outcome::NotMine } else { Outcome::Refused };
    notes.say(|| Step::of(Topic::Outcome, outcome.in_words()));
    outcome
}

/// Whether a host that answers is, or covers, exactly this name.
fn declares(catalog: &Catalog, name: &Asked) -> bool {
    exact(catalog, name.wire()).is_some_and(|unit| unit.answers())
        || wildcard(catalog, name).is_some_and(|(unit, _)| unit.answers())
        || service_labels(name)
            .is_some_and(|_| exact(catalog, name.from(2)).is_some_and(|unit| unit.answers()))
}

/// The closest declared host at or above a name: the label it begins with, and its serial.
fn small_zone(catalog: &Catalog, name: &Asked) -> Option<(usize, u32)> {
    (0..name.count()).find_map(|index| {
        let from = name.from(index);
        let seen = |unit: Option<Arc<HostUnit>>| unit.filter(|unit| unit.visible);
        let unit = seen(exact(catalog, from)).or_else(|| seen(wildcard_at(catalog, name, index)))?;
        Some((index, unit.serial()))
    })
}

/// The most specific wildcard that covers a name and answers, else the most specific one; with the label that
/// its name begins with.
fn wildcard(catalog: &Catalog, name: &Asked) -> Option<(Arc<HostUnit>, usize)> {
    let mut covering = wildcards(catalog, name).peekable();
    let first = covering.peek().cloned();
    covering.find(|(unit, _)| unit.answers()).or(first)
}

/// The wildcards that cover a name, the most specific one first.
fn wildcards(catalog: &Catalog, name: &Asked) -> impl Iterator<Item = (Arc<HostUnit>, usize)> {
    (1..name.count()).filter_map(|index| Some((wildcard_at(catalog, name, index)?, index)))
}

/// The wildcard whose star stands directly in front of label `index`.
fn wildcard_at(catalog: &Catalog, name: &Asked, index: usize) -> Option<Arc<HostUnit>> {
    let labels = name.count() - index;
    catalog.hosts.any_wildcard_of(labels).then(|| catalog.hosts.wildcard(name.from(index))).flatten()
}

fn contents(unit: &HostUnit, kind: u16) -> Found {
    let (v4, v6, origin) = match &unit.state {
        HostState::Addresses { v4, v6, origin, .. } => (v4, v6, origin),
        HostState::Alias { target, text } => {
            return Found::Alias { target: target.clone(), text: text.clone(), ttl: unit.ttl };
        }
        HostState::Pending | HostState::Declined(_) => return Found::Nothing,
    };
    let records = match kind {
        kind::A => Records::V4(Addresses::Shared(v4.clone())),
        kind::AAAA => Records::V6(Addresses::Shared(v6.clone())),
        _ => Records::None,
    };
    if records.is_empty() {
        return Found::Nothing;
    }
    Found::Records(records, origin.class(), unit.ttl)
}

/// `_port._tcp.host` and what stands above it, for an exact host.
fn service_of_exact(catalog: &Catalog, name: &Asked, kind: u16, notes: &mut impl Notes) -> Option<Found> {
    if name.count() < 2 || !name.label(0).starts_with(b"_") {
        return None;
    }
    if let Some(unit) = exact(catalog, name.from(1))
        && !kubernetes::is_service(catalog, name.from(1))
        && ports(&unit).any(|port| protocol(port) == name.label(0))
    {
        say(&unit, notes);
        return Some(Found::Nothing);
    }
    service_labels(name)?;
    let unit = exact(catalog, name.from(2))?;
    if kubernetes::is_service(catalog, name.from(2)) {
        return None;
    }
    say(&unit, notes);
    services(&unit, name, 2, kind)
}

/// `_port._tcp` in front of a name that a wildcard covers and that is no host itself.
fn service_of_wildcard(
    catalog: &Catalog,
    unit: &HostUnit,
    name: &Asked,
    above: usize,
    kind: u16,
) -> Option<Found> {
    service_labels(name)?;
    let is_other = || {
        exact(catalog, name.from(2)).is_some_and(|host| host.answers())
            || kubernetes::is_service(catalog, name.from(2))
    };
    if kind != kind::SRV || above < 3 || is_other() {
        return None;
    }
    services(unit, name, 2, kind)
}

/// Port and protocol labels, if the name begins with them.
fn service_labels(name: &Asked) -> Option<(&[u8], &[u8])> {
    let starts = name.count() > 2 && matches!(name.label(1), b"_tcp" | b"_udp");
    let port = starts.then(|| name.label(0).strip_prefix(b"_")).flatten()?;
    Some((port, name.label(1)))
}

/// SRV records of the ports that a name asks for, targets at the host that begins with label `host`.
fn services(unit: &HostUnit, name: &Asked, host: usize, kind: u16) -> Option<Found> {
    let HostState::Addresses { v4, v6, .. } = &unit.state else { return None };
    let (wanted, over) = service_labels(name)?;
    let matching: Vec<u16> = ports(unit)
        .filter(|port| port.name.as_bytes().eq_ignore_ascii_case(wanted) && protocol(port) == over)
        .filter_map(|port| port.number)
        .collect();
    if matching.is_empty() {
        return None;
    }
    if kind != kind::SRV {
        return Some(Found::Nothing);
    }
    let mut set = ServiceSet::default();
    let addresses: Vec<IpAddr> =
        v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a))).collect();
    for address in &addresses {
        set.add(&[], *address, matching.iter().copied());
    }
    set.weigh(addresses.len() * matching.len());
    let records = Records::Services { set: Arc::new(set), base: name.start(host) };
    Some(Found::Records(records, Class::Srv, unit.ttl))
}

fn ports(unit: &HostUnit) -> impl Iterator<Item = &Port> {
    let ports: &[Port] = match &unit.state {
        HostState::Addresses { ports, .. } => ports,
        _ => &[],
    };
    ports.iter()
}

/// The protocol label of a port: everything but UDP runs over TCP.
fn protocol(port: &Port) -> &'static [u8] {
    if port.protocol.eq_ignore_ascii_case("UDP") { b"_udp" } else { b"_tcp" }
}

fn say(unit: &HostUnit, notes: &mut impl Notes) {
    notes.say(|| {
        let star = if unit.wildcard { "*." } else { "" };
        let state = match &unit.state {
            HostState::Addresses { from_table: true, .. } => {
                "has the addresses of istiod's name table".to_owned()
            }
            HostState::Addresses { origin, .. } => match origin {
                AddressOrigin::Automatic => "has automatic addresses".to_owned(),
                AddressOrigin::Endpoints => "has the addresses of its endpoints".to_owned(),
                AddressOrigin::Literal => "has addresses of its own".to_owned(),
            },
            HostState::Alias { text, .. } => {
                format!("is an alias of its endpoint {}", crate::model::dotted(text))
            }
            HostState::Pending => "has no answer yet".to_owned(),
            HostState::Declined(reason) => format!("is left to others: {reason}"),
        };
        let entries: Vec<String> = unit.entries.iter().map(|entry| format!("ServiceEntry {entry}")).collect();
        let from = if entries.is_empty() { String::new() } else { format!(" from {}", entries.join(", ")) };
        Step::of(Topic::Object, format!("host {star}{} {state}{from}", unit.name))
            .about_all(Kind::ServiceEntry, &unit.entries)
            .weighing(Weight::Cause)
    });
    if let Parity::Differs(difference) = &unit.parity {
        notes.say(|| Step::of(Topic::Object, difference.in_words()).weighing(Weight::Aside));
    }
    for PassedOver { entry, reason, .. } in &unit.passed_over {
        notes.say(|| {
            Step::of(Topic::Object, format!("ServiceEntry {entry} gives nothing: {reason}"))
                .about(Kind::ServiceEntry, entry)
                .weighing(if unit.answers() { Weight::Aside } else { Weight::Cause })
        });
    }
}
