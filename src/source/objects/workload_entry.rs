//! WorkloadEntries as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::RawMeta;
use super::meta::{NameRule, lenient, mapping};
use crate::model::{Defect, WorkloadEntry};

/// `networking.istio.io` WorkloadEntry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawWorkloadEntry {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    #[serde(deserialize_with = "mapping")]
    spec: RawSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpec {
    address: Option<String>,
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, Option<String>>,
}

/// Converts one WorkloadEntry; `None` if it has no name. It may lack an address: those of another network are
/// reached through their gateway.
pub fn convert(raw: RawWorkloadEntry) -> (Option<WorkloadEntry>, Vec<Defect>) {
    let RawWorkloadEntry { metadata, mut spec } = raw;
    match metadata.object_name(NameRule::Subdomain) {
        Err(defect) => (None, vec![defect]),
        Ok(name) => {
            spec.labels.extend(metadata.labels);
            let labels = spec.labels.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
            (
                Some(WorkloadEntry { name, labels, address: spec.address.unwrap_or_default().into() }),
                Vec::new(),
            )
        }
    }
}
