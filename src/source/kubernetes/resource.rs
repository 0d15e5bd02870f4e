//! The kinds as the API server has them.

use kube::core::Request;

use crate::apiserver::Rule;
use crate::model::Kind;
use crate::source::objects::ApiKind;

/// What we do with every kind.
const VERBS: &[&str] = &["list", "watch"];

/// A kind that can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Namespaces.
    Namespaces,
    /// Services.
    Services,
    /// EndpointSlices.
    EndpointSlices,
    /// Pods.
    Pods,
    /// ServiceImports (Multi-Cluster Services API).
    ServiceImports,
    /// ServiceEntries (Istio).
    ServiceEntries,
    /// WorkloadEntries (Istio).
    WorkloadEntries,
}

impl Resource {
    /// The kind as it is read.
    pub const fn api_kind(self) -> ApiKind {
        match self {
            Self::Namespaces => ApiKind::Namespace,
            Self::Services => ApiKind::Service,
            Self::EndpointSlices => ApiKind::EndpointSlice,
            Self::Pods => ApiKind::Pod,
            Self::ServiceImports => ApiKind::ServiceImport,
            Self::ServiceEntries => ApiKind::ServiceEntry,
            Self::WorkloadEntries => ApiKind::WorkloadEntry,
        }
    }

    /// Our noun for it.
    pub const fn kind(self) -> Kind {
        self.api_kind().kind()
    }

    /// Its name in URLs and roles.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Services => "services",
            Self::EndpointSlices => "endpointslices",
            Self::Pods => "pods",
            Self::ServiceImports => "serviceimports",
            Self::ServiceEntries => "serviceentries",
            Self::WorkloadEntries => "workloadentries",
        }
    }

    /// The versions that are asked for, one after the other until the API server has one.
    pub const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::EndpointSlices => &["v1"],
            Self::ServiceImports => &["v1beta1", "v1alpha1"],
            _ => self.api_kind().versions(),
        }
    }

    /// Whether it comes with a custom resource definition, which a cluster may lack.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::ServiceImports | Self::ServiceEntries | Self::WorkloadEntries)
    }

    /// Where it is asked for.
    pub(super) fn request(self, version: &str, namespace: Option<&str>) -> Request {
        let group = self.api_kind().group();
        let root = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
        let plural = self.plural();
        Request::new(match namespace {
            None => format!("{root}/{version}/{plural}"),
            Some(namespace) => format!("{root}/{version}/namespaces/{namespace}/{plural}"),
        })
    }

    /// What allows us to watch it.
    pub fn rule(self, namespace: Option<&str>) -> Rule {
        Rule {
            group: self.api_kind().group(),
            resource: self.plural(),
            verbs: VERBS,
            namespace: namespace.map(str::to_owned),
        }
    }
}
