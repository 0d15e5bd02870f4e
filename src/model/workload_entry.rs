//! A machine outside the cluster that takes part in the mesh.

use super::{Labels, ObjectName};

/// What DNS needs of a WorkloadEntry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadEntry {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels of its spec, overlaid by those of its metadata.
    pub labels: Labels,
    /// Its address or host name, as written.
    pub address: Box<str>,
}
