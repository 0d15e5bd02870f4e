//! Hosts that are declared more than once: who gives the answer, and why the others do not.

use serde::{Deserialize, Serialize};

use super::render::table;
use crate::catalog::{Catalog, HostState, HostUnit, ServiceKind};
use crate::model::ZoneKind;

/// One host that several objects declare.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Conflict {
    /// The host, with its final dot; a wildcard begins with `*.`.
    pub host: String,
    /// What answers it, as `Kind namespace/name`; none when nothing does.
    pub winners: Vec<String>,
    /// Why these do.
    pub reason: String,
    /// What declares it too and gives nothing.
    pub losers: Vec<Loser>,
}

/// An object that declares a host and does not answer it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Loser {
    /// As `Kind namespace/name`.
    pub object: String,
    /// Why, as the rest of a sentence about it.
    pub reason: String,
}

/// All conflicts of a catalog, by host. Entries that may not be seen compete with nobody and are left out.
pub fn conflicts(catalog: &Catalog) -> Vec<Conflict> {
    let mut found: Vec<Conflict> =
        catalog.hosts.all().iter().filter_map(|unit| conflict(catalog, unit)).collect();
    found.sort();
    found
}

fn conflict(catalog: &Catalog, unit: &HostUnit) -> Option<Conflict> {
    let entry = |name: &crate::model::ObjectName| format!("ServiceEntry {name}");
    let mut winners: Vec<String> = unit.entries.iter().map(entry).collect();
    let visible = unit.passed_over.iter().filter(|passed| !passed.hidden);
    let mut losers: Vec<Loser> = visible
        .map(|passed| Loser { object: entry(&passed.entry), reason: passed.reason.to_owned() })
        .collect();
    let reason = if let Some(service) = service_called(catalog, unit) {
        let reason = "a Service of Kubernetes has the name".to_owned();
        losers.extend(winners.drain(..).map(|object| Loser { object, reason: reason.clone() }));
        winners.push(format!("Service {service}"));
        "Services of Kubernetes go first".to_owned()
    } else if !unit.is_contested() {
        return None;
    } else {
        match (&unit.state, winners.len()) {
            (HostState::Pending | HostState::Declined(_), _) => "none of them gives an answer".to_owned(),
            (_, 0) => "istiod's name table has the host".to_owned(),
            (_, 1) => "it is the one that gives an answer".to_owned(),
            _ => "what entries of one namespace give is answered together".to_owned(),
        }
    };
    if losers.is_empty() && winners.len() < 2 {
        return None;
    }
    losers.sort();
    let star = if unit.wildcard { "*." } else { "" };
    Some(Conflict { host: format!("{star}{}", unit.name), winners, reason, losers })
}

/// The Service that answers for a host inside a cluster zone, if entries declare the host too.
fn service_called(catalog: &Catalog, unit: &HostUnit) -> Option<crate::model::ObjectName> {
    if unit.wildcard || unit.entries.is_empty() && unit.passed_over.iter().all(|passed| passed.hidden) {
        return None;
    }
    let name = &unit.name;
    let (zone, at) = catalog.policy.zones.find(name.wire())?;
    let mut labels = name.labels();
    let (service, namespace) = (labels.next()?, labels.next()?);
    let key = 2 + service.len() + namespace.len();
    let in_place = zone.kind == ZoneKind::Cluster && labels.next() == Some(b"svc") && at == key + 4;
    let unit = in_place.then(|| catalog.service(&name.wire()[..key])).flatten()?;
    (!matches!(unit.kind, ServiceKind::Hidden(_))).then(|| unit.name.clone())
}

/// Conflicts as text, one after the other.
pub fn conflicts_text(found: &[Conflict]) -> String {
    if found.is_empty() {
        return "no host is declared more than once\n".to_owned();
    }
    let mut text = String::new();
    for conflict in found {
        let rows: Vec<[String; 3]> = conflict
            .winners
            .iter()
            .map(|object| ["  answered by".to_owned(), object.clone(), conflict.reason.clone()])
            .chain(
                conflict
                    .losers
                    .iter()
                    .map(|loser| ["  not by".to_owned(), loser.object.clone(), loser.reason.clone()]),
            )
            .collect();
        text.push_str(&format!("{}\n{}", conflict.host, table(&rows)));
    }
    text
}
