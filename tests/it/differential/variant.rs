//! Options of the kubernetes plugin, and the same for meshdns.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use serde_json::Value;

use super::world::{World, label_of};

/// Namespace and name of the objects that are made last. Every variant lets them through.
pub(super) const LAST: &str = "last";

/// `pods`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pods {
    Disabled,
    Insecure,
    Verified,
}

impl Pods {
    fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Insecure => "insecure",
            Self::Verified => "verified",
        }
    }
}

/// Options that are compared together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variant {
    /// What it is called in the docs.
    pub(super) name: &'static str,
    pub(super) pods: Pods,
    pub(super) pod_names: bool,
    pub(super) ignore_empty: bool,
    pub(super) no_endpoints: bool,
    pub(super) namespaces: &'static [&'static str],
    pub(super) namespace_labels: Option<(&'static str, &'static str)>,
    pub(super) labels: Option<(&'static str, &'static str)>,
    pub(super) zonal: bool,
    /// Whether `clusterset.local` is served too.
    pub(super) cluster_set: bool,
    pub(super) ttl: u32,
    /// Whether the server has addresses that its name servers are made of.
    pub(super) name_servers: bool,
    /// Whether another block on the same port uses `forward`.
    pub(super) beside_forward: bool,
    /// How many of a thousand questions it gets.
    pub(super) share: usize,
}

/// Without any option.
const DEFAULT: Variant = Variant {
    name: "",
    pods: Pods::Disabled,
    pod_names: false,
    ignore_empty: false,
    no_endpoints: false,
    namespaces: &[],
    namespace_labels: None,
    labels: None,
    zonal: false,
    cluster_set: false,
    ttl: 5,
    name_servers: false,
    beside_forward: false,
    share: 60,
};

/// Every option occurs, some together.
pub(super) static ALL: [Variant; 10] = [
    Variant { name: "no option", share: 350, ..DEFAULT },
    Variant {
        name: "pods insecure, endpoint_pod_names",
        pods: Pods::Insecure,
        pod_names: true,
        share: 110,
        ..DEFAULT
    },
    Variant { name: "pods verified, zonal", pods: Pods::Verified, zonal: true, share: 110, ..DEFAULT },
    Variant {
        name: "namespaces, pods verified, ttl 30",
        namespaces: &["shop", "data", "a", "0-digits", "nowhere", LAST],
        pods: Pods::Verified,
        ttl: 30,
        ..DEFAULT
    },
    Variant {
        name: "namespace_labels, multicluster, pods insecure",
        namespace_labels: Some(("dns", "yes")),
        cluster_set: true,
        pods: Pods::Insecure,
        share: 90,
        ..DEFAULT
    },
    Variant {
        name: "labels, multicluster, pods verified",
        labels: Some(("tier", "front")),
        cluster_set: true,
        pods: Pods::Verified,
        ..DEFAULT
    },
    Variant {
        name: "ignore empty_service, multicluster",
        ignore_empty: true,
        cluster_set: true,
        share: 100,
        ..DEFAULT
    },
    Variant { name: "noendpoints, ttl 0", no_endpoints: true, ttl: 0, ..DEFAULT },
    Variant { name: "name servers", name_servers: true, cluster_set: true, ttl: 3600, ..DEFAULT },
    Variant { name: "beside forward", beside_forward: true, share: 30, ..DEFAULT },
];

impl Variant {
    /// The zones, as they are given to both.
    pub(super) fn zones(&self) -> Vec<&'static str> {
        let mut zones = vec!["cluster.local", "in-addr.arpa", "ip6.arpa"];
        if self.cluster_set {
            zones.push("clusterset.local");
        }
        zones
    }

    /// The zone of a name in lower case.
    pub(super) fn zone_of(&self, name: &str) -> Option<&'static str> {
        self.zones()
            .into_iter()
            .find(|zone| name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }

    /// The kubernetes plugin with these options.
    pub(super) fn plugin(&self, kubeconfig: &Path) -> String {
        let zones = self.zones().join(" ");
        let mut text = format!("    kubernetes {zones} {{\n        kubeconfig {}\n", kubeconfig.display());
        let mut line = |line: String| writeln!(text, "        {line}").unwrap();
        line("startup_timeout 60s".to_owned());
        line(format!("ttl {}", self.ttl));
        line(format!("pods {}", self.pods.as_str()));
        let switches = [
            (self.pod_names, "endpoint_pod_names"),
            (self.ignore_empty, "ignore empty_service"),
            (self.no_endpoints, "noendpoints"),
            (self.zonal, "zonal"),
            (self.cluster_set, "multicluster clusterset.local"),
        ];
        switches.iter().filter(|(on, _)| *on).for_each(|(_, option)| line((*option).to_owned()));
        if !self.namespaces.is_empty() {
            line(format!("namespaces {}", self.namespaces.join(" ")));
        }
        if let Some((key, value)) = self.namespace_labels {
            line(format!("namespace_labels {key}={value}"));
        }
        if let Some((key, value)) = self.labels {
            line(format!("labels {key}={value}"));
        }
        text.push_str("    }\n");
        text
    }

    /// Settings that mean the same.
    pub(super) fn settings(&self, kubeconfig: &Path, upstream: SocketAddr, addresses: &[IpAddr]) -> String {
        let selector = |label: Option<(&str, &str)>| match label {
            Some((key, value)) => format!("{key}={value}"),
            None => String::new(),
        };
        let cluster_set = if self.cluster_set { "clusterset.local" } else { "" };
        let addresses: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
        format!(
            "zones: [cluster.local, in-addr.arpa, ip6.arpa]\n\
             sources: {{kubernetes: {{kubeconfig: \"{}\"}}}}\n\
             upstreams: [\"{upstream}\"]\n\
             kubernetes:\n  pods: {}\n  endpointPodNames: {}\n  ignoreEmptyServices: {}\n  endpoints: {}\n  zonalNames: {}\n  \
             namespaces: [{}]\n  namespaceSelector: \"{}\"\n  labelSelector: \"{}\"\n  clusterSetZones: [{cluster_set}]\n  \
             serverAddresses: [{}]\n\
             ttl: {{default: {}}}\n",
            kubeconfig.display(),
            self.pods.as_str(),
            self.pod_names,
            self.ignore_empty,
            !self.no_endpoints,
            self.zonal,
            self.namespaces.join(", "),
            selector(self.namespace_labels),
            selector(self.labels),
            addresses.join(", "),
            self.ttl,
        )
    }

    /// Whether a namespace is there and let through.
    pub(super) fn serves_namespace(&self, world: &World, name: &str) -> bool {
        let Some(namespace) = world.namespaces.get(name) else { return false };
        let listed = self.namespaces.is_empty() || self.namespaces.contains(&name);
        listed && self.namespace_labels.is_none_or(|(key, value)| label_of(namespace, key) == Some(value))
    }

    /// Whether an object's own labels let it through.
    pub(super) fn takes(&self, object: &Value) -> bool {
        self.labels.is_none_or(|(key, value)| label_of(object, key) == Some(value))
    }
}
