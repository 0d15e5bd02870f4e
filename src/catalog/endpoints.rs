//! The endpoints of one service that are answered with, joined from all its slices.
//!
//! Rules: every address of an endpoint is published; a slice is one set of addresses times one set of ports; an
//! endpoint is called by its hostname, else (when asked for) by its pod, else by its address with dashes
//! (CoreDNS plugin/kubernetes). All slices of a service form one set, published at once, so an endpoint that moves
//! from one slice to another is never missing.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::content::Content;
use super::presence::{Absence, Presence};
use crate::model::{EndpointAddress, EndpointSlice, ObjectName, Port};

/// One address of one endpoint in one slice.
#[derive(Debug)]
pub struct Entry {
    /// The name that it asked for; without one it is called by its address.
    name: Option<Arc<str>>,
    /// Where it is reached.
    pub address: EndpointAddress,
    cluster: u32,
    ports: u32,
    slice: u32,
    zone: u32,
}

/// Stands for "no topology zone".
const NO_ZONE: u32 = u32::MAX;

/// Endpoints of a service.
#[derive(Debug, Default)]
pub struct EndpointSet {
    /// Those with names of their own, by cluster, then by name in lower case, then by address.
    named: Box<[Entry]>,
    /// Those called by their address, by cluster, then by address.
    dashed: Box<[Entry]>,
    v4: Arc<[Ipv4Addr]>,
    v6: Arc<[Ipv6Addr]>,
    clusters: Box<[Box<str>]>,
    port_sets: Box<[Arc<[Port]>]>,
    /// Which of them some endpoint has.
    used_ports: Box<[bool]>,
    slices: Box<[ObjectName]>,
    zones: Box<[Arc<str>]>,
    /// Whether any endpoint is reached under a name.
    has_names: bool,
    left_out: Box<[LeftOut]>,
    /// Whether they are terminating and stand in for ready ones.
    pub stand_ins: bool,
}

/// An address of an endpoint that is there and not in the set.
#[derive(Debug)]
pub struct LeftOut {
    name: Option<Arc<str>>,
    cluster: u32,
    /// Where it is reached.
    pub address: EndpointAddress,
    /// Why it is not in the set.
    pub why: Absence,
}

impl LeftOut {
    /// What the endpoint would be called.
    pub fn label(&self) -> Cow<'_, str> {
        label(self.name.as_deref(), &self.address)
    }
}

/// Which ports a query asks for. Both parts without their underscore; an empty one matches every port.
#[derive(Clone, Copy, Debug)]
pub struct PortFilter<'a> {
    /// Port name.
    pub port: &'a [u8],
    /// Protocol.
    pub protocol: &'a [u8],
}

impl PortFilter<'_> {
    /// Whether a port is asked for.
    pub fn matches(&self, port: &Port) -> bool {
        let part = |asked: &[u8], is: &str| asked.is_empty() || asked.eq_ignore_ascii_case(is.as_bytes());
        part(self.port, &port.name) && part(self.protocol, &port.protocol)
    }
}

impl EndpointSet {
    /// Joins the endpoints of slices that are present, where the slices come sorted by name.
    pub(super) fn join(slices: &[&EndpointSlice], pod_names: bool, presence: Presence) -> Self {
        let (mut named, mut dashed, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        let mut set = Tables::default();
        for slice in slices {
            let place = set.slices.len() as u32;
            set.slices.push(slice.name.clone());
            let ports = if slice.ports.is_empty() { [Port::none()].into() } else { slice.ports.clone() };
            let ports = intern(&mut set.port_sets, ports);
            let cluster = slice.import.as_ref().map_or("", |import| &import.cluster);
            let cluster = intern(&mut set.clusters, cluster.into());
            for endpoint in &slice.endpoints {
                let pod = endpoint.target.as_ref().filter(|pod| pod_names && pod.len() <= 63);
                // A dot would make two labels of it: such an endpoint is called by its address.
                let name = endpoint.hostname.as_ref().or(pod).filter(|name| !name.contains('.'));
                if let Err(why) = presence.of(endpoint) {
                    left_out.extend(endpoint.addresses.iter().map(|address| {
                        let (name, address) = (name.cloned(), address.clone());
                        LeftOut { name, cluster, address, why }
                    }));
                    continue;
                }
                let zone =
                    endpoint.zone.as_ref().map_or(NO_ZONE, |zone| intern(&mut set.zones, zone.clone()));
                for address in &endpoint.addresses {
                    let entry = Entry {
                        // A name that says what the address says is no name of its own.
                        name: name.filter(|name| ***name != *dashed_label(address)).cloned(),
                        address: address.clone(),
                        cluster,
                        ports,
                        slice: place,
                        zone,
                    };
                    if entry.name.is_some() { named.push(entry) } else { dashed.push(entry) }
                }
            }
        }
        named.sort_by(|a: &Entry, b| {
            (a.cluster, lower(a), &a.address, a.slice).cmp(&(b.cluster, lower(b), &b.address, b.slice))
        });
        dashed
            .sort_by(|a: &Entry, b| (a.cluster, &a.address, a.slice).cmp(&(b.cluster, &b.address, b.slice)));
        let mut used_ports = vec![false; set.port_sets.len()];
        named.iter().chain(&dashed).for_each(|entry| used_ports[entry.ports as usize] = true);
        let has_names = dashed.iter().any(|entry| entry.ip().is_none());
        let mut addresses: Vec<IpAddr> = named.iter().chain(&dashed).filter_map(Entry::ip).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(address) => v4.push(address),
                IpAddr::V6(address) => v6.push(address),
            }
        }
        Self {
            named: named.into(),
            dashed: dashed.into(),
            v4: shared(v4),
            v6: shared(v6),
            clusters: set.clusters.into(),
            port_sets: set.port_sets.into(),
            used_ports: used_ports.into(),
            slices: set.slices.into(),
            zones: set.zones.into(),
            has_names,
            left_out: left_out.into(),
            stand_ins: presence.stand_ins(),
        }
    }

    /// The addresses of endpoints that are there and not in the set.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Whether one of those is called `label` (in lower case); in `cluster` only, if one is named.
    pub fn leaves_out(&self, label: &[u8], cluster: Option<&[u8]>) -> bool {
        let inside = |entry: &LeftOut| {
            let name = self.clusters[entry.cluster as usize].as_bytes();
            cluster.is_none_or(|wanted| name.eq_ignore_ascii_case(wanted))
        };
        let is_called = |entry: &LeftOut| entry.label().as_bytes().eq_ignore_ascii_case(label);
        self.left_out.iter().any(|entry| inside(entry) && is_called(entry))
    }

    /// Every IPv4 address, once.
    pub fn v4(&self) -> &Arc<[Ipv4Addr]> {
        &self.v4
    }

    /// Every IPv6 address, once.
    pub fn v6(&self) -> &Arc<[Ipv6Addr]> {
        &self.v6
    }

    /// Whether there is no endpoint.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.dashed.is_empty()
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.named.iter().chain(&self.dashed)
    }

    /// The entries of endpoints called `label` (in lower case); in `cluster` only, if one is named.
    pub fn called(&self, label: &[u8], cluster: Option<&[u8]>) -> Vec<&Entry> {
        let dashed_addresses = undashed(label);
        let mut found = Vec::new();
        for (index, name) in self.clusters.iter().enumerate() {
            if cluster.is_some_and(|wanted| !name.as_bytes().eq_ignore_ascii_case(wanted)) {
                continue;
            }
            let index = index as u32;
            let start =
                self.named.partition_point(|entry| (entry.cluster, lower(entry).as_bytes()) < (index, label));
            found.extend(
                self.named[start..]
                    .iter()
                    .take_while(|entry| entry.cluster == index && lower(entry).as_bytes() == label),
            );
            for address in &dashed_addresses {
                let start =
                    self.dashed.partition_point(|entry| (entry.cluster, &entry.address) < (index, address));
                found.extend(
                    self.dashed[start..]
                        .iter()
                        .take_while(|entry| entry.cluster == index && entry.address == *address),
                );
            }
        }
        if !self.has_names {
            return found;
        }
        found.extend(self.dashed.iter().filter(|entry| {
            entry.ip().is_none()
                && cluster.is_none_or(|wanted| self.cluster(entry).as_bytes().eq_ignore_ascii_case(wanted))
                && entry.label().as_bytes().eq_ignore_ascii_case(label)
        }));
        found
    }

    /// Whether some endpoint comes from that cluster.
    pub fn has_cluster(&self, cluster: &[u8]) -> bool {
        self.clusters.iter().any(|name| !name.is_empty() && name.as_bytes().eq_ignore_ascii_case(cluster))
            && self.iter().any(|entry| self.cluster(entry).as_bytes().eq_ignore_ascii_case(cluster))
    }

    /// The entries with an address, wherever they are.
    pub fn at(&self, address: IpAddr) -> impl Iterator<Item = &Entry> {
        let wanted = EndpointAddress::Ip(address);
        self.iter().filter(move |entry| entry.address == wanted)
    }

    /// The ports of an entry.
    pub fn ports(&self, entry: &Entry) -> &[Port] {
        &self.port_sets[entry.ports as usize]
    }

    /// Every set of ports that some slice has.
    pub fn port_sets(&self) -> impl Iterator<Item = &[Port]> {
        self.port_sets.iter().map(AsRef::as_ref)
    }

    /// Every set of ports that some endpoint has.
    pub fn used_port_sets(&self) -> impl Iterator<Item = &[Port]> {
        self.port_sets().zip(&self.used_ports).filter_map(|(ports, used)| used.then_some(ports))
    }

    /// The cluster of an entry; empty for a local one.
    pub fn cluster(&self, entry: &Entry) -> &str {
        &self.clusters[entry.cluster as usize]
    }

    /// The topology zone of an entry.
    pub fn zone(&self, entry: &Entry) -> Option<&str> {
        self.zones.get(entry.zone as usize).map(AsRef::as_ref)
    }

    /// The slice of an entry.
    pub fn slice(&self, entry: &Entry) -> &ObjectName {
        &self.slices[entry.slice as usize]
    }

    /// The slices that were joined.
    pub fn slices(&self) -> &[ObjectName] {
        &self.slices
    }

    /// Adds everything that DNS can see.
    pub(super) fn hash(&self, mut content: Content) -> Content {
        for entry in self.iter() {
            content = content.bytes(entry.label().as_bytes()).bytes(self.cluster(entry).as_bytes());
            content = match &entry.address {
                EndpointAddress::Ip(address) => content.address(*address),
                EndpointAddress::Name(name) => content.bytes(name.wire()),
            };
            content = content.bytes(self.zone(entry).unwrap_or_default().as_bytes());
            for port in self.ports(entry) {
                content = hash_port(content, port);
            }
        }
        // Ports move the serial also where no endpoint is there, as they do in CoreDNS.
        self.port_sets().flatten().fold(content, hash_port)
    }
}

/// Adds a port.
pub(super) fn hash_port(content: Content, port: &Port) -> Content {
    let number = port.number.map_or(u64::MAX, u64::from);
    content.bytes(port.name.as_bytes()).bytes(port.protocol.as_bytes()).number(number)
}

/// As a shared list; an empty one takes no memory.
pub(super) fn shared<T>(list: Vec<T>) -> Arc<[T]> {
    if list.is_empty() { Arc::default() } else { list.into() }
}

#[derive(Default)]
struct Tables {
    clusters: Vec<Box<str>>,
    port_sets: Vec<Arc<[Port]>>,
    slices: Vec<ObjectName>,
    zones: Vec<Arc<str>>,
}

/// The place of a value in a short table, adding it when it is new.
fn intern<T: PartialEq>(table: &mut Vec<T>, value: T) -> u32 {
    let at = table.iter().position(|known| *known == value).unwrap_or_else(|| {
        table.push(value);
        table.len() - 1
    });
    at as u32
}

impl Entry {
    /// What the endpoint is called.
    pub fn label(&self) -> Cow<'_, str> {
        label(self.name.as_deref(), &self.address)
    }

    /// Its address, unless it is reached under a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.address {
            EndpointAddress::Ip(address) => Some(address),
            EndpointAddress::Name(_) => None,
        }
    }
}

/// What an endpoint is called that asked for this name, or for none.
fn label<'n>(name: Option<&'n str>, address: &EndpointAddress) -> Cow<'n, str> {
    name.map_or_else(|| Cow::Owned(dashed_label(address)), Cow::Borrowed)
}

fn lower(entry: &Entry) -> Cow<'_, str> {
    let name = entry.name.as_deref().unwrap_or_default();
    if name.bytes().any(|octet| octet.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// An address as a label: dots and colons become dashes, and a trailing dash gets a zero.
fn dashed_label(address: &EndpointAddress) -> String {
    let text = match address {
        EndpointAddress::Ip(address) => address.to_string(),
        EndpointAddress::Name(name) => name.to_string().trim_end_matches('.').to_owned(),
    };
    let mut label = text.replace(['.', ':'], "-");
    if label.ends_with('-') {
        label.push('0');
    }
    label
}

/// The addresses that a label stands for, if it is written exactly as [`dashed_label`] writes it: one, or two where
/// an IPv4-mapped address and another come out alike.
fn undashed(label: &[u8]) -> Vec<EndpointAddress> {
    let Some(text) = std::str::from_utf8(label).ok().filter(|text| text.len() <= 45 && text.contains('-'))
    else {
        return Vec::new();
    };
    let mapped = || {
        let address = text.strip_prefix("--ffff-")?.replace('-', ".").parse::<Ipv4Addr>().ok()?;
        Some(IpAddr::V6(address.to_ipv6_mapped()))
    };
    let v4 = text.replace('-', ".").parse().ok();
    let v6 = || text.replace('-', ":").parse().ok();
    [v4.or_else(v6), mapped()]
        .into_iter()
        .flatten()
        .map(EndpointAddress::Ip)
        .filter(|address| dashed_label(address) == text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label_of(text: &str) -> String {
        dashed_label(&EndpointAddress::Ip(text.parse().unwrap()))
    }

    #[test]
    fn addresses_become_labels_and_back() {
        for (address, label) in
            [("10.0.0.1", "10-0-0-1"), ("fd00::", "fd00--0"), ("::1", "--1"), ("fd00::a:1", "fd00--a-1")]
        {
            assert_eq!(label_of(address), label);
            assert_eq!(undashed(label.as_bytes()), [EndpointAddress::Ip(address.parse().unwrap())]);
        }
        assert_eq!(undashed(b"fd00-0-0-0-0-0-0-0"), [], "only the compressed form is a name");
        assert_eq!(undashed(b"web-0"), []);
        assert_eq!(undashed(b"010-0-0-1"), []);
    }

    #[test]
    fn an_ipv4_mapped_address_is_found_by_its_label() {
        assert_eq!(label_of("::ffff:1.2.3.4"), "--ffff-1-2-3-4");
        let found = undashed(b"--ffff-1-2-3-4");
        assert!(found.contains(&EndpointAddress::Ip("::ffff:1.2.3.4".parse().unwrap())), "{found:?}");
    }
}
