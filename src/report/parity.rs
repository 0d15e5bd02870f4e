//! Where our calculation and what istiod tells a proxy differ.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::render::table;
use crate::catalog::{AddressOrigin, Catalog, HostState, HostUnit, Parity};

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
    /// Automatic addresses that no listener of the proxy is bound to; empty when listeners were not asked for.
    pub unheard: Vec<Unheard>,
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

/// An automatic address that no proxy listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unheard {
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

    /// Adds the automatic addresses that none of these addresses and ports of listeners has.
    pub fn hear(&mut self, catalog: &Catalog, listeners: &BTreeSet<(IpAddr, u16)>) {
        for unit in catalog.hosts.all() {
            let HostState::Addresses { v4, v6, ports, origin: AddressOrigin::Automatic, .. } = &unit.state
            else {
                continue;
            };
            // On a listener of both families, the first one is what it is called by.
            let addresses: Vec<IpAddr> =
                v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a))).collect();
            let own = |protocol: &str| OF_ITS_OWN.iter().any(|known| known.eq_ignore_ascii_case(protocol));
            for port in ports.iter().filter(|port| own(&port.protocol)).filter_map(|port| port.number) {
                for address in &addresses {
                    if !listeners.contains(&(*address, port)) {
                        self.unheard.push(Unheard { host: called(&unit), address: *address, port });
                    }
                }
            }
        }
        self.unheard.sort();
    }

    /// Whether anything differs.
    pub fn has_findings(&self) -> bool {
        !(self.differences.is_empty() && self.undeclared.is_empty() && self.unheard.is_empty())
    }
}

fn called(unit: &HostUnit) -> String {
    format!("{}{}", if unit.wildcard { "*." } else { "" }, unit.name)
}

/// The comparison as text: what differs, then counts.
pub fn parity_text(report: &ParityReport) -> String {
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
    for Unheard { host, address, port } in &report.unheard {
        let socket = std::net::SocketAddr::new(*address, *port);
        text.push_str(&format!("{host}: no listener of the proxy is bound to {socket}\n"));
    }
    let ParityReport { compared, differences, ruled, .. } = report;
    let hosts = |count: usize| if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") };
    text.push_str(&format!("{} compared, {} different", hosts(*compared), differences.len()));
    if !ruled.is_empty() {
        text.push_str(&format!("; {} answered by a rule of meshdns", hosts(ruled.len())));
    }
    text.push('\n');
    text
}
