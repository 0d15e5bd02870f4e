//! The permissions that the chart gives are enough, none is missing without being named, and there is nothing else.

use serde_json::{Value, json};

use super::installed::Installed;
use crate::support::kube::{ControlPlane, CustomResources, until};

impl Installed<'_> {
    fn apply(&self, object: &Value) {
        self.plane.api().apply(&object.to_string());
    }

    fn may(&self, verb: &str, group: &str, resource: &str, namespace: &str) -> bool {
        let what = json!({"verb": verb, "group": group, "resource": resource, "namespace": namespace});
        self.plane.api_as(&self.account).may(&what)
    }
}

/// A role without one of its resources, and what the rule for that would be.
fn without(role: &Value) -> Vec<(Value, String, String)> {
    let mut all = Vec::new();
    for (index, rule) in role["rules"].as_array().unwrap().iter().enumerate() {
        for resource in rule["resources"].as_array().unwrap() {
            let mut less = role.clone();
            let resources = less["rules"][index]["resources"].as_array_mut().unwrap();
            resources.retain(|other| other != resource);
            if resources.is_empty() {
                less["rules"].as_array_mut().unwrap().remove(index);
            }
            let (group, name) = (rule["apiGroups"][0].as_str().unwrap(), resource.as_str().unwrap());
            let kind = match role["metadata"]["namespace"].as_str() {
                Some(namespace) => format!("Role in {namespace}"),
                None => "ClusterRole".to_owned(),
            };
            let rule = format!(
                "{kind} rules: [{{apiGroups: [\"{group}\"], resources: [{name}], verbs: [list, watch]}}]"
            );
            all.push((less, name.to_owned(), rule));
        }
    }
    all
}

#[test]
fn each_permission_is_needed_and_named_when_it_is_missing() {
    let plane = ControlPlane::shared();
    plane.install(CustomResources::ServiceEntry);
    plane.install(CustomResources::WorkloadEntry);
    let installed = Installed::new(plane, "settings: {kubernetes: {pods: verified}}");
    installed.started().wait_until_ready();
    let role = installed.release.the("ClusterRole");
    let less = without(role);
    assert_eq!(less.len(), 6, "{role}");
    for (less, resource, rule) in less {
        installed.apply(&less);
        let server = installed.started();
        let page = until(&rule, || {
            let pages = ["/readyz", "/metrics"].map(|path| server.page(path)).join("\n");
            (pages.contains(&rule) && pages.contains("reason=\"forbidden\"")).then_some(pages)
        });
        // Hosts of the mesh are extra, and their absence keeps nothing else back.
        let optional = resource == "serviceentries" || resource == "workloadentries";
        let is_ready = || server.page("/readyz").starts_with("200 ");
        assert!(if optional { until("ready", || is_ready().then_some(true)) } else { !is_ready() }, "{page}");
    }
    installed.apply(role);
    installed.started().wait_until_ready();
}

#[test]
fn nothing_more_is_allowed() {
    let plane = ControlPlane::shared();
    let installed = Installed::new(plane, "{}");
    let own = installed.namespace.name.as_str();
    assert!(
        installed.may("list", "", "services", "")
            && installed.may("watch", "discovery.k8s.io", "endpointslices", "")
    );
    for (verb, group, resource) in [
        ("get", "", "secrets"),
        ("list", "", "secrets"),
        ("list", "", "pods"),
        ("list", "", "configmaps"),
        ("create", "", "configmaps"),
        ("update", "", "services"),
        ("delete", "discovery.k8s.io", "endpointslices"),
        ("create", "coordination.k8s.io", "leases"),
        ("patch", "networking.istio.io", "serviceentries"),
    ] {
        assert!(
            !installed.may(verb, group, resource, "") && !installed.may(verb, group, resource, own),
            "{verb} {resource}"
        );
    }
    // The ledger writes, and only where it is.
    let ledger = Installed::new(plane, "sharedLedger: {enabled: true}");
    let own = ledger.namespace.name.as_str();
    assert!(ledger.may("create", "", "configmaps", own) && ledger.may("update", "", "configmaps", own));
    assert!(
        !ledger.may("create", "", "configmaps", "default") && !ledger.may("delete", "", "configmaps", own)
    );
}

#[test]
fn roles_in_some_namespaces_are_enough_for_these() {
    let plane = ControlPlane::shared();
    let shop = plane.namespace("shop");
    let values = format!("rbac: {{namespaces: [{}]}}", shop.name);
    let installed = Installed::new(plane, &values);
    assert!(installed.release.all("ClusterRole").next().is_none());
    let mut server = installed.started();
    server.wait_until_ready();
    assert!(
        installed.may("list", "", "services", &shop.name)
            && !installed.may("list", "", "services", "default")
    );
    drop(server);
    let (less, _, rule) = without(installed.release.the("Role")).remove(0);
    installed.apply(&less);
    let server = installed.started();
    until(&rule, || server.page("/readyz").contains(&rule).then_some(()));
}
