//! Aliases: ExternalName services, and endpoints that are reached under a name.
//!
//! Rules, as CoreDNS's kubernetes plugin has them: only A and AAAA follow an alias. Inside the zone the target is
//! answered with the alias in front; a target that gives nothing leaves no alias either (NODATA), as does a chain
//! of more than eleven, wherever it ends. Elsewhere, which includes our other zones, the alias stands whatever the target gives.

use super::zone::Authority;
use super::{
    Alias, Asked, Data, Notes, Outcome, Records, Step, Topic, Weight, given_ttl, kind, lookup, negative,
};
use crate::catalog::{Catalog, Class, UnitTtl};
use crate::model::{Name, Zone};

/// The longest chain of aliases that is followed.
const MAX_CHAIN: usize = 11;

/// Where an alias stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The configured zone that it is in, if it is in one.
    pub(super) zone: Option<&'a Zone>,
    /// That zone, or the small zone that a mesh host is.
    pub(super) authority: Authority<'a>,
}

/// What an alias leads to.
pub(super) struct Leads {
    /// The name, compared without regard to case.
    pub(super) target: Name,
    /// As written, in wire form.
    pub(super) text: Box<[u8]>,
    /// What its object says of TTLs.
    pub(super) ttl: UnitTtl,
}

/// The alias and where it leads, as one outcome. Both have one TTL, the smaller one.
pub(super) fn follow(
    catalog: &Catalog,
    alias: Leads,
    place: Place<'_>,
    name: &Asked,
    kind: u16,
    notes: &mut impl Notes,
    depth: usize,
) -> Outcome {
    let Place { zone, authority } = place;
    let Leads { target, text, ttl } = alias;
    let ttl = given_ttl(catalog, name, Class::ExternalName, ttl, notes);
    let alone = |text| Data { aliases: vec![Alias { target: text }], records: Records::None, ttl };
    match kind {
        kind::CNAME => return Outcome::Data(alone(text)),
        kind::A | kind::AAAA => {}
        _ => return negative(catalog, Outcome::NoData, Some(authority.soa()), notes),
    }
    let found = catalog.policy.zones.find(target.wire()).map(|(zone, _)| &zone.name);
    let inside = zone.is_some_and(|zone| found == Some(&zone.name));
    // From mesh host to mesh host, which are small zones of their own, a circle has as little to say as inside a zone.
    let ours = zone.is_none() && found.is_none();
    if target.wire() == name.wire() || (depth >= MAX_CHAIN && (zone.is_some() || ours)) {
        notes.say(|| {
            Step::of(Topic::Outcome, "the alias leads in a circle or too far").weighing(Weight::Cause)
        });
        return nothing(catalog, authority, notes);
    }
    if depth > MAX_CHAIN {
        return Outcome::Data(alone(text));
    }
    notes.say(|| Step::of(Topic::Name, format!("the alias leads to {target}")));
    match lookup(catalog, &Asked::of(&target), kind, notes, depth + 1) {
        Outcome::Data(mut data) => {
            data.aliases.insert(0, Alias { target: text });
            data.ttl = data.ttl.min(ttl);
            Outcome::Data(data)
        }
        Outcome::Elsewhere { mut data, target } => {
            data.aliases.insert(0, Alias { target: text });
            data.ttl = data.ttl.min(ttl);
            Outcome::Elsewhere { data, target }
        }
        Outcome::NoData(_) | Outcome::NoSuchName(_) if inside => nothing(catalog, authority, notes),
        Outcome::NoData(_) if ours => nothing(catalog, authority, notes),
        Outcome::NoData(_) => Outcome::Data(alone(text)),
        Outcome::NoSuchName(_) if catalog.policy.zones.find(target.wire()).is_some() => {
            Outcome::Data(alone(text))
        }
        // Nothing of ours answers it: others may.
        Outcome::NoSuchName(_) | Outcome::NotMine | Outcome::Refused => {
            notes.say(|| Step::of(Topic::Outcome, "an upstream resolver is asked for the target"));
            Outcome::Elsewhere { data: alone(text), target }
        }
    }
}

fn nothing(catalog: &Catalog, authority: Authority<'_>, notes: &mut impl Notes) -> Outcome {
    negative(catalog, Outcome::NoData, Some(authority.soa()), notes)
}
