//! `kubernetes`: how Kubernetes names are answered. Defaults and meanings are those of CoreDNS's kubernetes plugin.
//!
//! Cross-checks: `namespaces` and `namespaceSelector` exclude each other, and `zonalNames` needs `endpoints`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::field::Field;
use super::report::Placed;
use super::section::Section;
use super::zones::cluster_set_zone;
use crate::catalog::{NotReadyAddresses, PodMode, TerminatingEndpoints};
use crate::model::{LabelSelector, Name};

/// Longest name of a namespace (RFC 1123 label).
const MAX_NAMESPACE: usize = 63;

/// How Kubernetes names are answered, as used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// Which names of pod addresses exist. Default: none.
    pub pods: PodMode,
    /// Whether endpoints without a hostname are named after their pod. Default: no.
    pub endpoint_pod_names: bool,
    /// Whether a Service without ready endpoints does not exist. Default: no.
    pub ignore_empty_services: bool,
    /// Whether EndpointSlices are used at all. Default: yes.
    pub endpoints: bool,
    /// When terminating endpoints are answered with. Default: never.
    pub terminating_endpoints: TerminatingEndpoints,
    /// Under which names endpoints are published that are not ready. Default: everywhere.
    pub not_ready_addresses: NotReadyAddresses,
    /// Which namespaces exist. Default: all.
    pub namespaces: NamespaceFilter,
    /// Which Services, EndpointSlices and pods count, each by its own labels. Default: all.
    pub label_selector: LabelSelector,
    /// Whether names that pin or prefer a topology zone are answered. Default: no.
    pub zonal_names: bool,
    /// The addresses of `ns.dns`, each once. Default: none.
    pub server_addresses: Vec<IpAddr>,
}

/// Which namespaces exist for us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NamespaceFilter {
    /// Every one. The default.
    #[default]
    All,
    /// These names.
    Named(BTreeSet<String>),
    /// Those whose labels match.
    Selected(LabelSelector),
}

impl Default for KubernetesSettings {
    fn default() -> Self {
        Self {
            pods: PodMode::default(),
            endpoint_pod_names: false,
            ignore_empty_services: false,
            endpoints: true,
            terminating_endpoints: TerminatingEndpoints::default(),
            not_ready_addresses: NotReadyAddresses::default(),
            namespaces: NamespaceFilter::default(),
            label_selector: LabelSelector::default(),
            zonal_names: false,
            server_addresses: Vec::new(),
        }
    }
}

impl KubernetesSettings {
    /// Reads the section `kubernetes`. The zones of cluster sets come beside it, as they are zones like the others.
    pub(super) fn read(section: &mut Section<'_>) -> (Self, Vec<Placed<Name>>) {
        let mut used = Self::default();
        let pods = [
            ("disabled", Some(PodMode::Disabled)),
            ("insecure", Some(PodMode::Insecure)),
            ("verified", Some(PodMode::Verified)),
        ];
        section.set("pods", &mut used.pods, |field| field.choice(&pods));
        section.set("endpointPodNames", &mut used.endpoint_pod_names, Field::boolean);
        section.set("ignoreEmptyServices", &mut used.ignore_empty_services, Field::boolean);
        section.set("endpoints", &mut used.endpoints, Field::boolean);
        let terminating = [
            ("never", Some(TerminatingEndpoints::Never)),
            ("whenAlone", Some(TerminatingEndpoints::WhenAlone)),
        ];
        section
            .set("terminatingEndpoints", &mut used.terminating_endpoints, |field| field.choice(&terminating));
        let not_ready = [
            ("everywhere", Some(NotReadyAddresses::Everywhere)),
            ("ownNamesOnly", Some(NotReadyAddresses::OwnNamesOnly)),
        ];
        section.set("notReadyAddresses", &mut used.not_ready_addresses, |field| field.choice(&not_ready));
        used.namespaces = NamespaceFilter::read(section);
        section.set("labelSelector", &mut used.label_selector, |field| {
            field.parsed("a label selector", selector)
        });
        if let Some(field) = section.take("zonalNames") {
            let place = field.place.clone();
            used.zonal_names = field.boolean().unwrap_or_default();
            if used.zonal_names && !used.endpoints {
                section.problem(&place, "zonal names need endpoints, but `endpoints` is false");
            }
        }
        section.set("serverAddresses", &mut used.server_addresses, |field| {
            field.distinct("an address without a port, such as 10.96.0.10", server_address)
        });
        let zones = section.take("clusterSetZones").and_then(|field| field.list("a name", cluster_set_zone));
        (used, zones.unwrap_or_default())
    }
}

impl NamespaceFilter {
    /// Reads `namespaces` and `namespaceSelector`. Empty ones filter nothing.
    fn read(section: &mut Section<'_>) -> Self {
        let named =
            section.take("namespaces").and_then(|field| field.distinct("the name of a namespace", namespace));
        let named = named.unwrap_or_default();
        let Some(field) = section.take("namespaceSelector") else { return Self::of_names(named) };
        let place = field.place.clone();
        match field.parsed("a label selector", selector) {
            Some(selector) if !selector.is_empty() => {
                if !named.is_empty() {
                    section.problem(&place, "`namespaces` is given too: only one of the two can be");
                }
                Self::Selected(selector)
            }
            _ => Self::of_names(named),
        }
    }

    fn of_names(names: Vec<String>) -> Self {
        if names.is_empty() { Self::All } else { Self::Named(names.into_iter().collect()) }
    }
}

pub(super) fn selector(text: &str) -> Result<LabelSelector, String> {
    LabelSelector::parse(text).map_err(|error| format!("`{text}` is not a label selector: {error}"))
}

/// The name of a namespace.
pub(super) fn namespace(text: &str) -> Result<String, String> {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = text.len() <= MAX_NAMESPACE
        && text.starts_with(end)
        && text.ends_with(end)
        && text.chars().all(|c| end(c) || c == '-');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` cannot name a namespace: up to {MAX_NAMESPACE} lower-case letters, digits and `-`"
        ))
    }
}

fn server_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address without a port, such as 10.96.0.10"))
}
