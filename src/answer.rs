//! Question to outcome.
//!
//! One pure function, [`answer`], decides every answer of every listener; `explain` is the same function with a
//! recorder for [`Notes`]. Order: class and type, zone, fixed names, Kubernetes names, mesh hosts, and only then
//! a negative answer. NXDOMAIN is given only when nothing exists at or below the name (RFC 8020); every other
//! negative answer is NODATA. Both carry the SOA of the zone (RFC 2308 §3), except for names that may come any
//! moment when the policy wants those kept out of caches.

mod alias;
mod asked;
mod cause;
mod facts;
mod kubernetes;
mod mesh;
mod notes;
mod outcome;
mod part;
mod pending;
mod pod;
mod reverse;
mod select;
mod words;
mod zonal;
mod zone;

pub use asked::{Asked, AskedError};
pub use cause::Cause;
pub use facts::{Facts, Origin, Scope};
pub use notes::{Notes, Recorder, Step, Topic, Weight};
pub use outcome::{Addresses, Alias, Base, Data, MadeName, NameServer, Outcome, Records, Soa};

use crate::catalog::{Catalog, Class, NegativePending, TtlSource, UnitTtl};
use crate::model::{Name, Ttl, Zone, ZoneKind};
use alias::Place;
use zone::Authority;

/// Record types by number (IANA DNS parameters).
pub mod kind {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Name server.
    pub const NS: u16 = 2;
    /// Alias.
    pub const CNAME: u16 = 5;
    /// Start of authority.
    pub const SOA: u16 = 6;
    /// Pointer.
    pub const PTR: u16 = 12;
    /// Text.
    pub const TXT: u16 = 16;
    /// IPv6 address.
    pub const AAAA: u16 = 28;
    /// Service location.
    pub const SRV: u16 = 33;
    /// EDNS options (RFC 6891).
    pub const OPT: u16 = 41;
    /// Incremental transfer.
    pub const IXFR: u16 = 251;
    /// Full transfer.
    pub const AXFR: u16 = 252;
}

/// Class IN.
pub const CLASS_IN: u16 = 1;

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// The name.
    pub name: Asked,
    /// The record type.
    pub kind: u16,
    /// The class.
    pub class: u16,
}

/// What a search at one name gave.
enum Found {
    /// Records of the asked type.
    Records(Records, Class, UnitTtl),
    /// An alias leads on.
    Alias {
        /// To this name.
        target: Name,
        /// As written, in wire form.
        text: Box<[u8]>,
        /// What its object says of TTLs.
        ttl: UnitTtl,
    },
    /// The name exists, with no record of the asked type.
    Nothing,
    /// It does not exist, but may any moment.
    Pending,
    /// Names below it exist, and it may have records itself any moment.
    Waiting,
    /// It does not exist.
    Missing,
}

/// Answers one question.
pub fn answer(catalog: &Catalog, question: &Question, notes: &mut impl Notes) -> Outcome {
    if question.class != CLASS_IN {
        notes.say(|| Step::of(Topic::Outcome, "only class IN is served").weighing(Weight::Cause));
        return Outcome::Refused;
    }
    if matches!(question.kind, kind::AXFR | kind::IXFR) {
        notes.say(|| Step::of(Topic::Outcome, "zones are not transferred").weighing(Weight::Cause));
        return Outcome::Refused;
    }
    lookup(catalog, &question.name, question.kind, notes, 0)
}

/// Answers for one name; `depth` counts the aliases that led here.
fn lookup(catalog: &Catalog, name: &Asked, kind: u16, notes: &mut impl Notes, depth: usize) -> Outcome {
    match catalog.policy.zones.find(name.wire()) {
        Some((zone, at)) => {
            notes.lies_in(zone.kind.into());
            notes.say(|| Step::of(Topic::Zone, format!("zone {} takes the name", zone.name)));
            in_zone(catalog, zone, at, name, kind, notes, depth)
        }
        None => {
            notes.say(|| Step::of(Topic::Zone, no_zone(catalog)).weighing(Weight::Fallback));
            mesh::outside_zones(catalog, name, kind, notes, depth)
        }
    }
}

fn no_zone(catalog: &Catalog) -> String {
    let forward = catalog.policy.zones.iter().filter(|zone| zone.kind != ZoneKind::Reverse);
    let mut zones: Vec<String> = forward.map(|zone| zone.name.to_string()).collect();
    match zones.len() {
        0 => "no configured zone takes the name".to_owned(),
        1..=8 => format!("no configured zone takes the name ({})", zones.join(", ")),
        _ => {
            zones.truncate(8);
            format!("no configured zone takes the name ({}, ...)", zones.join(", "))
        }
    }
}

fn in_zone(
    catalog: &Catalog,
    zone: &Zone,
    at: usize,
    name: &Asked,
    kind: u16,
    notes: &mut impl Notes,
    depth: usize,
) -> Outcome {
    let authority = Authority::of_zone(catalog, zone, at, name);
    let found = match zone::fixed(catalog, zone, at, name, kind, authority, notes) {
        Some(found) => found,
        None if zone.kind == ZoneKind::Reverse => reverse::find(catalog, name, kind, notes),
        None => match kubernetes::find(catalog, zone, at, name, kind, notes) {
            Found::Missing => Found::Missing,
            found => {
                // What may come any moment may be a mesh host instead.
                if !matches!(found, Found::Pending) || zone.kind != ZoneKind::Cluster {
                    notes.known_to(Origin::Kubernetes);
                }
                found
            }
        },
    };
    let found = match found {
        Found::Missing | Found::Pending if zone.kind == ZoneKind::Cluster => {
            match (mesh::find(catalog, name, kind, notes), found) {
                (Found::Missing, Found::Pending) => {
                    notes.known_to(Origin::Kubernetes);
                    Found::Pending
                }
                (Found::Missing, kubernetes) => kubernetes,
                (mesh, _) => {
                    notes.known_to(Origin::Istio);
                    mesh
                }
            }
        }
        found => found,
    };
    match found {
        Found::Records(records, class, unit) => data(catalog, name, records, class, unit, notes),
        Found::Alias { target, text, ttl } => {
            let place = Place { zone: Some(zone), authority };
            alias::follow(catalog, alias::Leads { target, text, ttl }, place, name, kind, notes, depth)
        }
        Found::Nothing => negative(catalog, Outcome::NoData, Some(authority.soa()), notes),
        // A name below the apex is never NXDOMAIN for SOA: who looks for the zone's apex gets its SOA either way.
        Found::Missing | Found::Pending | Found::Waiting if kind == kind::SOA => {
            negative(catalog, Outcome::NoData, Some(authority.soa()), notes)
        }
        Found::Missing => negative(catalog, Outcome::NoSuchName, Some(authority.soa()), notes),
        Found::Pending => {
            negative(catalog, Outcome::NoSuchName, pending_soa(catalog, authority, notes), notes)
        }
        Found::Waiting => not_yet(catalog, authority, notes),
    }
}

/// NODATA for a name that may have records any moment. Caches of CoreDNS keep NODATA without an SOA for five seconds, so it has
/// one that says how long.
fn not_yet(catalog: &Catalog, authority: Authority<'_>, notes: &mut impl Notes) -> Outcome {
    let ttl = match catalog.policy.ttl.load().current().negative_pending {
        NegativePending::Uncached => 0,
        NegativePending::For(ttl) => ttl.seconds(),
    };
    notes.say(|| {
        Step::of(Topic::Ttl, format!("{ttl} s: the name may have records any moment (ttl.negativePending)"))
    });
    let soa = Soa { ttl, minimum: ttl, source: TtlSource::NegativePending, ..authority.soa() };
    negative(catalog, Outcome::NoData, Some(soa), notes)
}

/// The SOA under which a pending name's absence may be kept; none when it must not be kept.
fn pending_soa(catalog: &Catalog, authority: Authority<'_>, notes: &mut impl Notes) -> Option<Soa> {
    match catalog.policy.ttl.load().current().negative_pending {
        NegativePending::Uncached => {
            notes.say(|| Step::of(Topic::Ttl, "no SOA: the name may come any moment (ttl.negativePending)"));
            None
        }
        NegativePending::For(ttl) => {
            notes.say(|| {
                Step::of(
                    Topic::Ttl,
                    format!("{} s: the name may come any moment (ttl.negativePending)", ttl.seconds()),
                )
            });
            let (ttl, source) = (ttl.seconds(), TtlSource::NegativePending);
            Some(Soa { ttl, minimum: ttl, source, ..authority.soa() })
        }
    }
}

fn data(
    catalog: &Catalog,
    name: &Asked,
    records: Records,
    class: Class,
    unit: UnitTtl,
    notes: &mut impl Notes,
) -> Outcome {
    notes.say(|| Step::of(Topic::Outcome, "NOERROR: there are such records"));
    let ttl = match &records {
        Records::Soa(soa) => fixed_ttl(soa.ttl, "ttl.negative, 300 at most", notes),
        Records::Text(_) => fixed_ttl(zone::VERSION_TTL, "fixed for this name", notes),
        _ => given_ttl(catalog, name, class, unit, notes),
    };
    Outcome::Data(Data { aliases: Vec::new(), records, ttl })
}

fn fixed_ttl(ttl: u32, reason: &str, notes: &mut impl Notes) -> u32 {
    notes.say(|| Step::of(Topic::Ttl, format!("{ttl} s ({reason}; class {})", Class::Zone.as_str())));
    ttl
}

/// The TTL of records of a unit, in seconds.
fn given_ttl(catalog: &Catalog, name: &Asked, class: Class, unit: UnitTtl, notes: &mut impl Notes) -> u32 {
    let ttls = catalog.policy.ttl.load();
    let given = ttls.give(class, name.wire(), unit);
    let seconds = given.ttl.seconds();
    notes.gave(class, given);
    if let (Some(refused), Some(bounds)) = (given.refused, ttls.under(unit).annotations) {
        notes.say(|| {
            let (min, max) = (bounds.min.seconds(), bounds.max.seconds());
            let refused = refused.seconds();
            let asked = format!("annotation {} asks for {refused} s", Ttl::ANNOTATION);
            Step::of(Topic::Ttl, format!("{asked}, outside ttl.annotations ({min} to {max})"))
                .weighing(Weight::Aside)
        });
    }
    notes.say(|| {
        let source = ttls.under(unit).tell(given);
        Step::of(Topic::Ttl, format!("{seconds} s ({source}; class {})", class.as_str()))
    });
    seconds
}

fn negative(
    catalog: &Catalog,
    outcome: fn(Option<Soa>) -> Outcome,
    soa: Option<Soa>,
    notes: &mut impl Notes,
) -> Outcome {
    let outcome = outcome(soa);
    notes.say(|| {
        let kept = match outcome.soa() {
            Some(soa) => {
                let source = catalog.policy.ttl.load().current().in_words(soa.source);
                format!("; caches keep this for {} s ({source})", soa.ttl)
            }
            None => String::new(),
        };
        Step::of(Topic::Outcome, format!("{}{kept}", outcome.in_words()))
    });
    outcome
}
