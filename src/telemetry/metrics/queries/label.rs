//! The labels of queries: each has one of a few values, in the order of its numbers.

use crate::answer::{Origin, Scope, kind};

/// Where queries and connections come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    /// gRPC over TCP; its connections include those over Unix sockets.
    Grpc,
    /// gRPC over a Unix socket.
    GrpcUnix,
    /// Plain DNS over UDP.
    Udp,
    /// Plain DNS over TCP.
    Tcp,
    /// Admin HTTP.
    Admin,
}

impl Listener {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::GrpcUnix => "grpc_unix",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Admin => "admin",
        }
    }
}

/// How a query ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rcode {
    /// NOERROR.
    NoError,
    /// FORMERR.
    FormErr,
    /// SERVFAIL.
    ServFail,
    /// NXDOMAIN.
    NxDomain,
    /// NOTIMP.
    NotImp,
    /// REFUSED.
    Refused,
    /// Another RCODE.
    Other,
    /// A gRPC status in place of a DNS message.
    Status,
    /// No reply at all.
    Dropped,
}

impl Rcode {
    /// Of a DNS message; one without a header counts as dropped.
    pub fn of(message: &[u8]) -> Self {
        match message.get(3).map(|octet| octet & 0x0f) {
            None => Self::Dropped,
            Some(0) => Self::NoError,
            Some(1) => Self::FormErr,
            Some(2) => Self::ServFail,
            Some(3) => Self::NxDomain,
            Some(4) => Self::NotImp,
            Some(5) => Self::Refused,
            Some(_) => Self::Other,
        }
    }

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        RCODES[self as usize].1
    }
}

pub(super) const LISTENERS: [Listener; 4] =
    [Listener::Grpc, Listener::GrpcUnix, Listener::Udp, Listener::Tcp];

pub(super) const RCODES: [(Rcode, &str); 9] = [
    (Rcode::NoError, "NOERROR"),
    (Rcode::FormErr, "FORMERR"),
    (Rcode::ServFail, "SERVFAIL"),
    (Rcode::NxDomain, "NXDOMAIN"),
    (Rcode::NotImp, "NOTIMP"),
    (Rcode::Refused, "REFUSED"),
    (Rcode::Other, "other"),
    (Rcode::Status, "status"),
    (Rcode::Dropped, "dropped"),
];

pub(super) const SCOPES: [(Scope, &str); 5] = [
    (Scope::None, "none"),
    (Scope::Cluster, "cluster"),
    (Scope::ClusterSet, "clusterset"),
    (Scope::Reverse, "reverse"),
    (Scope::Mesh, "mesh"),
];

pub(super) const ORIGINS: [(Origin, &str); 5] = [
    (Origin::None, "none"),
    (Origin::Kubernetes, "kubernetes"),
    (Origin::Istio, "istio"),
    (Origin::Zone, "zone"),
    (Origin::Upstream, "upstream"),
];

/// Every other type, and none, is `other`.
pub(super) const TYPES: [&str; 9] = ["other", "A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "NS", "SOA"];

/// The place of a type's label.
pub(super) const fn of_type(kind: Option<u16>) -> usize {
    match kind {
        Some(kind::A) => 1,
        Some(kind::AAAA) => 2,
        Some(kind::SRV) => 3,
        Some(kind::PTR) => 4,
        Some(kind::CNAME) => 5,
        Some(kind::TXT) => 6,
        Some(kind::NS) => 7,
        Some(kind::SOA) => 8,
        _ => 0,
    }
}

/// Whether this is what queries have of which nothing is known.
pub(super) fn is_basic(scope: Scope, kind: &str, origin: Origin) -> bool {
    scope == Scope::None && kind == TYPES[0] && origin == Origin::None
}

/// The label's value for a kind of zone.
pub const fn scope_label(scope: Scope) -> &'static str {
    SCOPES[scope as usize].1
}

/// The label's value for what knew a name.
pub const fn origin_label(origin: Origin) -> &'static str {
    ORIGINS[origin as usize].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_at_the_numbers_of_their_values() {
        assert!(LISTENERS.iter().enumerate().all(|(at, listener)| *listener as usize == at));
        assert!(RCODES.iter().enumerate().all(|(at, (rcode, _))| *rcode as usize == at));
        assert!(SCOPES.iter().enumerate().all(|(at, (scope, _))| *scope as usize == at));
        assert!(ORIGINS.iter().enumerate().all(|(at, (origin, _))| *origin as usize == at));
    }
}
