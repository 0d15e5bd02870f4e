//! Reverse names: addresses of services, of endpoints and of mesh hosts.
//!
//! Rules: a cluster IP has one PTR, to its service, and nothing else even if it is an endpoint's address too;
//! otherwise every ready endpoint of any service has one; otherwise an automatic address has one, to its host. A
//! shortened reverse name with any such address below it is an empty non-terminal. Targets of services lie in the
//! first forward zone.

use std::net::IpAddr;

use super::{Asked, Base, Found, MadeName, Notes, Records, Step, Topic, Weight, kind, kubernetes, select};
use crate::catalog::{Catalog, Class, ReverseOwner};
use crate::model::{Kind, push_label, reverse_address};

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
    let pointers = pointers(catalog, low, notes);
    if pointers.is_empty() {
        notes.say(|| {
            Step::of(Topic::Object, format!("nothing has the address {low}")).weighing(Weight::Cause)
        });
        return Found::Missing;
    }
    if kind == kind::PTR { Found::Records(Records::Pointers(pointers), Class::Ptr) } else { Found::Nothing }
}

fn pointers(catalog: &Catalog, address: IpAddr, notes: &mut impl Notes) -> Vec<MadeName> {
    let Some(owners) = catalog.reverse().owners(address) else { return Vec::new() };
    let zone = catalog.policy.zones.first_forward();
    let (mut endpoints, mut hosts) = (Vec::new(), Vec::new());
    for owner in owners.iter() {
        match (owner, zone) {
            (ReverseOwner::Service(key), Some(zone)) => {
                let Some(unit) = catalog.service(key) else { continue };
                if unit.has_cluster_ip(address) {
                    notes.say(|| {
                        Step::of(Topic::Object, format!("Service {} has the address {address}", unit.name))
                            .about(Kind::Service, &unit.name)
                            .weighing(Weight::Cause)
                    });
                    let mut labels = Vec::new();
                    select::push_service(&mut labels, &unit);
                    return vec![MadeName { labels, base: Base::Name(zone.name.clone()) }];
                }
                for entry in unit.endpoints.at(address) {
                    notes.say(|| {
                        let (label, slice) = (entry.label(), unit.endpoints.slice(entry));
                        let text =
                            format!("endpoint {label} of Service {} (EndpointSlice {slice})", unit.name);
                        Step::of(Topic::Object, format!("{text} has the address {address}"))
                            .about(Kind::Service, &unit.name)
                            .about(Kind::EndpointSlice, slice)
                            .weighing(Weight::Cause)
                    });
                    let mut labels = Vec::new();
                    if push_label(&mut labels, &entry.label()) {
                        select::push_service(&mut labels, &unit);
                        let pointer = MadeName { labels, base: Base::Name(zone.name.clone()) };
                        if !endpoints.contains(&pointer) {
                            endpoints.push(pointer);
                        }
                    }
                }
            }
            (ReverseOwner::Service(_), None) => {
                notes.say(|| Step::of(Topic::Zone, "no forward zone is configured that a PTR could lead to"));
            }
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
                hosts.push(MadeName {
                    labels: name.labels_wire().to_vec(),
                    base: Base::Name(crate::model::Name::root()),
                });
            }
        }
    }
    if endpoints.is_empty() {
        hosts.truncate(1);
        return hosts;
    }
    endpoints
}
