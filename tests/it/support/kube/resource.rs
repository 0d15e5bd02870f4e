//! The resources that tests name. Objects that are applied need none: the API server says where their kind lives.

/// A resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Where its group lies: `api/v1`, `apis/networking.istio.io/v1`.
    pub(crate) root: &'static str,
    /// Its name in paths.
    pub(crate) plural: &'static str,
}

pub(crate) const NAMESPACES: Resource = Resource { root: "api/v1", plural: "namespaces" };
pub(crate) const SERVICES: Resource = Resource { root: "api/v1", plural: "services" };
pub(crate) const PODS: Resource = Resource { root: "api/v1", plural: "pods" };
pub(crate) const ENDPOINTS: Resource = Resource { root: "api/v1", plural: "endpoints" };
pub(crate) const CONFIG_MAPS: Resource = Resource { root: "api/v1", plural: "configmaps" };
pub(crate) const SECRETS: Resource = Resource { root: "api/v1", plural: "secrets" };
pub(crate) const SERVICE_ACCOUNTS: Resource = Resource { root: "api/v1", plural: "serviceaccounts" };
pub(crate) const ENDPOINT_SLICES: Resource =
    Resource { root: "apis/discovery.k8s.io/v1", plural: "endpointslices" };
pub(crate) const SERVICE_ENTRIES: Resource =
    Resource { root: "apis/networking.istio.io/v1", plural: "serviceentries" };
pub(crate) const WORKLOAD_ENTRIES: Resource =
    Resource { root: "apis/networking.istio.io/v1", plural: "workloadentries" };
pub(crate) const SERVICE_IMPORTS: Resource =
    Resource { root: "apis/multicluster.x-k8s.io/v1alpha1", plural: "serviceimports" };
pub(crate) const DEFINITIONS: Resource =
    Resource { root: "apis/apiextensions.k8s.io/v1", plural: "customresourcedefinitions" };
