//! Kubernetes and Istio names for CoreDNS.

#[cfg(feature = "server")]
pub mod config;
pub mod model;
#[cfg(feature = "server")]
pub mod source;
#[cfg(feature = "server")]
pub mod yaml;
