//! What a unit is called.

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{Name, ObjectName};

/// Names one unit: what is compiled and published together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitKey {
    /// A namespace. First, so that within one batch its services find it published.
    Namespace(Arc<str>),
    /// A Service with its slices.
    Service(ObjectName),
    /// A ServiceImport with its slices.
    Import(ObjectName),
    /// The pods at one primary address.
    Pod {
        /// Their namespace.
        namespace: Arc<str>,
        /// The address.
        address: IpAddr,
    },
    /// A ServiceEntry host with all entries that name it.
    Host {
        /// The host; of a wildcard, what stands after the star.
        name: Name,
        /// Whether it is a wildcard.
        wildcard: bool,
    },
}
