//! A Kubernetes namespace.

use std::sync::Arc;

use super::Labels;

/// What DNS needs of a Namespace: that it exists, and its labels for selectors. Its phase does not matter: a
/// terminating namespace still exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: Arc<str>,
    /// Its labels.
    pub labels: Labels,
}
