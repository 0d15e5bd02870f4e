//! EndpointSlices as written.

use std::sync::Arc;

use serde::Deserialize;

use super::meta::{NameRule, is_dns_label, lenient, mapping, mappings};
use super::{RawMeta, RawPort, port};
use crate::model::{Defect, Endpoint, EndpointAddress, EndpointSlice, Imported, Name};

/// The label that names the Service.
pub(super) const SERVICE_LABEL: &str = "kubernetes.io/service-name";
/// The label that names the ServiceImport.
const IMPORT_LABEL: &str = "multicluster.kubernetes.io/service-name";
/// The label that names the exporting cluster.
const CLUSTER_LABEL: &str = "multicluster.kubernetes.io/source-cluster";

/// `discovery.k8s.io` EndpointSlice.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawEndpointSlice {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    address_type: Option<String>,
    #[serde(deserialize_with = "mappings")]
    endpoints: Vec<RawEndpoint>,
    #[serde(deserialize_with = "mappings")]
    ports: Vec<RawPort>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawEndpoint {
    #[serde(deserialize_with = "lenient")]
    addresses: Vec<String>,
    #[serde(deserialize_with = "mapping")]
    conditions: RawConditions,
    hostname: Option<String>,
    #[serde(deserialize_with = "mapping")]
    target_ref: RawReference,
    zone: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawConditions {
    ready: Option<bool>,
    serving: Option<bool>,
    terminating: Option<bool>,
}

/// `targetRef`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawReference {
    pub(super) name: Option<String>,
}

/// What the addresses of a slice are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressType {
    IPv4,
    IPv6,
    Fqdn,
    /// Not said, or said wrongly: either family.
    Any,
}

/// Converts one EndpointSlice; `None` if it has no name. An endpoint without a usable address is left out.
pub fn convert(raw: RawEndpointSlice) -> (Option<EndpointSlice>, Vec<Defect>) {
    let RawEndpointSlice { metadata, address_type, endpoints, ports } = raw;
    let mut defects = Vec::new();
    let name = match metadata.object_name(NameRule::Subdomain) {
        Ok(name) => name,
        Err(defect) => return (None, vec![defect]),
    };
    let kind = AddressType::read(address_type.as_deref(), &mut defects);
    let convert = |(index, raw)| endpoint(raw, kind, &format!("endpoints[{index}]"), &mut defects);
    let endpoints = endpoints.into_iter().enumerate().filter_map(convert).collect();
    let ports = port::convert(ports, "ports", port::Number::Optional, &mut defects);
    let written = metadata.written(&mut defects);
    let slice = EndpointSlice {
        name,
        service: metadata.label(SERVICE_LABEL).map(Into::into),
        import: imported(&metadata, &mut defects),
        labels: metadata.into_labels([]),
        ports: ports.into(),
        endpoints,
        mirrored: false,
        written,
    };
    (Some(slice), defects)
}

fn imported(metadata: &RawMeta, defects: &mut Vec<Defect>) -> Option<Imported> {
    let service = metadata.label(IMPORT_LABEL)?;
    let cluster = metadata.label(CLUSTER_LABEL).unwrap_or_default();
    if cluster.is_empty() {
        let message = format!("is missing beside {IMPORT_LABEL}");
        defects.push(Defect::of_field(format!("metadata.labels.{CLUSTER_LABEL}"), message));
    }
    Some(Imported { service: service.into(), cluster: cluster.into() })
}

fn endpoint(raw: RawEndpoint, kind: AddressType, field: &str, defects: &mut Vec<Defect>) -> Option<Endpoint> {
    if raw.addresses.is_empty() {
        defects.push(Defect::of_field(format!("{field}.addresses"), "is empty"));
    }
    let mut addresses = Vec::with_capacity(raw.addresses.len());
    for (index, text) in raw.addresses.iter().enumerate() {
        match kind.address(text) {
            Ok(address) => addresses.push(address),
            Err(message) => {
                defects.push(Defect::of_field(format!("{field}.addresses[{index}]"), message));
            }
        }
    }
    let hostname = hostname(raw.hostname, field, defects);
    let ready = raw.conditions.ready.unwrap_or(true);
    (!addresses.is_empty()).then(|| Endpoint {
        addresses: addresses.into_iter().collect(),
        hostname,
        ready,
        serving: raw.conditions.serving.unwrap_or(ready),
        terminating: raw.conditions.terminating.unwrap_or(false),
        target: text(raw.target_ref.name),
        zone: text(raw.zone),
    })
}

/// The host name of the endpoint `field`, if it can be a label.
pub(super) fn hostname(written: Option<String>, field: &str, defects: &mut Vec<Defect>) -> Option<Arc<str>> {
    let name: Arc<str> = text(written)?;
    if is_dns_label(&name) {
        return Some(name);
    }
    let message = format!("`{name}` is not a host name: up to 63 letters, digits and `-`");
    defects.push(Defect::of_field(format!("{field}.hostname"), message));
    None
}

/// A text that is there and not empty.
pub(super) fn text<T: From<String>>(written: Option<String>) -> Option<T> {
    written.filter(|text| !text.is_empty()).map(T::from)
}

impl AddressType {
    fn read(written: Option<&str>, defects: &mut Vec<Defect>) -> Self {
        match written {
            Some("IPv4") => Self::IPv4,
            Some("IPv6") => Self::IPv6,
            Some("FQDN") => Self::Fqdn,
            None | Some("") => Self::Any,
            Some(other) => {
                let message = format!("`{other}` is not an address type: IPv4, IPv6 or FQDN");
                defects.push(Defect::of_field("addressType", message));
                Self::Any
            }
        }
    }

    fn address(self, text: &str) -> Result<EndpointAddress, String> {
        if self == Self::Fqdn {
            return Name::parse(text).map(EndpointAddress::Name).map_err(|error| error.to_string());
        }
        let address: Option<std::net::IpAddr> = text.parse().ok();
        let fits = address.filter(|address| match self {
            Self::IPv4 => address.is_ipv4(),
            Self::IPv6 => address.is_ipv6(),
            Self::Fqdn | Self::Any => true,
        });
        fits.map(EndpointAddress::Ip).ok_or_else(|| match self {
            Self::IPv4 => format!("`{text}` is not an IPv4 address"),
            Self::IPv6 => format!("`{text}` is not an IPv6 address"),
            Self::Fqdn | Self::Any => format!("`{text}` is not an IP address"),
        })
    }
}
