//! The TTLs that answers of a zone can have, and those that they have by the objects which are there.

use std::collections::BTreeSet;

use super::Seen;
use crate::catalog::{
    AutomaticAddresses, Class, HostPattern, NegativePending, PodMode, TtlBounds, TtlPolicy, TtlSource,
};
use crate::corefile::{Sign, Span, Zone};
use crate::model::ZoneKind;
use crate::report::census::{Census, Fact};

/// Aliases whose target others answer.
const ELSEWHERE: &str = "externalName, target elsewhere";
/// Whatever objects may ask for, where none was looked at.
const ANNOTATED: &str = "annotated";

/// A class of answers, and a TTL that we give it.
pub(super) struct Given {
    pub(super) class: &'static str,
    /// What gives it.
    pub(super) from: String,
    pub(super) giver: Giver,
    /// The objects that are answered with it; `None`: it was not looked for any, or it is no object's.
    pub(super) objects: Option<BTreeSet<String>>,
    pub(super) sign: Sign,
    /// `None`: such answers have no record at all.
    pub(super) ttl: Option<Span>,
    /// Whether records of others, with TTLs of their own, are in the same message.
    pub(super) mixed: bool,
}

/// Who decides about a TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Giver {
    /// The settings.
    Settings,
    /// Objects that are there ask for it.
    Objects,
    /// What aliases that are there lead to.
    Targets,
    /// Objects, if they ask for it.
    MayBe,
}

/// What each of the zones, which are all that a server block tells apart, can have.
pub(super) fn given(seen: &Seen<'_>, zones: &[Zone], census: Option<&Census>) -> Vec<Vec<Given>> {
    let mut given: Vec<Vec<Given>> = zones.iter().map(|zone| of_zone(seen, zones, zone, census)).collect();
    for fact in census.iter().flat_map(|census| &census.facts) {
        if let Some(at) = zone_of(zones, &Zone::from(&fact.name)) {
            add(&seen.settings.ttl, &mut given[at], fact);
        }
    }
    given
}

/// The zone that a name is in: the longest that holds it.
fn zone_of(zones: &[Zone], name: &Zone) -> Option<usize> {
    let held = zones.iter().enumerate().filter(|(_, zone)| zone.holds(name));
    held.max_by_key(|(_, zone)| if zone.is_root() { 0 } else { zone.to_string().len() }).map(|(at, _)| at)
}

/// Whether names that a pattern is for are in a zone and in no longer one.
fn reaches(zones: &[Zone], zone: &Zone, pattern: &HostPattern) -> bool {
    let name = Zone::from(pattern.name());
    zone_of(zones, &name).is_some_and(|at| zones[at] == *zone)
        || (pattern.reaches_below() && name.holds(zone))
}

/// What a zone can have by the settings; a zone that is none of ours has mesh hosts only.
fn of_zone(seen: &Seen<'_>, zones: &[Zone], zone: &Zone, census: Option<&Census>) -> Vec<Given> {
    use Class::{ClusterIp, ExternalName, Headless, Pod, Ptr, ServiceEntry, Srv, Vip};
    let kind = seen.contents(zone);
    let classes: &[Class] = match kind {
        Some(ZoneKind::Reverse) => &[Ptr],
        Some(ZoneKind::Cluster) => &[ClusterIp, Headless, Pod, ExternalName, Srv, ServiceEntry, Vip],
        Some(ZoneKind::ClusterSet) => &[ClusterIp, Headless, Pod, Srv],
        None => &[Headless, Srv, ServiceEntry, Vip],
    };
    let settings = seen.settings;
    let exists = |class: &&Class| match class {
        Pod => settings.kubernetes.pods != PodMode::Disabled,
        Vip => settings.service_entries.addresses != AutomaticAddresses::Off,
        _ => true,
    };
    let possible = |class| settings.ttl.possible(class, |pattern| reaches(zones, zone, pattern));
    let smallest =
        |class| possible(class).iter().map(|(_, bounds)| bounds.min.seconds()).min().unwrap_or(u32::MAX);
    // One reply has one TTL: that of what an alias leads to, if it is smaller. Of those that are there it is known.
    let of_targets = || [ClusterIp, Headless, ServiceEntry, Vip].map(smallest).into_iter().min();
    let row = |class: Class, label, sign| {
        move |(source, TtlBounds { min, max })| Given {
            class: label,
            from: settings.ttl.in_words(source),
            giver: Giver::Settings,
            // Names of pods are too many to ask for all of them.
            objects: census.filter(|_| class.is_of_objects() && class != Pod).map(|_| BTreeSet::new()),
            sign,
            ttl: Some(Span { smallest: min.seconds(), largest: max.seconds() }),
            mixed: false,
        }
    };
    let mut all = Vec::new();
    for class in classes.iter().filter(exists).copied() {
        let rows = possible(class).into_iter().map(row(class, class.as_str(), Sign::Positive));
        match of_targets().filter(|_| class == ExternalName && census.is_none()) {
            None => all.extend(rows),
            Some(least) => all.extend(rows.map(|given| {
                Given {
                    ttl: given
                        .ttl
                        .map(|Span { smallest, largest }| Span { smallest: smallest.min(least), largest }),
                    ..given
                }
            })),
        }
    }
    if classes.contains(&ExternalName) {
        let rows = possible(ExternalName).into_iter().map(row(ExternalName, ELSEWHERE, Sign::Positive));
        all.extend(rows.map(|given| Given { mixed: true, ..given }));
    }
    if kind.is_some() && !settings.kubernetes.server_addresses.is_empty() {
        all.extend(possible(Class::Zone).into_iter().map(row(
            Class::Zone,
            Class::Zone.as_str(),
            Sign::Positive,
        )));
    }
    if let Some(bounds) = settings.ttl.annotations.filter(|_| census.is_none()) {
        all.push(Given {
            class: ANNOTATED,
            from: "ttl.annotations".to_owned(),
            giver: Giver::MayBe,
            objects: None,
            sign: Sign::Positive,
            ttl: Some(Span { smallest: bounds.min.seconds(), largest: bounds.max.seconds() }),
            mixed: false,
        });
    }
    all.extend(possible(Class::Negative).into_iter().map(row(Class::Negative, "negative", Sign::Negative)));
    if kind != Some(ZoneKind::Reverse) {
        let ttl = match settings.ttl.negative_pending {
            NegativePending::Uncached => None,
            NegativePending::For(ttl) => Some(Span::of(ttl.seconds())),
        };
        let (class, from) = ("negativePending", settings.ttl.in_words(TtlSource::NegativePending));
        let (giver, objects) = (Giver::Settings, None);
        all.push(Given { class, from, giver, objects, sign: Sign::Negative, ttl, mixed: false });
    }
    all
}

/// Adds what the answer for a name has.
fn add(policy: &TtlPolicy, given: &mut Vec<Given>, fact: &Fact) {
    let class = if fact.leads_outside { ELSEWHERE } else { fact.class.as_str() };
    let words = policy.in_words(fact.source);
    let from = if fact.of_target { format!("{words}, of the target") } else { words };
    let ttl = Span::of(fact.ttl);
    let by_objects = fact.of_target || fact.source == TtlSource::Annotation;
    let same = |known: &&mut Given| {
        known.class == class && known.from == from && (!by_objects || known.ttl == Some(ttl))
    };
    if let Some(known) = given.iter_mut().find(same) {
        known.objects.get_or_insert_default().insert(fact.object.clone());
        return;
    }
    let new = Given {
        class,
        from,
        giver: if fact.source == TtlSource::Annotation && !fact.of_target {
            Giver::Objects
        } else {
            Giver::Targets
        },
        objects: Some(BTreeSet::from([fact.object.clone()])),
        sign: Sign::Positive,
        ttl: Some(ttl),
        mixed: fact.leads_outside,
    };
    // Behind its class, and there by what gives it and TTL; what the settings do not foresee goes before what is not there.
    let behind = |known: &Given| {
        known.class == class
            && (known.giver == Giver::Settings
                || (&known.from, known.ttl.map(|ttl| ttl.largest)) <= (&new.from, Some(fact.ttl)))
    };
    let at = given
        .iter()
        .rposition(behind)
        .map(|at| at + 1)
        .or_else(|| given.iter().position(|known| known.sign == Sign::Negative));
    given.insert(at.unwrap_or(given.len()), new);
}
