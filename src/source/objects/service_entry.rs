//! ServiceEntries as written.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::meta::{NameRule, lenient, mapping, mappings, optional_mapping};
use super::{RawMeta, port};
use crate::model::{AnswerMode, Defect, Host, Labels, Port, Resolution, ServiceEntry, Target};

/// Annotation that says what an entry's hosts are answered with.
const ANSWER: &str = "meshdns.io/answer";

/// `networking.istio.io` ServiceEntry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawServiceEntry {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    #[serde(deserialize_with = "mapping")]
    spec: RawSpec,
    #[serde(deserialize_with = "mapping")]
    status: RawStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpec {
    #[serde(deserialize_with = "lenient")]
    hosts: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    addresses: Vec<String>,
    #[serde(deserialize_with = "mappings")]
    ports: Vec<RawServicePort>,
    resolution: Option<String>,
    #[serde(deserialize_with = "mappings")]
    endpoints: Vec<RawEndpoint>,
    #[serde(deserialize_with = "optional_mapping")]
    workload_selector: Option<RawSelector>,
    #[serde(deserialize_with = "lenient")]
    export_to: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawEndpoint {
    address: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawSelector {
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, Option<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawServicePort {
    number: Option<i64>,
    name: Option<String>,
    protocol: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawStatus {
    #[serde(deserialize_with = "mappings")]
    addresses: Vec<RawAssigned>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawAssigned {
    value: Option<String>,
    host: Option<String>,
}

impl RawSelector {
    fn labels(self) -> Labels {
        self.labels.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// Converts one ServiceEntry; `None` if it has no name or an unknown resolution.
pub fn convert(raw: RawServiceEntry) -> (Option<ServiceEntry>, Vec<Defect>) {
    let RawServiceEntry { metadata, spec, status } = raw;
    let mut defects = Vec::new();
    let name = match metadata.object_name(NameRule::Subdomain) {
        Ok(name) => name,
        Err(defect) => return (None, vec![defect]),
    };
    let resolution = match resolution(spec.resolution.as_deref()) {
        Ok(resolution) => resolution,
        Err(defect) => return (None, vec![defect]),
    };
    let hosts = hosts(&spec.hosts, &mut defects);
    let (declares_addresses, addresses) = addresses(&spec.addresses, &mut defects);
    let ports = ports(spec.ports, &mut defects);
    let endpoints = endpoints(spec.endpoints, &mut defects);
    let answer = answer(&metadata, &mut defects);
    let ttl = metadata.ttl(&mut defects);
    let written = metadata.written(&mut defects);
    let created = metadata.created(&mut defects);
    let assigned = assigned(status, &mut defects);
    let entry = ServiceEntry {
        name,
        labels: metadata.into_labels([]),
        hosts,
        declares_addresses,
        addresses,
        ports,
        resolution,
        endpoints,
        selector: spec.workload_selector.map(RawSelector::labels),
        answer,
        ttl,
        export_to: spec.export_to.into_iter().map(Box::from).collect(),
        created,
        assigned,
        written,
    };
    (Some(entry), defects)
}

fn resolution(written: Option<&str>) -> Result<Resolution, Defect> {
    match written {
        None | Some("" | "NONE") => Ok(Resolution::None),
        Some("STATIC") => Ok(Resolution::Static),
        Some("DNS") => Ok(Resolution::Dns),
        Some("DNS_ROUND_ROBIN") => Ok(Resolution::DnsRoundRobin),
        Some("DYNAMIC_DNS") => Ok(Resolution::DynamicDns),
        Some(other) => {
            let message =
                format!("`{other}` is not a resolution: NONE, STATIC, DNS, DNS_ROUND_ROBIN or DYNAMIC_DNS");
            Err(Defect::of_field("spec.resolution", message))
        }
    }
}

fn hosts(written: &[String], defects: &mut Vec<Defect>) -> Vec<Host> {
    if written.is_empty() {
        defects.push(Defect::of_field("spec.hosts", "is missing"));
    }
    let mut hosts = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        match Host::parse(text) {
            Ok(host) => hosts.push(host),
            Err(error) => defects.push(Defect::of_field(format!("spec.hosts[{index}]"), error.to_string())),
        }
    }
    hosts
}

/// Whether there is any address or range, and the plain addresses.
fn addresses(written: &[String], defects: &mut Vec<Defect>) -> (bool, Vec<IpAddr>) {
    let (mut declares, mut addresses) = (false, Vec::new());
    for (index, text) in written.iter().enumerate() {
        match address_or_range(text) {
            Some(address) => {
                declares = true;
                addresses.extend(address);
            }
            None => {
                let message = format!("`{text}` is neither an IP address nor a range such as 10.0.0.0/8");
                defects.push(Defect::of_field(format!("spec.addresses[{index}]"), message));
            }
        }
    }
    (declares, addresses)
}

/// An address, or nothing for a range of several. Ranges may have bits set outside their prefix, as Istio allows.
fn address_or_range(text: &str) -> Option<Option<IpAddr>> {
    let (address, prefix) = match text.split_once('/') {
        None => (text, None),
        Some((address, prefix)) => (address, Some(prefix)),
    };
    let address: IpAddr = address.parse().ok()?;
    let full: u8 = if address.is_ipv4() { 32 } else { 128 };
    match prefix {
        None => Some(Some(address)),
        Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            let prefix: u8 = digits.parse().ok().filter(|prefix| *prefix <= full)?;
            Some((prefix == full).then_some(address))
        }
        Some(_) => None,
    }
}

fn ports(raw: Vec<RawServicePort>, defects: &mut Vec<Defect>) -> Vec<Port> {
    let mut ports = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let field = format!("spec.ports[{index}]");
        match (port::number(raw.number), port::name(raw.name)) {
            (Ok(number), Ok(name)) => {
                let protocol = raw.protocol.filter(|protocol| !protocol.is_empty());
                let protocol = protocol.unwrap_or_else(|| "TCP".to_owned()).into();
                ports.push(Port { name, protocol, number: Some(number) });
            }
            (Err(message), _) => defects.push(Defect::of_field(format!("{field}.number"), message)),
            (_, Err(message)) => defects.push(Defect::of_field(format!("{field}.name"), message)),
        }
    }
    ports
}

fn endpoints(raw: Vec<RawEndpoint>, defects: &mut Vec<Defect>) -> Vec<Target> {
    let mut endpoints = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        match Target::parse(raw.address.as_deref().unwrap_or_default()) {
            Ok(target) => endpoints.push(target),
            Err(message) => {
                defects.push(Defect::of_field(format!("spec.endpoints[{index}].address"), message));
            }
        }
    }
    endpoints
}

/// The annotation that says what this entry's hosts are answered with.
fn answer(metadata: &RawMeta, defects: &mut Vec<Defect>) -> Option<AnswerMode> {
    let written = metadata.annotation(ANSWER)?;
    let known = AnswerMode::ALL.into_iter().find(|mode| written.as_str() == Some(mode.as_str()));
    if known.is_none() {
        let written = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        let message = format!("`{written}` is unknown: vip, endpoints or decline is expected");
        defects.push(Defect::of_field(format!("metadata.annotations[{ANSWER}]"), message));
    }
    known
}

fn assigned(status: RawStatus, defects: &mut Vec<Defect>) -> Vec<(Box<str>, IpAddr)> {
    let mut assigned = Vec::with_capacity(status.addresses.len());
    for (index, raw) in status.addresses.into_iter().enumerate() {
        let field = format!("status.addresses[{index}].value");
        match raw.value {
            None => defects.push(Defect::of_field(field, "is missing")),
            Some(text) => {
                let address = super::address(&field, &text, defects);
                assigned.extend(address.map(|address| (raw.host.unwrap_or_default().into(), address)));
            }
        }
    }
    assigned
}
