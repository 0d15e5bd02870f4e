//! Pods, as their kubelets would report them.

use serde_json::{Value, json};

use super::Builder;
use crate::support::kube::PODS;

/// A pod in any phase.
pub(super) fn pod(builder: &mut Builder, namespace: &str) {
    let name = builder.name("pod");
    let mut spec = json!({"nodeName": "node", "containers": [{"name": "main", "image": "none"}]});
    if builder.random.percent(20) {
        spec["hostname"] = json!("db-0");
        spec["subdomain"] = json!("web");
    }
    let families: &[&str] =
        builder.random.pick(&[&["IPv4"][..], &["IPv6"], &["IPv4", "IPv6"], &["IPv6", "IPv4"], &[]]);
    let addresses: Vec<Value> =
        families.iter().map(|family| json!({"ip": builder.address(family).to_lowercase()})).collect();
    let phase = builder.random.pick(&[
        "Running",
        "Running",
        "Running",
        "Running",
        "Pending",
        "Succeeded",
        "Failed",
        "Unknown",
    ]);
    let mut status = json!({"phase": phase});
    if let Some(first) = addresses.first() {
        status["podIP"] = first["ip"].clone();
        status["podIPs"] = json!(addresses);
    }
    let leaves = builder.random.percent(12);
    let planned =
        builder.add(PODS, namespace, &name, json!({"apiVersion": "v1", "kind": "Pod", "spec": spec}));
    planned.status = Some(status);
    planned.leaves = leaves;
}
