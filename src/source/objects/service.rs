//! Services as written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::meta::{NameRule, lenient, mapping, mappings};
use super::{Origin, RawMeta, RawPort, port};
use crate::model::{Addressing, Defect, Name, Service};

/// `v1` Service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawService {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    #[serde(deserialize_with = "mapping")]
    spec: RawSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpec {
    r#type: Option<String>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<String>,
    #[serde(rename = "clusterIPs", deserialize_with = "lenient")]
    cluster_ips: Vec<String>,
    external_name: Option<String>,
    #[serde(deserialize_with = "mappings")]
    ports: Vec<RawPort>,
    #[serde(deserialize_with = "lenient")]
    selector: BTreeMap<String, IgnoredAny>,
}

/// Converts one Service; `None` if it has no name or nothing says how it is reached.
pub fn convert(raw: RawService, origin: Origin) -> (Option<Service>, Vec<Defect>) {
    let RawService { metadata, spec } = raw;
    let mut defects = Vec::new();
    let name = match metadata.object_name(NameRule::Label) {
        Ok(name) => name,
        Err(defect) => return (None, vec![defect]),
    };
    let addressing = match spec.r#type.as_deref() {
        None | Some("" | "ClusterIP" | "NodePort" | "LoadBalancer") => {
            cluster_ips(&spec, origin, &mut defects)
        }
        Some("ExternalName") => match external_name(&spec, &mut defects) {
            Some(addressing) => addressing,
            None => return (None, defects),
        },
        Some(other) => {
            let message =
                format!("`{other}` is not a type: ClusterIP, NodePort, LoadBalancer or ExternalName");
            return (None, vec![Defect::of_field("spec.type", message)]);
        }
    };
    let ttl = metadata.ttl(&mut defects);
    let written = metadata.written(&mut defects);
    let selects_pods = !spec.selector.is_empty();
    let ports = port::convert(spec.ports, "spec.ports", port::Number::Required, &mut defects);
    (
        Some(Service {
            name,
            labels: metadata.into_labels([]),
            addressing,
            ports: ports.into(),
            selects_pods,
            ttl,
            written,
        }),
        defects,
    )
}

/// `clusterIPs` if there are any, else `clusterIP`.
fn cluster_ips(spec: &RawSpec, origin: Origin, defects: &mut Vec<Defect>) -> Addressing {
    let several = spec.cluster_ips.iter().enumerate();
    let mut written: Vec<(String, &str)> =
        several.map(|(index, text)| (format!("spec.clusterIPs[{index}]"), text.as_str())).collect();
    if written.is_empty() {
        written.extend(spec.cluster_ip.as_deref().map(|text| ("spec.clusterIP".to_owned(), text)));
    }
    written.retain(|(_, text)| !text.is_empty());
    let headless = written.iter().any(|(_, text)| *text == "None");
    if written.is_empty() && origin == Origin::Manifest {
        return Addressing::Unassigned;
    }
    let mut addresses = Vec::with_capacity(written.len());
    for (field, text) in written.into_iter().filter(|(_, text)| *text != "None") {
        match super::address(&field, text, defects) {
            Some(_) if headless => {
                defects.push(Defect::of_field(field, format!("{text} is ignored beside `None`")));
            }
            Some(address) => addresses.push(address),
            None => {}
        }
    }
    if headless { Addressing::Headless } else { Addressing::ClusterIps(addresses) }
}

fn external_name(spec: &RawSpec, defects: &mut Vec<Defect>) -> Option<Addressing> {
    let Some(text) = spec.external_name.as_deref().filter(|text| !text.is_empty()) else {
        defects.push(Defect::of_field("spec.externalName", "is missing"));
        return None;
    };
    if let Err(error) = Name::parse(text) {
        defects.push(Defect::of_field("spec.externalName", error.to_string()));
    }
    Some(Addressing::ExternalName(text.into()))
}
