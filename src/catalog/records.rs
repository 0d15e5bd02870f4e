//! Everything that is answered, as a list.

use std::net::IpAddr;

use super::{Catalog, Class, HostState, HostUnit, ServiceKind, ServiceUnit, UnitTtl};
use crate::model::{Name, ZoneKind, dotted};

/// One line of the list: a name, what it is answered with, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// The record type.
    pub kind: &'static str,
    /// TTL in seconds.
    pub ttl: u32,
    /// The data, in zone file form.
    pub data: String,
    /// The class of the record.
    pub class: &'static str,
    /// What gave the TTL.
    pub ttl_source: String,
    /// The object that it comes from.
    pub object: String,
}

impl Catalog {
    /// Lists the names of services, their endpoints and mesh hosts with their addresses and aliases, sorted. SRV and
    /// PTR records follow from these and are left out. Costs as much as the catalog is large.
    pub fn records(&self) -> Vec<Listed> {
        let mut listed = Vec::new();
        for zone in self.policy.zones.iter() {
            let (units, noun) = match zone.kind {
                ZoneKind::Cluster => (&self.services, "Service"),
                ZoneKind::ClusterSet => (&self.imports, "ServiceImport"),
                ZoneKind::Reverse => continue,
            };
            for unit in units.values() {
                self.list_service(&unit, &zone.name.to_string(), noun, &mut listed);
            }
        }
        for unit in self.hosts.all() {
            self.list_host(&unit, &mut listed);
        }
        listed.sort();
        listed
    }

    fn list_service(&self, unit: &ServiceUnit, zone: &str, noun: &str, listed: &mut Vec<Listed>) {
        let object = format!("{noun} {}", unit.name);
        let name = format!("{}.{}.svc.{zone}", unit.name.name, unit.name.namespace);
        match &unit.kind {
            ServiceKind::Hidden(_) => {}
            ServiceKind::Alias { text, .. } => listed.push(self.alias(name, text, unit.ttl, object)),
            ServiceKind::ClusterIps { .. } => {
                for address in unit.cluster_ips() {
                    listed.push(self.line(name.clone(), address, Class::ClusterIp, unit.ttl, object.clone()));
                }
            }
            ServiceKind::Headless => {
                let v4 = unit.listed().v4().iter().map(|a| IpAddr::V4(*a));
                let v6 = unit.listed().v6().iter().map(|a| IpAddr::V6(*a));
                for address in v4.chain(v6) {
                    listed.push(self.line(name.clone(), address, Class::Headless, unit.ttl, object.clone()));
                }
                let endpoints = &unit.endpoints;
                for entry in endpoints.iter() {
                    let Some(address) = entry.ip() else { continue };
                    let cluster = endpoints.cluster(entry);
                    let cluster = if cluster.is_empty() { String::new() } else { format!("{cluster}.") };
                    let owner = format!("{}.{cluster}{name}", entry.label());
                    let object = format!("{object}, EndpointSlice {}", endpoints.slice(entry));
                    listed.push(self.line(owner, address, Class::Headless, unit.ttl, object));
                }
            }
        }
    }

    fn list_host(&self, unit: &HostUnit, listed: &mut Vec<Listed>) {
        let name = format!("{}{}", if unit.wildcard { "*." } else { "" }, unit.name);
        let mut objects: Vec<String> =
            unit.entries.iter().map(|entry| format!("ServiceEntry {entry}")).collect();
        match &unit.state {
            HostState::Addresses { v4, v6, origin, from_table, .. } => {
                if *from_table {
                    objects.push("istiod's name table".to_owned());
                }
                let addresses = v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a)));
                for address in addresses {
                    listed.push(self.line(
                        name.clone(),
                        address,
                        origin.class(),
                        unit.ttl,
                        objects.join(", "),
                    ));
                }
            }
            HostState::Alias { text, .. } => {
                listed.push(self.alias(name, text, unit.ttl, objects.join(", ")));
            }
            HostState::Pending | HostState::Declined(_) => {}
        }
    }

    fn line(&self, name: String, address: IpAddr, class: Class, unit: UnitTtl, object: String) -> Listed {
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        self.listed(name, kind, address.to_string(), class, unit, object)
    }

    fn alias(&self, name: String, text: &[u8], unit: UnitTtl, object: String) -> Listed {
        self.listed(name, "CNAME", dotted(text), Class::ExternalName, unit, object)
    }

    fn listed(
        &self,
        name: String,
        kind: &'static str,
        data: String,
        class: Class,
        unit: UnitTtl,
        object: String,
    ) -> Listed {
        // Rules for names are about the names below a star, not about the star.
        let asked = Name::parse(name.trim_start_matches("*.")).unwrap_or_else(|_| Name::root());
        let ttls = self.policy.ttl.load();
        let given = ttls.give(class, asked.wire(), unit);
        let ttl_source = ttls.under(unit).tell(given);
        Listed { name, kind, ttl: given.ttl.seconds(), data, class: class.as_str(), ttl_source, object }
    }
}
