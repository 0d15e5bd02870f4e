//! ServiceImports as written.

use serde::Deserialize;

use super::meta::{NameRule, lenient, mapping, mappings};
use super::{RawMeta, RawPort, port};
use crate::model::{Defect, ServiceImport};

/// `multicluster.x-k8s.io` ServiceImport.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawServiceImport {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    #[serde(deserialize_with = "mapping")]
    spec: RawSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpec {
    r#type: Option<String>,
    #[serde(deserialize_with = "lenient")]
    ips: Vec<String>,
    #[serde(deserialize_with = "mappings")]
    ports: Vec<RawPort>,
}

/// Converts one ServiceImport; `None` if it has no name or an unknown type.
pub fn convert(raw: RawServiceImport) -> (Option<ServiceImport>, Vec<Defect>) {
    let RawServiceImport { metadata, spec } = raw;
    let mut defects = Vec::new();
    let name = match metadata.object_name(NameRule::Label) {
        Ok(name) => name,
        Err(defect) => return (None, vec![defect]),
    };
    let addresses = match spec.r#type.as_deref() {
        None | Some("" | "ClusterSetIP") => {
            let ips = spec.ips.iter().enumerate();
            let read = |(index, text): (usize, &String)| {
                super::address(&format!("spec.ips[{index}]"), text, &mut defects)
            };
            Some(ips.filter_map(read).collect())
        }
        Some("Headless") => None,
        Some(other) => {
            let message = format!("`{other}` is not a type: ClusterSetIP or Headless");
            return (None, vec![Defect::of_field("spec.type", message)]);
        }
    };
    let ports = port::convert(spec.ports, "spec.ports", port::Number::Required, &mut defects);
    let written = metadata.written(&mut defects);
    (Some(ServiceImport { name, labels: metadata.into_labels([]), addresses, ports, written }), defects)
}
