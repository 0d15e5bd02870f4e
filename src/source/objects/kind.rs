//! Which API objects we read.

use super::meta::NameRule;
use crate::model::Kind;

/// A kind of API object that DNS has a use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiKind {
    /// `v1` Namespace.
    Namespace,
    /// `v1` Service.
    Service,
    /// `v1` Pod.
    Pod,
    /// `v1` Endpoints, which become slices.
    Endpoints,
    /// `discovery.k8s.io` EndpointSlice.
    EndpointSlice,
    /// `multicluster.x-k8s.io` ServiceImport.
    ServiceImport,
    /// `networking.istio.io` ServiceEntry.
    ServiceEntry,
    /// `networking.istio.io` WorkloadEntry.
    WorkloadEntry,
}

/// What an `apiVersion` and a `kind` stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// A kind that we read.
    Known(ApiKind),
    /// A kind that we read, in a version that we do not know.
    OtherVersion(ApiKind),
    /// Nothing that matters to DNS.
    Foreign,
}

impl ApiKind {
    const ALL: [ApiKind; 8] = [
        ApiKind::Namespace,
        ApiKind::Service,
        ApiKind::Pod,
        ApiKind::Endpoints,
        ApiKind::EndpointSlice,
        ApiKind::ServiceImport,
        ApiKind::ServiceEntry,
        ApiKind::WorkloadEntry,
    ];

    /// The name as manifests write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ApiKind::Endpoints => "Endpoints",
            other => other.kind().as_str(),
        }
    }

    /// What it becomes.
    pub const fn kind(self) -> Kind {
        match self {
            ApiKind::Namespace => Kind::Namespace,
            ApiKind::Service => Kind::Service,
            ApiKind::Pod => Kind::Pod,
            ApiKind::Endpoints | ApiKind::EndpointSlice => Kind::EndpointSlice,
            ApiKind::ServiceImport => Kind::ServiceImport,
            ApiKind::ServiceEntry => Kind::ServiceEntry,
            ApiKind::WorkloadEntry => Kind::WorkloadEntry,
        }
    }

    /// Its API group.
    pub const fn group(self) -> &'static str {
        match self {
            ApiKind::Namespace | ApiKind::Service | ApiKind::Pod | ApiKind::Endpoints => "",
            ApiKind::EndpointSlice => "discovery.k8s.io",
            ApiKind::ServiceImport => "multicluster.x-k8s.io",
            ApiKind::ServiceEntry | ApiKind::WorkloadEntry => "networking.istio.io",
        }
    }

    /// The versions of its group that are read; none listed means any.
    pub const fn versions(self) -> &'static [&'static str] {
        match self {
            ApiKind::Namespace | ApiKind::Service | ApiKind::Pod | ApiKind::Endpoints => &["v1"],
            ApiKind::EndpointSlice => &["v1", "v1beta1"],
            ApiKind::ServiceImport => &[],
            ApiKind::ServiceEntry | ApiKind::WorkloadEntry => &["v1", "v1beta1", "v1alpha3"],
        }
    }

    /// What its objects may be called: what becomes a part of a DNS name must be a label, the rest may have dots.
    pub(super) const fn name_rule(self) -> NameRule {
        match self {
            ApiKind::Namespace | ApiKind::Service | ApiKind::ServiceImport => NameRule::Label,
            _ => NameRule::Subdomain,
        }
    }
}

/// Tells a kind by both of its parts.
pub fn recognise(api_version: &str, kind: &str) -> Recognised {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let known = ApiKind::ALL.into_iter().find(|known| known.as_str() == kind && known.group() == group);
    match known {
        None => Recognised::Foreign,
        Some(known) if known.versions().is_empty() || known.versions().contains(&version) => {
            Recognised::Known(known)
        }
        Some(known) => Recognised::OtherVersion(known),
    }
}
