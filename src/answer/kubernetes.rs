//! Kubernetes names: which object a name is about. What a service gives is in `part`, pod names are in `pod`.
//!
//! Rules: the Kubernetes DNS specification 1.1.0 as CoreDNS's kubernetes plugin reads it. Labels are read from the
//! right: `svc` or `pod`, namespace, service, and what of the service is asked for.

use super::part::Part;
use super::words::in_words;
use super::{Asked, Found, Notes, Step, Topic, Weight, pod};
use crate::catalog::{Catalog, ServiceKind};
use crate::model::{Kind, ObjectName, Zone, ZoneKind, dotted};

/// Looks a name below a forward zone's apex up.
pub(super) fn find(
    catalog: &Catalog,
    zone: &Zone,
    at: usize,
    name: &Asked,
    kind: u16,
    notes: &mut impl Notes,
) -> Found {
    let count = name.labels_before(at);
    match (name.label(count - 1), count) {
        (b"svc" | b"pod", 1) => {
            notes.say(|| Step::of(Topic::Name, "names stand below it").weighing(Weight::Fallback));
            Found::Nothing
        }
        (b"svc", 2) => namespace(catalog, name.label(0), notes),
        (b"svc", _) => service(catalog, zone, at, name, kind, notes),
        (b"pod", _) => pod::find(catalog, name, count, kind, notes),
        _ => {
            notes.say(|| {
                let text = format!("it is not made like service.namespace.svc.{}", zone.name);
                Step::of(Topic::Name, text).weighing(Weight::Fallback)
            });
            Found::Missing
        }
    }
}

/// Whether a name (lower-case wire form) is that of a Service that has records: a mesh host of the same name then
/// does not count, nor do names made of it.
pub(super) fn is_service(catalog: &Catalog, name: &[u8]) -> bool {
    let Some((zone, at)) = catalog.policy.zones.find(name) else { return false };
    let Some(key) = name[..at].strip_suffix(b"\x03svc") else { return false };
    zone.kind == ZoneKind::Cluster
        && catalog.service(key).is_some_and(|unit| match unit.kind {
            ServiceKind::Hidden(_) => false,
            ServiceKind::Headless => !unit.endpoints.is_empty(),
            ServiceKind::ClusterIps { .. } | ServiceKind::Alias { .. } => true,
        })
}

pub(super) fn namespace(catalog: &Catalog, label: &[u8], notes: &mut impl Notes) -> Found {
    let known = catalog.has_namespace(label);
    notes.say(|| {
        let label = String::from_utf8_lossy(label);
        let state = if known { "exists" } else { "does not exist or is not served" };
        let weight = if known { Weight::Fallback } else { Weight::Absent };
        Step::of(Topic::Object, format!("Namespace {label} {state}"))
            .about(Kind::Namespace, &ObjectName::new("", &*label))
            .weighing(weight)
    });
    if known { Found::Nothing } else { Found::Missing }
}

fn service(
    catalog: &Catalog,
    zone: &Zone,
    at: usize,
    name: &Asked,
    kind: u16,
    notes: &mut impl Notes,
) -> Found {
    let count = name.labels_before(at);
    let key = &name.wire()[name.start(count - 3)..name.start(count - 1)];
    let imported = zone.kind == ZoneKind::ClusterSet;
    let noun = if imported { Kind::ServiceImport } else { Kind::Service };
    let Some(unit) = (if imported { catalog.import(key) } else { catalog.service(key) }) else {
        notes.say(|| {
            let text = dotted(key);
            let (name, namespace) = text.trim_end_matches('.').split_once('.').unwrap_or((&text, ""));
            let object = ObjectName::new(namespace, name);
            let step = if catalog.has_namespace(namespace.as_bytes()) {
                Step::of(Topic::Object, format!("{} {object} does not exist", noun.as_str()))
            } else {
                let text =
                    format!("Namespace {namespace} does not exist or is not served, so nothing in it is");
                Step::of(Topic::Object, text).about(Kind::Namespace, &ObjectName::new("", namespace))
            };
            step.about(noun, &object).weighing(Weight::Absent)
        });
        return Found::Missing;
    };
    let hidden = matches!(unit.kind, ServiceKind::Hidden(_));
    notes.say(|| {
        Step::of(Topic::Object, format!("{} {} {}", noun.as_str(), unit.name, in_words(&unit)))
            .about(noun, &unit.name)
            .about_all(Kind::EndpointSlice, unit.endpoints.slices())
            .weighing(if hidden { Weight::Cause } else { Weight::Fallback })
    });
    let part = Part { unit: &unit, name, at, before: count - 3, imported, kind };
    let found = part.find(catalog);
    if matches!(found, Found::Missing | Found::Pending | Found::Waiting) && !hidden {
        notes.say(|| part.absence(noun));
    }
    found
}
