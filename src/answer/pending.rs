//! Names of services that may come any moment.
//!
//! Such a name needs nothing but an endpoint that becomes ready. What would take a change of the Service itself, or what no
//! endpoint can be called, is as impossible as any other name.

use super::part::Part;
use crate::catalog::{Catalog, Hidden, PortFilter, ServiceKind};

/// The protocols of Kubernetes.
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Whether a name that does not exist may come any moment.
pub(super) fn may_come(catalog: &Catalog, part: &Part<'_>) -> bool {
    if catalog.policy.compile.no_endpoints {
        return false;
    }
    match part.unit.kind {
        ServiceKind::Headless => match part.before {
            0 => true,
            1 if part.name.label(0).starts_with(b"_") => may_have(part, protocol(part.name.label(0))),
            1 => true,
            2 => part.names_cluster() || may_have(part, part.filter()),
            _ => false,
        },
        ServiceKind::Hidden(Hidden::Empty) => match part.before {
            0 => true,
            1 => is_waited_for(part) || has(part, protocol(part.name.label(0))),
            2 => is_waited_for(part) || has(part, part.filter()),
            _ => false,
        },
        // Few of them have endpoints with names, and search lists make many such questions: only what is there counts.
        ServiceKind::ClusterIps { .. } => is_waited_for(part),
        ServiceKind::Alias { .. } | ServiceKind::Hidden(_) => false,
    }
}

fn protocol(label: &[u8]) -> PortFilter<'_> {
    PortFilter { port: b"", protocol: label.strip_prefix(b"_").unwrap_or(label) }
}

/// Whether an endpoint that is left out is called so.
fn is_waited_for(part: &Part<'_>) -> bool {
    let cluster = match part.before {
        1 if !part.imported => None,
        2 if part.names_cluster() => Some(part.name.label(1)),
        _ => return false,
    };
    part.unit.endpoints.leaves_out(part.name.label(0), cluster)
}

/// Whether the service has such a port.
fn has(part: &Part<'_>, filter: PortFilter<'_>) -> bool {
    part.unit.ports.iter().any(|port| filter.matches(port))
}

/// Whether its endpoints may come to have such a port: it is one of the service, or some slice has it already. Of a service
/// that says nothing of ports they may have any.
fn may_have(part: &Part<'_>, filter: PortFilter<'_>) -> bool {
    let silent = part.unit.ports.iter().all(|port| port.number.is_none());
    let is_protocol = |known: &&str| known.as_bytes().eq_ignore_ascii_case(filter.protocol);
    has(part, filter)
        || part.unit.endpoints.port_sets().flatten().any(|port| filter.matches(port))
        || silent && (filter.protocol.is_empty() || PROTOCOLS.iter().any(is_protocol))
}
