//! Pods as written.

use serde::Deserialize;

use super::RawMeta;
use super::meta::{NameRule, RawCondition, is_true, mapping, mappings};
use crate::model::{Defect, Pod};

/// `v1` Pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawPod {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    #[serde(deserialize_with = "mapping")]
    status: RawStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawStatus {
    phase: Option<String>,
    #[serde(deserialize_with = "mappings")]
    conditions: Vec<RawCondition>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
}

/// Converts one Pod; `None` if it has no name.
pub fn convert(raw: RawPod) -> (Option<Pod>, Vec<Defect>) {
    let name = match raw.metadata.object_name(NameRule::Subdomain) {
        Ok(name) => name,
        Err(defect) => return (None, vec![defect]),
    };
    let mut defects = Vec::new();
    let written = raw.status.pod_ip.filter(|text| !text.is_empty());
    let address = written.and_then(|text| super::address("status.podIP", &text, &mut defects));
    let finished = matches!(raw.status.phase.as_deref(), Some("Succeeded" | "Failed" | "Unknown"));
    let terminating = raw.metadata.deletion_timestamp.is_some();
    let ready = is_true(&raw.status.conditions, "Ready");
    let labels = raw.metadata.into_labels([]);
    (Some(Pod { name, labels, address, ready, finished, terminating }), defects)
}
