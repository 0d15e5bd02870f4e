//! What istiod tells a proxy's DNS.

use std::net::IpAddr;

use super::Host;

/// One host of the name table that istiod sends to a proxy (`pkg/dns/proto/nds.proto`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// The host.
    pub host: Host,
    /// Its addresses, in the order of the table.
    pub addresses: Vec<IpAddr>,
    /// What it was made of.
    pub registry: Registry,
}

/// What a row of the name table was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registry {
    /// A Service of Kubernetes, or a pod of one.
    Kubernetes {
        /// Service name; of a pod, `hostname.subdomain`. Empty for services of a clusterset.
        short_name: Box<str>,
        /// Its namespace; empty for services of a clusterset.
        namespace: Box<str>,
    },
    /// A ServiceEntry.
    External,
}
