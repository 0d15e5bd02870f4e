//! Under which policy names are compiled and answered.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::TtlPolicies;
use crate::inventory::Fields;
use crate::model::{AnswerMode, LabelSelector, Zones};

/// What decides about answers while they are given.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The zones we answer for.
    pub zones: Zones,
    /// Whether names outside the zones are "not mine" (NXDOMAIN) rather than refused.
    pub catch_all: bool,
    /// Which pod names exist.
    pub pods: PodMode,
    /// Whether `_zone` names exist.
    pub zonal_names: bool,
    /// Addresses under which clients reach the name server itself.
    pub server_addresses: Vec<IpAddr>,
    /// TTLs.
    pub ttl: TtlPolicies,
    /// What decides while units are compiled.
    pub compile: CompilePolicy,
}

/// What decides about units while they are compiled.
#[derive(Clone, Debug, Default)]
pub struct CompilePolicy {
    /// Whether endpoints without a hostname are called by their pod.
    pub endpoint_pod_names: bool,
    /// Whether cluster IP services without a ready endpoint are left out.
    pub ignore_empty_services: bool,
    /// Whether slices are not read at all.
    pub no_endpoints: bool,
    /// When terminating endpoints are answered with.
    pub terminating_endpoints: TerminatingEndpoints,
    /// Under which names endpoints are published that are not ready.
    pub not_ready_addresses: NotReadyAddresses,
    /// Only these namespaces; empty means all.
    pub namespaces: BTreeSet<Box<str>>,
    /// Only namespaces with such labels.
    pub namespace_selector: Option<LabelSelector>,
    /// Only Services, slices and pods with such labels of their own.
    pub label_selector: Option<LabelSelector>,
    /// Where addresses of mesh hosts without any come from.
    pub automatic: AutomaticAddresses,
    /// Which families of automatic addresses are answered.
    pub families: Families,
    /// What mesh hosts without literal addresses are answered with.
    pub answer: AnswerMode,
    /// Whether hosts that proxies themselves look up are answered with their automatic addresses.
    pub answer_self_resolving: bool,
    /// To whom an entry must be visible.
    pub visible_to: Visibility,
}

impl Policy {
    /// What is asked of objects while units are compiled, and so has to be kept of them.
    pub fn fields(&self) -> Fields {
        let labels = self.compile.label_selector.is_some() || self.ttl.load().current().asks_for_labels();
        Fields { labels, endpoint_pods: self.compile.endpoint_pod_names }
    }
}

/// To whom an entry must be visible (`exportTo`) for its hosts to be answered: a caller's namespace is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// Everybody.
    pub public: bool,
    /// Callers of these namespaces; the host's entry in the first of them that has one is taken before any other.
    pub namespaces: Vec<Box<str>>,
}

impl Default for Visibility {
    fn default() -> Self {
        Self { public: true, namespaces: Vec::new() }
    }
}

/// When endpoints are answered with that are terminating and not said to be ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TerminatingEndpoints {
    /// Never.
    #[default]
    Never,
    /// While they serve, and no endpoint of the service is ready.
    WhenAlone,
}

/// Under which names endpoints are published that slices say to be ready although they are not
/// (`publishNotReadyAddresses`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotReadyAddresses {
    /// Under that of the service too.
    #[default]
    Everywhere,
    /// Each under its own.
    OwnNamesOnly,
}

/// Which pod names exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodMode {
    /// None.
    #[default]
    Disabled,
    /// Every address in every namespace.
    Insecure,
    /// Those of pods that are there.
    Verified,
}

/// Where automatic addresses of ServiceEntry hosts come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutomaticAddresses {
    /// `status.addresses`, as Istio's allocator writes it.
    #[default]
    Status,
    /// Computed from all entries, as istiod without the status allocator does.
    Hash,
    /// Allocated by us, and kept.
    Ledger,
    /// Nowhere.
    Off,
}

/// Which families of automatic addresses are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// Those of the cluster IPs that are known; both while none is.
    #[default]
    Auto,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// Both.
    Dual,
}
