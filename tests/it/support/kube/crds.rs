//! Definitions of custom resources, which come and go at run time.

use meshdns::yaml;
use serde_json::Value;

use super::super::peer;
use super::api::{Api, until};
use super::plane::ControlPlane;
use super::resource::DEFINITIONS;

/// A definition that can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CustomResources {
    /// `serviceentries.networking.istio.io`, all its versions.
    ServiceEntry,
    /// `workloadentries.networking.istio.io`, all its versions.
    WorkloadEntry,
    /// `serviceimports.multicluster.x-k8s.io`, all its versions.
    ServiceImport,
    /// `podmonitors.monitoring.coreos.com`.
    PodMonitor,
    /// `prometheusrules.monitoring.coreos.com`.
    PrometheusRule,
}

impl CustomResources {
    /// The name of the definition.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ServiceEntry => "serviceentries.networking.istio.io",
            Self::WorkloadEntry => "workloadentries.networking.istio.io",
            Self::ServiceImport => "serviceimports.multicluster.x-k8s.io",
            Self::PodMonitor => "podmonitors.monitoring.coreos.com",
            Self::PrometheusRule => "prometheusrules.monitoring.coreos.com",
        }
    }

    /// The definition as its project publishes it.
    fn definition(self) -> String {
        let file = match self {
            Self::ServiceEntry | Self::WorkloadEntry => "istio.yaml",
            Self::ServiceImport => "mcs-api.yaml",
            Self::PodMonitor | Self::PrometheusRule => "prometheus-operator.yaml",
        };
        let path = peer::crds().join(file);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = format!("name: {}", self.name());
        let found = yaml::documents(&text).find(|document| document.text.contains(&name));
        found.unwrap_or_else(|| panic!("{} does not define {}", path.display(), self.name())).text.to_owned()
    }
}

impl ControlPlane {
    /// Installs a definition unless it is there, and waits until its objects can be created.
    pub(crate) fn install(&self, resources: CustomResources) {
        self.api().apply(&resources.definition());
        let (group, plural, versions) =
            until("definition established", || established(self.api(), resources));
        for version in versions {
            let root = format!("/apis/{group}/{version}");
            let listed = || self.api().text(&format!("{root}/{plural}")).is_ok();
            until("custom resources served", || {
                (listed() && known(self.api(), &root, &plural)).then_some(())
            });
        }
    }

    /// Takes a definition away, and with it all objects, and waits until nothing of it is known any more.
    pub(crate) fn uninstall(&self, resources: CustomResources) {
        let (group, plural, versions) =
            until("definition established", || established(self.api(), resources));
        self.api().delete(DEFINITIONS, resources.name());
        until("definition gone", || self.api().get(DEFINITIONS, resources.name()).is_none().then_some(()));
        for version in versions {
            let root = format!("/apis/{group}/{version}");
            until("custom resources gone", || (!known(self.api(), &root, &plural)).then_some(()));
        }
    }
}

/// Group, plural and versions of a definition that is in use.
fn established(api: &Api, resources: CustomResources) -> Option<(String, String, Vec<String>)> {
    let definition = api.get(DEFINITIONS, resources.name())?;
    let mut conditions = definition["status"]["conditions"].as_array()?.iter();
    conditions.find(|condition| condition["type"] == "Established" && condition["status"] == "True")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array()?.iter().filter_map(|version| text(&version["name"])).collect();
    Some((text(&spec["group"])?, text(&spec["names"]["plural"])?, versions))
}

/// Whether the API server tells its clients of a resource.
fn known(api: &Api, root: &str, plural: &str) -> bool {
    let resources = api.text(root).unwrap_or_default();
    let resources: Value = serde_json::from_str(&resources).unwrap_or_default();
    resources["resources"].as_array().into_iter().flatten().any(|resource| resource["name"] == plural)
}
