//! Pod names: addresses with dashes.

use std::net::IpAddr;

use super::kubernetes::namespace;
use super::{Addresses, Asked, Found, Notes, Records, Step, Topic, Weight, kind};
use crate::catalog::{Catalog, Class, PodMode, UnitTtl};
use crate::model::{Kind, Labels};

/// `P.N.pod.Z`, where P is an address with dashes; up to two labels in front of it are ignored.
pub(super) fn find(
    catalog: &Catalog,
    name: &Asked,
    count: usize,
    kind: u16,
    notes: &mut impl Notes,
) -> Found {
    if catalog.policy.pods == PodMode::Disabled {
        notes.say(|| {
            Step::of(Topic::Name, "pod names are off (kubernetes.pods: disabled)").weighing(Weight::Cause)
        });
        return Found::Missing;
    }
    let namespace_label = name.label(count - 2);
    let served = namespace(catalog, namespace_label, notes);
    if count == 2 || matches!(served, Found::Missing) || count > 5 {
        return if count > 5 { Found::Missing } else { served };
    }
    let Some(mut address) = pod_address(name.label(count - 3)) else {
        notes.say(|| {
            Step::of(Topic::Name, "the label in the place of a pod is no address with dashes")
                .weighing(Weight::Cause)
        });
        return Found::Missing;
    };
    let mut ttl = UnitTtl::default();
    if catalog.policy.pods == PodMode::Verified {
        let Some(unit) = catalog.pod(namespace_label, address) else {
            notes.say(|| {
                let namespace = String::from_utf8_lossy(namespace_label);
                Step::of(Topic::Object, format!("no Pod in {namespace} has the address {address}"))
                    .weighing(Weight::Absent)
            });
            return Found::Missing;
        };
        notes.say(|| {
            Step::of(Topic::Object, format!("Pod {} has the address {address}", unit.names[0]))
                .about_all(Kind::Pod, &unit.names)
                .weighing(Weight::Cause)
        });
        ttl = unit.ttl;
    }
    if catalog.policy.pods == PodMode::Insecure {
        let namespace = std::str::from_utf8(namespace_label).unwrap_or_default();
        ttl = catalog.policy.ttl.load().of_object(namespace, &Labels::default(), None);
        // Nobody is asked whose address it is, and CoreDNS reads a mapped address as the IPv4 address in it.
        address = address.to_canonical();
    }
    match (kind, address) {
        (kind::A, IpAddr::V4(address)) => {
            Found::Records(Records::V4(Addresses::Own(vec![address])), Class::Pod, ttl)
        }
        (kind::AAAA, IpAddr::V6(address)) => {
            Found::Records(Records::V6(Addresses::Own(vec![address])), Class::Pod, ttl)
        }
        _ => Found::Nothing,
    }
}

/// Exactly three dashes, none of them double, make an IPv4 address; anything else has its dashes read as colons.
fn pod_address(label: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(label).ok()?;
    if text.matches('-').count() == 3 && !text.contains("--") {
        text.replace('-', ".").parse().ok().map(IpAddr::V4)
    } else {
        text.replace('-', ":").parse().ok().map(IpAddr::V6)
    }
}
