//! What every zone has: its SOA, its name servers and its fixed names.

use std::net::IpAddr;

use super::{
    Addresses, Asked, Base, Found, MadeName, NameServer, Notes, Origin, Records, Soa, Step, Topic, Weight,
    kind, mesh, select,
};
use crate::catalog::{Catalog, Class, Owners, ReverseOwner, ServiceKind, UnitTtl};
use crate::model::{Zone, ZoneKind, push_label};

/// The version of the Kubernetes DNS specification that names follow (its section 2.2).
const VERSION: &str = "1.1.0";
/// Its TTL, which no setting changes.
pub(super) const VERSION_TTL: u32 = 28_800;
/// The longest TTL of the SOA record itself.
const SOA_TTL: u32 = 300;

/// The zone that answers for a name. Its SOA is made when an answer has need of it: most have none.
#[derive(Clone, Copy)]
pub(super) struct Authority<'a> {
    catalog: &'a Catalog,
    name: &'a Asked,
    /// Where the apex begins in the name.
    apex: usize,
    serial: Serial,
}

/// Which serial an SOA has.
#[derive(Clone, Copy)]
enum Serial {
    /// That of all zones of a kind.
    Of(ZoneKind),
    /// That of a mesh host.
    Own(u32),
}

impl<'a> Authority<'a> {
    /// A zone of the settings whose apex begins at `apex` in the name.
    pub(super) fn of_zone(catalog: &'a Catalog, zone: &Zone, apex: usize, name: &'a Asked) -> Self {
        Self { catalog, name, apex, serial: Serial::Of(zone.kind) }
    }

    /// The small zone that a mesh host is.
    pub(super) fn of_host(catalog: &'a Catalog, apex: usize, serial: u32, name: &'a Asked) -> Self {
        Self { catalog, name, apex, serial: Serial::Own(serial) }
    }

    /// Its SOA, with the TTLs of the policy for negative answers about the name.
    pub(super) fn soa(&self) -> Soa {
        let serial = match self.serial {
            Serial::Of(ZoneKind::ClusterSet) => self.catalog.cluster_set_serial(),
            Serial::Of(ZoneKind::Cluster | ZoneKind::Reverse) => self.catalog.serial(),
            Serial::Own(serial) => serial,
        };
        let ttls = self.catalog.policy.ttl.load();
        let given = ttls.give(Class::Negative, self.name.wire(), ttls.of_nothing());
        let minimum = ttls.current().minimum(given).seconds();
        Soa { apex: self.apex, serial, ttl: given.ttl.seconds(), minimum, source: given.source }
    }
}

/// The SOA as a record that was asked for.
pub(super) fn asked_for(authority: Authority<'_>) -> Records {
    let soa = authority.soa();
    Records::Soa(Soa { ttl: soa.ttl.min(SOA_TTL), ..soa })
}

/// The outcome for a name that every zone has; `None` for any other.
pub(super) fn fixed(
    catalog: &Catalog,
    zone: &Zone,
    at: usize,
    name: &Asked,
    kind: u16,
    authority: Authority<'_>,
    notes: &mut impl Notes,
) -> Option<Found> {
    let count = name.labels_before(at);
    let found = match count {
        0 => return Some(apex(catalog, zone, at, name, kind, authority, notes)),
        1 if name.label(0) == b"dns-version" => match kind {
            kind::TXT => found(Records::Text(VERSION)),
            _ => Found::Nothing,
        },
        1 if name.label(0) == b"dns" => Found::Nothing,
        2 if name.label(0) == b"ns" && name.label(1) == b"dns" => server_addresses(catalog, zone, at, kind),
        _ => return None,
    };
    notes.known_to(Origin::Zone);
    notes.say(|| Step::of(Topic::Name, "it is a name that every zone has").weighing(Weight::Fallback));
    Some(found)
}

fn apex(
    catalog: &Catalog,
    zone: &Zone,
    at: usize,
    name: &Asked,
    kind: u16,
    authority: Authority<'_>,
    notes: &mut impl Notes,
) -> Found {
    notes.say(|| Step::of(Topic::Name, "it is the apex of the zone").weighing(Weight::Fallback));
    if matches!(kind, kind::SOA | kind::NS) || zone.kind != ZoneKind::Cluster {
        notes.known_to(Origin::Zone);
    }
    match kind {
        kind::SOA => found(asked_for(authority)),
        kind::NS => match name_servers(catalog, zone, at) {
            servers if servers.is_empty() => Found::Nothing,
            servers => found(Records::NameServers(servers)),
        },
        _ if zone.kind == ZoneKind::Cluster => match mesh::find(catalog, name, kind, notes) {
            Found::Missing | Found::Pending | Found::Waiting => {
                notes.known_to(Origin::Zone);
                Found::Nothing
            }
            found => {
                notes.known_to(Origin::Istio);
                found
            }
        },
        _ => Found::Nothing,
    }
}

/// The name servers of a zone: the services that have one of the configured addresses as a ready endpoint, under
/// their own names; without any such service `ns.dns` of the zone. Services have no names in reverse and multicluster
/// zones: there their names in the first forward zone are given.
fn name_servers(catalog: &Catalog, zone: &Zone, at: usize) -> Vec<NameServer> {
    let mut servers: Vec<NameServer> = Vec::new();
    let base = match (zone.kind, catalog.policy.zones.first_forward()) {
        (ZoneKind::Cluster, _) => Some(Base::Asked(at)),
        (_, forward) => forward.map(|zone| Base::Name(zone.name.clone())),
    };
    let mut add = |labels: Vec<u8>, address: IpAddr| {
        let Some(base) = base.clone() else { return };
        let name = MadeName { labels, base };
        match servers.iter_mut().find(|server| server.name == name) {
            Some(server) if server.addresses.contains(&address) => {}
            Some(server) => server.addresses.push(address),
            None => servers.push(NameServer { name, addresses: vec![address] }),
        }
    };
    for address in &catalog.policy.server_addresses {
        for owner in catalog.reverse().owners(*address).iter().flat_map(Owners::iter) {
            let ReverseOwner::Endpoint(key) = &*owner else { continue };
            let Some(unit) = catalog.service(key) else { continue };
            let mut service = Vec::new();
            select::push_service(&mut service, &unit);
            for entry in unit.endpoints.at(*address) {
                if !matches!(unit.kind, ServiceKind::Headless) {
                    unit.cluster_ips().into_iter().for_each(|address| add(service.clone(), address));
                    continue;
                }
                let slice = unit.endpoints.slice(entry);
                for sibling in unit.endpoints.iter().filter(|sibling| unit.endpoints.slice(sibling) == slice)
                {
                    let mut labels = Vec::new();
                    if let Some(address) = sibling.ip()
                        && push_label(&mut labels, &sibling.label())
                    {
                        labels.extend_from_slice(&service);
                        add(labels, address);
                    }
                }
            }
        }
    }
    if servers.is_empty() && !catalog.policy.server_addresses.is_empty() {
        let name = MadeName { labels: b"\x02ns\x03dns".to_vec(), base: Base::Asked(at) };
        servers.push(NameServer { name, addresses: catalog.policy.server_addresses.clone() });
    }
    servers
}

/// `ns.dns` of a zone: all addresses of its name servers.
fn server_addresses(catalog: &Catalog, zone: &Zone, at: usize, kind: u16) -> Found {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for server in name_servers(catalog, zone, at) {
        for address in server.addresses {
            match address {
                IpAddr::V4(address) if !v4.contains(&address) => v4.push(address),
                IpAddr::V6(address) if !v6.contains(&address) => v6.push(address),
                _ => {}
            }
        }
    }
    let records = match kind {
        kind::A => Records::V4(Addresses::Own(v4)),
        kind::AAAA => Records::V6(Addresses::Own(v6)),
        _ => Records::None,
    };
    if records.is_empty() { Found::Nothing } else { found(records) }
}

/// Records of the zone itself.
fn found(records: Records) -> Found {
    Found::Records(records, Class::Zone, UnitTtl::default())
}
