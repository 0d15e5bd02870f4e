//! Services imported from other clusters of a set, with the slices of each.

use serde_json::{Value, json};

use super::{Builder, services, slices};
use crate::support::kube::{ENDPOINT_SLICES, SERVICE_IMPORTS};

/// An import with slices of some clusters.
pub(super) fn import(builder: &mut Builder, namespace: &str) {
    let name = builder.name("web");
    let headless = builder.random.percent(50);
    let ports: Value = services::ports(builder, 0);
    let mut spec = json!({"type": if headless { "Headless" } else { "ClusterSetIP" }, "ports": ports});
    if !headless && builder.random.percent(80) {
        let families = builder.random.pick(&[&["IPv4"][..], &["IPv6"], &["IPv4", "IPv6"]]);
        spec["ips"] = families.iter().map(|family| builder.cluster_ip(family)).collect();
    }
    let mut object =
        json!({"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport", "spec": spec});
    if builder.random.percent(50) {
        object["metadata"]["labels"]["dns"] = json!(builder.random.pick(&["yes", "no"]));
    }
    builder.add(SERVICE_IMPORTS, namespace, &name, object);
    let tail = &name[name.len().saturating_sub(50)..];
    for cluster in builder.random.pick(&[&[][..], &["blue"], &["blue", "green"], &["tcp"]]) {
        let family = builder.random.pick(&["IPv4", "IPv6"]);
        let mut slice = slices::slice(builder, family, &ports);
        slice["metadata"]["labels"]["multicluster.kubernetes.io/service-name"] = json!(name);
        slice["metadata"]["labels"]["multicluster.kubernetes.io/source-cluster"] = json!(cluster);
        if builder.random.percent(50) {
            // As implementations do that have a service of their own behind the import.
            let derived = format!("derived-{tail}");
            slice["metadata"]["labels"]["kubernetes.io/service-name"] = json!(derived);
        }
        builder.add(ENDPOINT_SLICES, namespace, &format!("{cluster}-{tail}"), slice);
    }
}
