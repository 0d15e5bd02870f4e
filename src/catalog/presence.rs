//! Which endpoints a service is answered with, and why others are left out.
//!
//! Rules: `conditions` of an endpoint (Kubernetes API, `discovery/v1/types.go`). `ready` decides, and CoreDNS looks at nothing
//! else. For a Service with `publishNotReadyAddresses` the controller says it of every endpoint; what `serving` and
//! `terminating` say stays true there. Endpoints that serve while they terminate stand in where no other is ready, if
//! that is wanted, as they do for kube-proxy (KEP-1669).

use super::{CompilePolicy, NotReadyAddresses, TerminatingEndpoints};
use crate::model::{Endpoint, EndpointSlice};

/// Which endpoints are present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presence {
    /// What counts as ready.
    ready: fn(&Endpoint) -> bool,
    /// Whether those that serve while they terminate are present too, because no other is.
    stand_ins: bool,
}

/// Why an endpoint is not present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It is not ready.
    NotReady,
    /// It is terminating.
    Terminating,
}

impl Absence {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Absence::NotReady => "not ready",
            Absence::Terminating => "terminating",
        }
    }
}

impl Presence {
    /// Under names of their own: all that are said to be ready.
    pub(super) fn under_own_names(slices: &[&EndpointSlice], policy: &CompilePolicy) -> Self {
        Self { ready: is_said_ready, stand_ins: needs_stand_ins(slices, policy) }
    }

    /// Under the name of the service, where that is another choice. Whoever is present there is so under its own name.
    pub(super) fn under_service_name(slices: &[&EndpointSlice], policy: &CompilePolicy) -> Option<Self> {
        (policy.not_ready_addresses == NotReadyAddresses::OwnNamesOnly
            && endpoints(slices).any(|endpoint| endpoint.ready && !is_fit(endpoint)))
        .then(|| Self { ready: is_fit, stand_ins: needs_stand_ins(slices, policy) })
    }

    /// Whether no endpoint is ready, and terminating ones stand in.
    pub(super) fn stand_ins(self) -> bool {
        self.stand_ins
    }

    /// Whether an endpoint is present.
    pub(super) fn of(self, endpoint: &Endpoint) -> Result<(), Absence> {
        if (self.ready)(endpoint) || self.stand_ins && endpoint.serving && endpoint.terminating {
            Ok(())
        } else if endpoint.terminating {
            Err(Absence::Terminating)
        } else {
            Err(Absence::NotReady)
        }
    }
}

/// Whether the name of the service would be without endpoints, and terminating ones are wanted then.
fn needs_stand_ins(slices: &[&EndpointSlice], policy: &CompilePolicy) -> bool {
    let ready = match policy.not_ready_addresses {
        NotReadyAddresses::Everywhere => is_said_ready,
        NotReadyAddresses::OwnNamesOnly => is_fit,
    };
    policy.terminating_endpoints == TerminatingEndpoints::WhenAlone && !endpoints(slices).any(ready)
}

fn is_said_ready(endpoint: &Endpoint) -> bool {
    endpoint.ready
}

/// Whether it takes requests and will go on doing so.
fn is_fit(endpoint: &Endpoint) -> bool {
    endpoint.ready && endpoint.serving && !endpoint.terminating
}

fn endpoints<'s>(slices: &'s [&EndpointSlice]) -> impl Iterator<Item = &'s Endpoint> {
    slices.iter().flat_map(|slice| &slice.endpoints)
}
