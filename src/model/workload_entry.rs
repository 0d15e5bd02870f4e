//! A machine outside the cluster that takes part in the mesh.

use super::{Labels, ObjectName, Target};

/// What DNS needs of a WorkloadEntry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadEntry {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels of its spec, overlaid by those of its metadata.
    pub labels: Labels,
    /// Where it is.
    pub target: Target,
    /// Whether it may be used: true unless health checks are on for it and its last one did not succeed.
    pub healthy: bool,
}
