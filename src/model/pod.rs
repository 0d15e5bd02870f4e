//! A pod.

use std::net::IpAddr;

use super::{Labels, ObjectName};

/// What DNS needs of a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels, for selectors.
    pub labels: Labels,
    /// `status.podIP`.
    pub address: Option<IpAddr>,
    /// Whether its condition Ready is true.
    pub ready: bool,
    /// Whether its phase is Succeeded, Failed or Unknown: such a pod has no names.
    pub finished: bool,
    /// Whether it is being deleted. A pod first seen like this has no names; one that was known keeps them until
    /// it is gone.
    pub terminating: bool,
}
