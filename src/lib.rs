//! Kubernetes and Istio names for CoreDNS.

pub mod model;
#[cfg(feature = "server")]
pub mod source;
#[cfg(feature = "server")]
pub mod yaml;
