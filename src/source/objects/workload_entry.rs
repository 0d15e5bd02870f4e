//! WorkloadEntries as written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::RawMeta;
use super::meta::{NameRule, RawCondition, is_true, lenient, mapping, mappings};
use crate::model::{Defect, Target, WorkloadEntry};

/// `networking.istio.io` WorkloadEntry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawWorkloadEntry {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    #[serde(deserialize_with = "mapping")]
    spec: RawSpec,
    #[serde(deserialize_with = "mapping")]
    status: RawStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawStatus {
    #[serde(deserialize_with = "mappings")]
    conditions: Vec<RawCondition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpec {
    address: Option<String>,
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, Option<String>>,
}

/// Annotation under which an entry is checked before it is used (Istio `pilot/pkg/model/status/workloadentry.go`).
const HEALTH_CHECKED: &str = "proxy.istio.io/health-checks-enabled";

/// Converts one WorkloadEntry; `None` if it has no name, or an address that is none. It may lack an address: those of
/// another network are reached through their gateway.
pub fn convert(raw: RawWorkloadEntry) -> (Option<WorkloadEntry>, Vec<Defect>) {
    let RawWorkloadEntry { metadata, mut spec, status } = raw;
    let name = match metadata.object_name(NameRule::Subdomain) {
        Ok(name) => name,
        Err(defect) => return (None, vec![defect]),
    };
    let target = match Target::parse(spec.address.as_deref().unwrap_or_default()) {
        Ok(target) => target,
        Err(message) => return (None, vec![Defect::of_field("spec.address", message)]),
    };
    // As Go's strconv.ParseBool reads it.
    let checked = metadata
        .annotation(HEALTH_CHECKED)
        .and_then(Value::as_str)
        .is_some_and(|v| matches!(v, "1" | "t" | "T" | "true" | "TRUE" | "True"));
    let healthy = !checked || is_true(&status.conditions, "Healthy");
    spec.labels.extend(metadata.labels);
    let labels = spec.labels.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    (Some(WorkloadEntry { name, labels, target, healthy }), Vec::new())
}
