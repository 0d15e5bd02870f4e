//! What istiod sends, in our nouns. Pure.
//!
//! Rules: a resource is decoded as a whole or not at all; of a table that decodes, a host that is no name costs its row,
//! an address that is none costs itself, and both are reported. A row whose every address was bad is left out, because
//! an answer without addresses would claim that the host has none; a row that came without addresses stays.

use std::collections::BTreeMap;
use std::net::IpAddr;

use prost::Message;

use super::proto::{
    Address, Any, LISTENER, Listener, NAME_TABLE, NameInfo, NameTable, address, socket_address,
};
use crate::model::{Defect, Host, Key, Kind, ObjectName, Registry, TableRow};

/// What the place of a defect says.
const PLACE: &str = "name table of istiod";
/// More defects than this are only counted.
const MOST_DEFECTS: usize = 1000;
/// Longest text of theirs that is repeated, in characters: a name that fits DNS is repeated in full.
const MOST_SHOWN: usize = 255;

/// The rows of a name table, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Those that can be used, by host as written.
    pub rows: BTreeMap<Box<str>, TableRow>,
    /// Everything that cannot, in the order of hosts.
    pub defects: Vec<Defect>,
}

/// An address that a proxy listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListenerAddress {
    /// What istiod calls the listener, such as `240.240.0.1_443`.
    pub listener: String,
    /// The address; unspecified (`0.0.0.0`, `::`) for one that takes whatever no other takes.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// Reads the resources of a name table; `Ok(None)` when there is none at all. The table of a proxy is one resource,
/// so a response without any says nothing new (`pkg/istio-agent/xds_proxy.go`). Of several, the first that names
/// a host counts. The error says which resource is not a table, and why.
pub fn name_table(resources: &[Any]) -> Result<Option<Rows>, String> {
    let mut found = Found::default();
    for (index, resource) in resources.iter().enumerate() {
        let NameTable { table } = decoded(index, resource, NAME_TABLE)?;
        for (host, info) in table {
            found.add(host, info);
        }
    }
    Ok((!resources.is_empty()).then(|| found.finish()))
}

/// Reads listeners. Those that are not bound to an address and a port, such as internal ones and sockets of files, are
/// left out. The error says which resource is not a listener, and why.
pub fn listeners(resources: &[Any]) -> Result<Vec<ListenerAddress>, String> {
    let mut bound = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let Listener { name, address, additional_addresses } = decoded(index, resource, LISTENER)?;
        let more = additional_addresses.into_iter().filter_map(|additional| additional.address);
        for (address, port) in address.into_iter().chain(more).filter_map(socket_of) {
            bound.push(ListenerAddress { listener: name.clone(), address, port });
        }
    }
    Ok(bound)
}

fn socket_of(address: Address) -> Option<(IpAddr, u16)> {
    let address::Address::SocketAddress(socket) = address.address?;
    let socket_address::PortSpecifier::PortValue(port) = socket.port_specifier?;
    Some((socket.address.parse().ok()?, port.try_into().ok()?))
}

fn decoded<M: Message + Default>(index: usize, resource: &Any, expected: &str) -> Result<M, String> {
    if resource.type_url != expected {
        let type_url = shown(&resource.type_url);
        return Err(format!("resource {index} is of type `{type_url}` where {expected} is expected"));
    }
    M::decode(resource.value.as_slice()).map_err(|error| format!("resource {index} does not decode: {error}"))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    rows: Rows,
    left_out: usize,
}

impl Found {
    fn add(&mut self, text: String, info: NameInfo) {
        let host = match Host::parse(&text) {
            Ok(host) => host,
            // What is wrong is told about the text as it is shown, so that it stays on one line.
            Err(_) => {
                let problem = Host::parse(&shown(&text)).err().map(|error| error.to_string());
                return self.defect(&text, "host", &problem.unwrap_or_else(|| "is not a host".to_owned()));
            }
        };
        let mut addresses = Vec::with_capacity(info.ips.len());
        for (index, ip) in info.ips.iter().enumerate() {
            match ip.parse::<IpAddr>() {
                Ok(address) => addresses.push(address),
                Err(_) => {
                    self.defect(
                        &text,
                        &format!("ips[{index}]"),
                        &format!("`{}` is not an address", shown(ip)),
                    );
                }
            }
        }
        if addresses.is_empty() && !info.ips.is_empty() {
            return;
        }
        if self.rows.rows.contains_key(text.as_str()) {
            return self.defect(&text, "host", "several resources name it: the first counts");
        }
        let registry = match info.registry.as_str() {
            "Kubernetes" => {
                Registry::Kubernetes { short_name: info.shortname.into(), namespace: info.namespace.into() }
            }
            // A registry that we do not know gets no short names, as in a sidecar (pkg/dns/client/dns.go).
            _ => Registry::External,
        };
        self.rows.rows.insert(text.into(), TableRow { host, addresses, registry });
    }

    fn defect(&mut self, host: &str, field: &str, message: &str) {
        if self.rows.defects.len() == MOST_DEFECTS {
            self.left_out += 1;
            return;
        }
        let object = Some(Key { kind: Kind::TableRow, name: ObjectName::new("", shown(host)) });
        let (field, message) = (field.to_owned(), message.to_owned());
        self.rows.defects.push(Defect { place: PLACE.to_owned(), object, field, message });
    }

    fn finish(mut self) -> Rows {
        if self.left_out > 0 {
            let message = format!("{} more things are wrong with it", self.left_out);
            let (place, field) = (PLACE.to_owned(), String::new());
            self.rows.defects.push(Defect { place, object: None, field, message });
        }
        self.rows
    }
}

/// A text of theirs, on one line and not too long.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MOST_SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
