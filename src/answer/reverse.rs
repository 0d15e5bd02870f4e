//! Reverse names: addresses of services, of endpoints and of mesh hosts.
//!
//! Rules: a cluster IP has one PTR, to its service, and nothing else even if it is an endpoint's address too;
//! otherwise every ready endpoint of any service has one; otherwise an automatic address has one, to its host. A
//! shortened reverse name with any such address below it is an empty non-terminal. Targets of services lie in the
//! first forward zone.

use std::net::IpAddr;
use std::sync::Arc;

use super::{
    Asked, Base, Found, MadeName, Notes, Origin, Records, Step, Topic, Weight, kind, kubernetes, select,
};
use crate::catalog::{Catalog, Class, ReverseOwner, ServiceUnit, UnitTtl};
use crate::model::{Kind, Name, push_label, reverse_address};

/// So many hosts with one address are told of; the first counts.
const TOLD_HOSTS: usize = 16;

/// Looks a name below a reverse zone's apex up.
pub(super) fn find(catalog: &Catalog, name: &Asked, kind: u16, notes: &mut impl Notes) -> Found {
    let Some((low, high)) = reverse_address(name.wire()) else {
        notes.say(|| {
            Step::of(Topic::Name, "it is not the reverse name of an address").weighing(Weight::Cause)
        });
        return Found::Missing;
    };
    if low != high {
        let below = catalog.reverse().any_between(low, high);
        notes.say(|| {
            let some = if below { "addresses are known" } else { "no address is known" };
            Step::of(Topic::Name, format!("it stands for {low} to {high}, of which {some}"))
                .weighing(Weight::Cause)
        });
        return if below { Found::Nothing } else { Found::Missing };
    }
    let mut ttls = Vec::new();
    let pointers = pointers(catalog, low, &mut ttls, notes);
    if pointers.is_empty() {
        notes.say(|| {
            Step::of(Topic::Object, format!("nothing has the address {low}")).weighing(Weight::Cause)
        });
        return Found::Missing;
    }
    if kind != kind::PTR {
        return Found::Nothing;
    }
    let in_force = catalog.policy.ttl.load();
    let smallest = ttls.into_iter().min_by_key(|ttl| in_force.give(Class::Ptr, name.wire(), *ttl).ttl);
    Found::Records(Records::Pointers(pointers), Class::Ptr, smallest.unwrap_or_default())
}

/// Costs a bounded amount of work however many units have the address: no more than so many are looked at, services with it
/// as cluster IP come first and end the search, hosts come last and only the first of them counts. What the owners say of TTLs
/// goes into `ttls`.
fn pointers(
    catalog: &Catalog,
    address: IpAddr,
    ttls: &mut Vec<UnitTtl>,
    notes: &mut impl Notes,
) -> Vec<MadeName> {
    let Some(owners) = catalog.reverse().owners(address) else { return Vec::new() };
    let zone = catalog.policy.zones.first_forward();
    let (mut endpoints, mut hosts) = (Vec::new(), Vec::new());
    // Services that lost the cluster IP since the owners were read.
    let mut changed: Vec<Arc<[u8]>> = Vec::new();
    for owner in owners.iter() {
        match (&*owner, zone) {
            (ReverseOwner::Endpoint(key), Some(_)) if changed.contains(key) => {}
            (ReverseOwner::ClusterIp(key) | ReverseOwner::Endpoint(key), Some(zone)) => {
                let Some(unit) = catalog.service(key) else { continue };
                if unit.has_cluster_ip(address) {
                    notes.known_to(Origin::Kubernetes);
                    notes.say(|| {
                        Step::of(Topic::Object, format!("Service {} has the address {address}", unit.name))
                            .about(Kind::Service, &unit.name)
                            .weighing(Weight::Cause)
                    });
                    let mut labels = Vec::new();
                    select::push_service(&mut labels, &unit);
                    *ttls = vec![unit.ttl];
                    return vec![MadeName { labels, base: Base::Name(zone.name.clone()) }];
                }
                if matches!(&*owner, ReverseOwner::ClusterIp(_)) {
                    changed.push(key.clone());
                }
                let before = endpoints.len();
                push_endpoints(&mut endpoints, &unit, address, &zone.name, notes);
                ttls.extend((endpoints.len() > before).then(|| unit.endpoints_ttl()));
            }
            (ReverseOwner::ClusterIp(_) | ReverseOwner::Endpoint(_), None) => {
                notes.say(|| Step::of(Topic::Zone, "no forward zone is configured that a PTR could lead to"));
            }
            (ReverseOwner::Host(_), _) if hosts.len() == TOLD_HOSTS => break,
            (ReverseOwner::Host(name), _) if kubernetes::is_service(catalog, name.wire()) => {
                notes.say(|| {
                    Step::of(Topic::Object, format!("host {name} is a Service, which counts instead"))
                });
            }
            (ReverseOwner::Host(name), _) => {
                notes.say(|| {
                    Step::of(Topic::Object, format!("host {name} has the automatic address {address}"))
                        .weighing(Weight::Cause)
                });
                let unit = catalog.hosts.exact(name.wire());
                let pointer =
                    MadeName { labels: name.labels_wire().to_vec(), base: Base::Name(Name::root()) };
                hosts.push((pointer, unit.map(|unit| unit.ttl)));
            }
        }
    }
    if endpoints.is_empty()
        && let Some((pointer, ttl)) = hosts.into_iter().next()
    {
        notes.known_to(Origin::Istio);
        ttls.extend(ttl);
        return vec![pointer];
    }
    if !endpoints.is_empty() {
        notes.known_to(Origin::Kubernetes);
    }
    endpoints
}

/// Adds the names of the endpoints of a service at an address, each once.
fn push_endpoints(
    names: &mut Vec<MadeName>,
    unit: &ServiceUnit,
    address: IpAddr,
    zone: &Name,
    notes: &mut impl Notes,
) {
    // Those of other services are others.
    let first = names.len();
    for entry in unit.endpoints.at(address) {
        notes.say(|| {
            let (label, slice) = (entry.label(), unit.endpoints.slice(entry));
            let text = format!("endpoint {label} of Service {} (EndpointSlice {slice})", unit.name);
            Step::of(Topic::Object, format!("{text} has the address {address}"))
                .about(Kind::Service, &unit.name)
                .about(Kind::EndpointSlice, slice)
                .weighing(Weight::Cause)
        });
        let mut labels = Vec::new();
        if push_label(&mut labels, &entry.label()) {
            select::push_service(&mut labels, unit);
            let name = MadeName { labels, base: Base::Name(zone.clone()) };
            if !names[first..].contains(&name) {
                names.push(name);
            }
        }
    }
}
