//! A service that other clusters export (Multi-Cluster Services API).

use std::net::IpAddr;

use super::{Labels, ObjectName, Port, Stamp};

/// What DNS needs of a ServiceImport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceImport {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels.
    pub labels: Labels,
    /// Its ClusterSet addresses; `None` for a headless import.
    pub addresses: Option<Vec<IpAddr>>,
    /// Its ports.
    pub ports: Vec<Port>,
    /// When the API server last wrote it, if it says so (`metadata.managedFields`).
    pub written: Option<Stamp>,
}
