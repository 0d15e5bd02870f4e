//! Endpoints as written, turned into slices as the mirroring controller of Kubernetes does.
//!
//! Addresses with equal ports and of one family share a slice, up to a thousand; beyond that, unlike the
//! controller, nothing is lost: there are more slices. Objects that it skips are skipped: those with the label
//! `endpointslice.kubernetes.io/skip-mirror: "true"` and those that hold a leader's lock. Whether a Service that
//! selects pods uses them is for the reader of [`EndpointSlice::mirrored`] to decide.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::endpoint_slice::{RawReference, SERVICE_LABEL, hostname, text};
use super::meta::{NameRule, mapping, mappings};
use super::{RawMeta, RawPort, port};
use crate::model::{Defect, Endpoint, EndpointAddress, EndpointSlice, ObjectName, Port};

/// Endpoints of one slice.
const MAX_ENDPOINTS: usize = 1000;
const SKIP_LABEL: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER_ANNOTATION: &str = "control-plane.alpha.kubernetes.io/leader";
/// What the controller signs its slices with.
const MANAGED_BY: (&str, &str) =
    ("endpointslice.kubernetes.io/managed-by", "endpointslicemirroring-controller.k8s.io");

/// `v1` Endpoints.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawEndpoints {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
    #[serde(deserialize_with = "mappings")]
    subsets: Vec<RawSubset>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSubset {
    #[serde(deserialize_with = "mappings")]
    addresses: Vec<RawAddress>,
    #[serde(deserialize_with = "mappings")]
    not_ready_addresses: Vec<RawAddress>,
    #[serde(deserialize_with = "mappings")]
    ports: Vec<RawPort>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAddress {
    ip: Option<String>,
    hostname: Option<String>,
    #[serde(deserialize_with = "mapping")]
    target_ref: RawReference,
}

/// Endpoints that share ports and family, in the order written.
#[derive(Default)]
struct Groups {
    by_ports: BTreeMap<(Vec<Port>, bool), usize>,
    in_order: Vec<(Vec<Port>, Vec<Endpoint>)>,
}

/// Converts one Endpoints object; `None` if it has no name. No slices if it is not to be mirrored.
pub fn convert(raw: RawEndpoints) -> (Option<Vec<EndpointSlice>>, Vec<Defect>) {
    let RawEndpoints { metadata, subsets } = raw;
    let mut defects = Vec::new();
    let name = match metadata.object_name(NameRule::Subdomain) {
        Ok(name) => name,
        Err(defect) => return (None, vec![defect]),
    };
    if metadata.label(SKIP_LABEL) == Some("true") || metadata.annotations.contains_key(LEADER_ANNOTATION) {
        return (Some(Vec::new()), defects);
    }
    let mut groups = Groups::default();
    for (index, subset) in subsets.into_iter().enumerate() {
        let field = format!("subsets[{index}]");
        let ports =
            port::convert(subset.ports, &format!("{field}.ports"), port::Number::Required, &mut defects);
        let lists =
            [("addresses", subset.addresses, true), ("notReadyAddresses", subset.not_ready_addresses, false)];
        for (list, addresses, ready) in lists {
            for (index, raw) in addresses.into_iter().enumerate() {
                let field = format!("{field}.{list}[{index}]");
                if let Some((endpoint, is_v6)) = endpoint(raw, ready, &field, &mut defects) {
                    groups.add(&ports, is_v6, endpoint);
                }
            }
        }
    }
    let written = metadata.written(&mut defects);
    let labels = metadata.into_labels([(SERVICE_LABEL, &*name.name), MANAGED_BY]);
    let mut slices = Vec::new();
    for (ports, mut rest) in groups.in_order {
        while !rest.is_empty() {
            let more = rest.split_off(rest.len().min(MAX_ENDPOINTS));
            slices.push(EndpointSlice {
                name: slice_name(&name, slices.len()),
                labels: labels.clone(),
                service: Some(name.name.clone()),
                import: None,
                ports: ports.clone().into(),
                endpoints: std::mem::replace(&mut rest, more),
                mirrored: true,
                written,
            });
        }
    }
    (Some(slices), defects)
}

/// What the slices of an Endpoints object are called, counted from 0.
pub(super) fn slice_name(endpoints: &ObjectName, number: usize) -> ObjectName {
    ObjectName::new(endpoints.namespace.clone(), format!("{}-mirrored-{number}", endpoints.name))
}

impl Groups {
    fn add(&mut self, ports: &[Port], is_v6: bool, endpoint: Endpoint) {
        let next = self.in_order.len();
        let at = *self.by_ports.entry((ports.to_vec(), is_v6)).or_insert(next);
        if at == next {
            self.in_order.push((ports.to_vec(), Vec::new()));
        }
        self.in_order[at].1.push(endpoint);
    }
}

/// One endpoint, and whether its address is of IPv6.
fn endpoint(
    raw: RawAddress,
    ready: bool,
    field: &str,
    defects: &mut Vec<Defect>,
) -> Option<(Endpoint, bool)> {
    let Some(ip) = raw.ip else {
        defects.push(Defect::of_field(format!("{field}.ip"), "is missing"));
        return None;
    };
    let address = super::address(&format!("{field}.ip"), &ip, defects)?;
    let endpoint = Endpoint {
        addresses: [EndpointAddress::Ip(address)].into_iter().collect(),
        hostname: hostname(raw.hostname, field, defects),
        ready,
        serving: ready,
        terminating: false,
        target: text(raw.target_ref.name),
        zone: None,
    };
    Some((endpoint, address.is_ipv6()))
}
