//! A release over its life, by Helm itself on a real API server: installed, changed, taken back, removed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::chart::{folder, helm};
use crate::support::kube::{ADMIN, CONFIG_MAPS, ControlPlane, Namespace, Resource, SERVICES};
use crate::support::process::written;

const DEPLOYMENTS: Resource = Resource { root: "apis/apps/v1", plural: "deployments" };
const CLUSTER_ROLES: Resource =
    Resource { root: "apis/rbac.authorization.k8s.io/v1", plural: "clusterroles" };

/// A release `dns` in a namespace of its own.
struct Life<'p> {
    plane: &'p ControlPlane,
    namespace: Namespace<'p>,
    beside: PathBuf,
}

impl Life<'_> {
    /// What Helm says to this, which must be fine with it.
    fn helm(&self, verb: &str, arguments: &[&str]) -> String {
        let mut command: Command = helm(&self.beside);
        command.arg(verb).arg("dns").args(arguments);
        command
            .args(["--namespace", &self.namespace.name, "--kubeconfig"])
            .arg(self.plane.kubeconfig(&ADMIN));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The settings, and the pods that run with them.
    fn running(&self) -> (String, Value) {
        let settings = self.namespace.get(CONFIG_MAPS, "dns-meshdns").unwrap();
        let deployment = self.namespace.get(DEPLOYMENTS, "dns-meshdns").unwrap();
        (
            settings["data"]["meshdns.yaml"].as_str().unwrap().to_owned(),
            deployment["spec"]["template"].clone(),
        )
    }
}

#[test]
fn a_release_is_installed_changed_taken_back_and_removed() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("life");
    let life = Life { plane, namespace, beside: written("beside", "") };
    let chart = folder();
    let chart: &str = Path::new(&chart).to_str().unwrap();
    let told = life.helm("install", &[chart, "--set", "replicas=3"]);
    assert!(told.contains("meshdns answers cluster.local at the Service dns-meshdns"), "{told}");
    // What was left out is told.
    assert!(told.contains("service.clusterIP is not set") && told.contains("gRPC is plaintext"), "{told}");
    let service = life.namespace.get(SERVICES, "dns-meshdns").unwrap();
    let (settings, pods) = life.running();
    assert!(!settings.contains("ttl:"), "{settings}");

    // TTLs are taken up by the pods that run; what needs a restart replaces them.
    life.helm("upgrade", &[chart, "--reuse-values", "--set", "settings.ttl.default=9"]);
    let (changed, same_pods) = life.running();
    assert!(changed.contains("ttl:\n  default: 9\n"), "{changed}");
    assert_eq!(same_pods, pods);
    life.helm("upgrade", &[chart, "--reuse-values", "--set", "settings.kubernetes.pods=insecure"]);
    let (_, new_pods) = life.running();
    assert_ne!(new_pods, pods);
    // Nobody loses the address that Corefiles know.
    let deployment = life.namespace.get(DEPLOYMENTS, "dns-meshdns").unwrap();
    assert_eq!(deployment["spec"]["replicas"], json!(3));
    let after = life.namespace.get(SERVICES, "dns-meshdns").unwrap();
    assert_eq!(after["spec"]["clusterIP"], service["spec"]["clusterIP"]);

    life.helm("rollback", &["1"]);
    assert_eq!(life.running(), (settings, pods));
    life.helm("uninstall", &[]);
    let role = format!("{}-dns-meshdns", life.namespace.name);
    assert!(life.namespace.get(DEPLOYMENTS, "dns-meshdns").is_none());
    assert!(plane.api().get(CLUSTER_ROLES, &role).is_none());
}
