//! The TTLs that objects which are there have their answers kept for.
//!
//! Every name of the catalog is asked for, so these are those of the answers, whatever gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::listing::ReportedLine;
use crate::answer::{Asked, CLASS_IN, Notes, Outcome, Question, Step, answer, kind};
use crate::catalog::{Catalog, Class, GivenTtl, Listed, ServiceUnit, TtlSource, service_key};
use crate::model::{Key, Kind, Name, Ttl, push_label, reverse_name};

/// A label below a wildcard that no host is called by.
pub(super) const ANY: &str = "any-name-below-the-star";

/// What is known of the TTLs of names.
#[derive(Clone, Debug, Default)]
pub struct Census {
    pub(super) facts: Vec<Fact>,
}

/// The TTL of a name.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) name: Name,
    /// Of the first record.
    pub(super) class: Class,
    /// In seconds.
    pub(super) ttl: u32,
    /// What gave it.
    pub(super) source: TtlSource,
    /// Whether that is the TTL of what an alias leads to, being smaller.
    pub(super) of_target: bool,
    /// Whether records of others come behind the alias.
    pub(super) leads_outside: bool,
    /// The object that is answered from, as `Kind namespace/name`.
    pub(super) object: String,
}

/// Takes down who gave TTLs.
#[derive(Default)]
struct Givers(Vec<(Class, GivenTtl)>);

impl Notes for Givers {
    fn say(&mut self, _step: impl FnOnce() -> Step) {}

    fn gave(&mut self, class: Class, ttl: GivenTtl) {
        self.0.push((class, ttl));
    }
}

impl Census {
    /// Of a catalog; `annotated` are the objects that ask for TTLs. Costs an answer for every name that there is.
    pub fn of(catalog: &Catalog, annotated: impl IntoIterator<Item = (Key, Ttl)>) -> Self {
        let annotated: BTreeMap<String, Ttl> =
            annotated.into_iter().map(|(key, ttl)| (key.to_string(), ttl)).collect();
        let mut facts = Vec::new();
        for line in catalog.records() {
            for (name, kind) in questions(catalog, &line) {
                facts.extend(fact(catalog, &annotated, &line, name, kind));
            }
        }
        Self { facts }
    }

    /// Of what a running server lists. Who gave a TTL is not told there in a form to rely on, so each counts as what its object asks for.
    pub(super) fn of_lines(lines: &[ReportedLine]) -> Self {
        Self { facts: lines.iter().filter_map(Fact::of_line).collect() }
    }
}

impl Fact {
    fn of_line(line: &ReportedLine) -> Option<Self> {
        Some(Self {
            name: owner(&line.name)?,
            class: Class::ALL.into_iter().find(|class| class.as_str() == line.class)?,
            ttl: line.ttl,
            source: TtlSource::Annotation,
            of_target: false,
            leads_outside: false,
            object: line.object.clone(),
        })
    }
}

/// The name of a line, or one below its star.
fn owner(name: &str) -> Option<Name> {
    match name.strip_prefix("*.") {
        Some(rest) => Name::parse(&format!("{ANY}.{rest}")).ok(),
        None => Name::parse(name).ok(),
    }
}

/// What leads to a record: its own name and type, and the SRV and PTR records that follow from it.
fn questions(catalog: &Catalog, line: &Listed) -> Vec<(Name, u16)> {
    let Some(owner) = owner(&line.name) else { return Vec::new() };
    if line.kind == "CNAME" {
        return [kind::CNAME, kind::A, kind::AAAA].map(|kind| (owner.clone(), kind)).into();
    }
    let own = if line.kind == "A" { kind::A } else { kind::AAAA };
    let mut found = vec![(owner.clone(), own), (owner.clone(), kind::SRV)];
    for port in service(catalog, line).iter().flat_map(|unit| unit.ports.iter()) {
        let labels = [&port.name, &port.protocol].map(|label| format!("_{}", label.to_lowercase()));
        let mut wire = Vec::new();
        let is_named = !port.name.is_empty() && labels.iter().all(|label| push_label(&mut wire, label));
        wire.extend_from_slice(owner.wire());
        found.extend((is_named && wire.len() <= 255).then(|| (Name::from_wire(&wire), kind::SRV)));
    }
    found.extend(line.data.parse().ok().map(|address| (reverse_name(address), kind::PTR)));
    found
}

/// The service that a record is of, if it is of one.
fn service(catalog: &Catalog, line: &Listed) -> Option<Arc<ServiceUnit>> {
    let key = Key::parse(&objects(line).next()?.replacen(' ', "/", 1))?;
    match key.kind {
        Kind::Service => catalog.service(&service_key(&key.name)),
        Kind::ServiceImport => catalog.import(&service_key(&key.name)),
        _ => None,
    }
}

fn objects(line: &Listed) -> impl Iterator<Item = &str> {
    line.object.split(", ")
}

fn fact(
    catalog: &Catalog,
    annotated: &BTreeMap<String, Ttl>,
    line: &Listed,
    name: Name,
    kind: u16,
) -> Option<Fact> {
    let mut givers = Givers::default();
    let question = Question { name: Asked::of(&name), kind, class: CLASS_IN };
    let outcome = answer(catalog, &question, &mut givers);
    let leads_outside = match outcome {
        Outcome::Data(_) => false,
        Outcome::Elsewhere { .. } => true,
        _ => return None,
    };
    let (class, first) = *givers.0.first()?;
    let smallest = givers.0.iter().map(|(_, given)| *given).min_by_key(|given| given.ttl)?;
    let of_target = smallest.ttl < first.ttl;
    // One answer can be made of several objects, and then the one that asks is named.
    let object = match smallest.source {
        TtlSource::Annotation if !of_target => {
            objects(line).find(|object| annotated.get(*object) == Some(&smallest.ttl))?
        }
        _ => objects(line).next()?,
    };
    Some(Fact {
        name,
        class,
        ttl: smallest.ttl.seconds(),
        source: smallest.source,
        of_target,
        leads_outside,
        object: object.to_owned(),
    })
}
