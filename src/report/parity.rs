//! Where our calculation and what istiod tells a proxy differ.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::conflicts::service_called;
use super::render::table;
use crate::catalog::{Catalog, HostState, HostUnit, Parity};
use crate::inventory::Inventory;
use crate::model::{Name, Port, Resolution, ServiceEntry};

/// Protocols of ports for which proxies listen on the address of the host itself; those of HTTP share one listener for all
/// hosts (Istio `pilot/pkg/networking/core/listener.go`).
const OF_ITS_OWN: [&str; 6] = ["TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS"];

/// The comparison of a catalog with the name table that it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityReport {
    /// Hosts that both sides could be compared for.
    pub compared: usize,
    /// Those that differ, by host.
    pub differences: Vec<ReportedDifference>,
    /// Hosts that istiod has and no entry declares.
    pub undeclared: Vec<String>,
    /// Hosts that a rule of ours answers otherwise, whatever istiod says.
    pub ruled: Vec<String>,
    /// Where listeners of the proxy are bound for automatic addresses; empty when listeners were not asked for.
    pub heard: Vec<Socket>,
    /// Where they should be and are not.
    pub unheard: Vec<Socket>,
}

/// A host that the entries give other addresses than istiod's name table has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportedDifference {
    /// The host, with its final dot; a wildcard begins with `*.`.
    pub host: String,
    /// What the entries give; nothing if they give none.
    pub ours: Vec<IpAddr>,
    /// What the table has; nothing if it lacks the host.
    pub theirs: Vec<IpAddr>,
    /// The entries that declare it, as `namespace/name`.
    pub entries: Vec<String>,
}

/// An automatic address with a port of its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Socket {
    /// The host.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

impl ParityReport {
    /// Compares every host of a catalog.
    pub fn of(catalog: &Catalog) -> Self {
        let mut report = Self::default();
        for unit in catalog.hosts.all() {
            match &unit.parity {
                Parity::Unknown => {}
                // Services of Kubernetes go first, whatever a proxy of some namespace or family is told.
                _ if service_called(catalog, &unit).is_some() => report.ruled.push(called(&unit)),
                Parity::Undeclared => report.undeclared.push(called(&unit)),
                Parity::Ruled => report.ruled.push(called(&unit)),
                Parity::Equal => report.compared += 1,
                Parity::Differs(difference) => {
                    report.compared += 1;
                    let passed_over = unit.passed_over.iter().map(|passed| &passed.entry);
                    report.differences.push(ReportedDifference {
                        host: called(&unit),
                        ours: difference.ours.clone(),
                        theirs: difference.theirs.clone(),
                        entries: unit.entries.iter().chain(passed_over).map(ToString::to_string).collect(),
                    });
                }
            }
        }
        report.differences.sort();
        report.undeclared.sort();
        report.ruled.sort();
        report
    }

    /// Adds which automatic addresses have listeners, given where all listeners of the proxy are bound. Hosts that Services
    /// of Kubernetes answer have none.
    pub fn hear(&mut self, catalog: &Catalog, inventory: &Inventory, listeners: &BTreeSet<(IpAddr, u16)>) {
        for unit in catalog.hosts.all() {
            let HostState::Addresses { v4, v6, .. } = &unit.state else { continue };
            if service_called(catalog, &unit).is_some() {
                continue;
            }
            let answered: Vec<IpAddr> =
                v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a))).collect();
            let entries = inventory.entries_of(&unit.name, unit.wildcard);
            for entry in entries.iter().filter(|entry| unit.entries.contains(&entry.name)) {
                for (address, port) in sockets(inventory, entry, &unit, &answered) {
                    let heard = listeners.contains(&(address, port));
                    let list = if heard { &mut self.heard } else { &mut self.unheard };
                    list.push(Socket { host: called(&unit), address, port });
                }
            }
        }
        for list in [&mut self.heard, &mut self.unheard] {
            list.sort();
            list.dedup();
        }
    }

    /// Whether anything differs.
    pub fn has_findings(&self) -> bool {
        !(self.differences.is_empty() && self.undeclared.is_empty() && self.unheard.is_empty())
    }
}

/// Where proxies listen for an entry that takes automatic addresses. With several entries of one host each has its own, as
/// far as their status says.
fn sockets(
    inventory: &Inventory,
    entry: &ServiceEntry,
    unit: &HostUnit,
    answered: &[IpAddr],
) -> Vec<(IpAddr, u16)> {
    if !entry.addresses.is_empty() || entry.resolution == Resolution::None {
        return Vec::new();
    }
    let texts = entry.hosts.iter().filter(|host| host.name == unit.name && host.wildcard == unit.wildcard);
    let texts: Vec<&str> = texts.map(|host| &*host.text).collect();
    let assigned = entry.assigned.iter().filter(|(host, _)| texts.contains(&&**host)).map(|(_, a)| *a);
    let mut own: Vec<IpAddr> = assigned.filter(|address| answered.contains(address)).collect();
    if own.is_empty() {
        // Without a status, those that are neither written by an author nor a pod's.
        let entries = inventory.entries_of(&unit.name, unit.wildcard);
        let pods = inventory.pods_in(&entry.name.namespace);
        let other = |address: &IpAddr| {
            entries.iter().any(|entry| entry.addresses.contains(address))
                || pods.iter().any(|pod| pod.address == Some(*address))
        };
        own = answered.iter().copied().filter(|address| !other(address)).collect();
    }
    let alone = |port: &&Port| OF_ITS_OWN.iter().any(|known| known.eq_ignore_ascii_case(&port.protocol));
    let ports = entry.ports.iter().filter(alone).filter_map(|port| port.number);
    ports.flat_map(|port| own.iter().map(move |address| (*address, port))).collect()
}

fn called(unit: &HostUnit) -> String {
    format!("{}{}", if unit.wildcard { "*." } else { "" }, unit.name)
}

/// The comparison as text: what differs, where the listeners of the `named` hosts are, then counts.
pub fn parity_text(report: &ParityReport, named: &[Name]) -> String {
    let told = |addresses: &[IpAddr]| match addresses {
        [] => "nothing".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let rows: Vec<[String; 4]> = report
        .differences
        .iter()
        .map(|difference| {
            [
                difference.host.clone(),
                format!("entries: {}", told(&difference.ours)),
                format!("istiod: {}", told(&difference.theirs)),
                difference.entries.join(", "),
            ]
        })
        .collect();
    let mut text = table(&rows);
    for host in &report.undeclared {
        text.push_str(&format!("{host}: istiod has it, and no entry that was read declares it\n"));
    }
    for socket in &report.unheard {
        text.push_str(&format!(
            "{}: no listener of the proxy is bound to {}\n",
            socket.host,
            socket.address()
        ));
    }
    let is_named = |socket: &&Socket| named.iter().any(|name| name.to_string() == socket.host);
    for socket in report.heard.iter().filter(is_named) {
        text.push_str(&format!(
            "{}: a listener of the proxy is bound to {}\n",
            socket.host,
            socket.address()
        ));
    }
    let ParityReport { compared, differences, ruled, heard, .. } = report;
    let count =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let hosts = |number| count(number, "host", "hosts");
    text.push_str(&format!("{} compared, {} different", hosts(*compared), differences.len()));
    if !heard.is_empty() {
        text.push_str(&format!("; {} found", count(heard.len(), "listener", "listeners")));
    }
    if !ruled.is_empty() {
        text.push_str(&format!("; {} answered by a rule of meshdns", hosts(ruled.len())));
    }
    text.push('\n');
    text
}

impl Socket {
    fn address(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}
