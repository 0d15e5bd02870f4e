//! WorkloadEntries.

use serde_json::json;

use super::Builder;
use super::kubernetes::APPS;

/// A WorkloadEntry with an address of any kind, checked for its health or not.
pub(super) fn workload_entry(builder: &mut Builder, namespace: &str) {
    let name = builder.fresh("w", namespace);
    let address = match builder.random.between(0, 5) {
        0 => builder.address("fd00:247:"),
        1 => "vm.example.net".to_owned(),
        _ => builder.address("10.247"),
    };
    let mut entry = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {},
        "spec": {"address": address},
    });
    // Labels of the object are laid over those of its spec.
    let (app, other) = (builder.random.pick(&APPS), builder.random.pick(&APPS));
    match builder.random.between(0, 2) {
        0 => entry["metadata"]["labels"] = json!({"app": app}),
        1 => entry["spec"]["labels"] = json!({"app": app, "tier": "old"}),
        _ => {
            entry["metadata"]["labels"] = json!({"app": app});
            entry["spec"]["labels"] = json!({"app": other});
        }
    }
    if builder.random.percent(40) {
        let checked = builder.random.pick(&["true", "1", "false", "maybe"]);
        entry["metadata"]["annotations"] = json!({"proxy.istio.io/health-checks-enabled": checked});
    }
    if builder.random.percent(40) {
        let healthy = builder.random.pick(&["True", "False", "Unknown"]);
        entry["status"] = json!({"conditions": [{"type": "Healthy", "status": healthy}]});
    }
    builder.add(entry, namespace, &name);
}
