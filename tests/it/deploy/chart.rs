//! The Helm chart, rendered by Helm itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use meshdns::yaml;
use serde_json::Value;

use crate::support::peer::Peer;
use crate::support::process::written;

static HELM: Peer = Peer::new("helm", "MESHDNS_HELM");

/// Where the chart is.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/helm/meshdns")
}

/// A release of the chart.
pub(super) struct Release {
    /// Everything, as it is applied.
    pub(super) text: String,
    objects: Vec<Value>,
}

impl Release {
    /// The release `dns` in a namespace, with these values (YAML) over the chart's own; or what Helm says against them.
    pub(super) fn try_new(namespace: &str, values: &str) -> Result<Self, String> {
        Self::rendered("dns", namespace, values)
    }

    fn rendered(name: &str, namespace: &str, values: &str) -> Result<Self, String> {
        let values = written("values.yaml", values);
        let output = helm(&values)
            .args(["template", name])
            .arg(folder())
            .args(["--namespace", namespace, "--values"])
            .arg(&values)
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let objects = yaml::documents(&text).map(|document| document.parse().unwrap().to_json());
        let objects = objects.filter(|object| !object.is_null()).collect();
        Ok(Self { objects, text })
    }

    pub(super) fn new(namespace: &str, values: &str) -> Self {
        Self::try_new(namespace, values).unwrap_or_else(|error| panic!("{values}\n{error}"))
    }

    /// One of another name.
    pub(super) fn named(name: &str, namespace: &str, values: &str) -> Self {
        Self::rendered(name, namespace, values).unwrap_or_else(|error| panic!("{values}\n{error}"))
    }

    /// All objects of a kind.
    pub(super) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// The only object of a kind.
    pub(super) fn the(&self, kind: &str) -> &Value {
        let mut all = self.all(kind);
        let one = all.next().unwrap_or_else(|| panic!("no {kind} in\n{}", self.text));
        assert!(all.next().is_none(), "more than one {kind} in\n{}", self.text);
        one
    }

    /// The pods of its Deployment or DaemonSet.
    pub(super) fn pod(&self) -> &Value {
        let workload = self.all("Deployment").chain(self.all("DaemonSet")).next();
        &workload.unwrap_or_else(|| panic!("no workload in\n{}", self.text))["spec"]["template"]
    }

    /// One of their containers.
    pub(super) fn container(&self, name: &str) -> &Value {
        let containers = self.pod()["spec"]["containers"].as_array().unwrap();
        containers.iter().find(|container| container["name"] == name).unwrap()
    }

    /// A file of the ConfigMap of this name.
    pub(super) fn file(&self, map: &str, file: &str) -> &str {
        let named = |object: &&Value| object["metadata"]["name"] == map;
        let map = self.all("ConfigMap").find(named).unwrap_or_else(|| panic!("no {map} in\n{}", self.text));
        map["data"][file].as_str().unwrap_or_else(|| panic!("no {file} in {map}"))
    }
}

/// Helm, which finds nothing of whoever runs the tests.
pub(super) fn helm(beside: &Path) -> Command {
    let home = beside.with_file_name("home");
    let mut helm = Command::new(HELM.path());
    helm.env("HELM_CONFIG_HOME", &home).env("HELM_CACHE_HOME", &home).env("HELM_DATA_HOME", &home);
    helm.env_remove("KUBECONFIG");
    helm
}
