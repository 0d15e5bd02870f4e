//! The automatic address of a host: who takes one, which it is, and when it must not be answered.

use std::net::IpAddr;

use crate::allocate::{Allocation, Allocator, Assigned};
use crate::catalog::{AutomaticAddresses, CompilePolicy, Families};
use crate::inventory::Inventory;
use crate::model::{AnswerMode, Host, Name, Resolution, ServiceEntry, Target};

/// Whether the mode gives addresses to such hosts of an entry. The label that opts out is only known to the status
/// allocator, and so are wildcards.
pub(super) fn takes_one(entry: &ServiceEntry, wildcard: bool, mode: AutomaticAddresses) -> bool {
    match mode {
        AutomaticAddresses::Off => false,
        AutomaticAddresses::Hash => {
            entry.resolution != Resolution::None && !entry.declares_addresses && !wildcard
        }
        AutomaticAddresses::Status | AutomaticAddresses::Ledger => {
            entry.takes_automatic_addresses() && (!wildcard || entry.resolution == Resolution::DynamicDns)
        }
    }
}

/// What the mode has for the host, found by its exact text.
pub(super) fn allocation(
    allocator: &dyn Allocator,
    entry: &ServiceEntry,
    name: &Name,
    wildcard: bool,
    policy: &CompilePolicy,
) -> Allocation {
    if matches!(policy.automatic, AutomaticAddresses::Hash | AutomaticAddresses::Ledger) {
        let spelled = |host: &&Host| host.wildcard == wildcard && host.name == *name;
        let Some(host) = entry.hosts.iter().find(spelled) else { return Allocation::Waiting };
        return allocator.allocation(&entry.name.namespace, host);
    }
    let assigned = Assigned::of_status(entry, name, wildcard);
    if assigned.is_empty() { Allocation::Waiting } else { Allocation::Given(assigned) }
}

/// The addresses of the families that the cluster has.
pub(super) fn of_families(inventory: &Inventory, assigned: Assigned, policy: &CompilePolicy) -> Vec<IpAddr> {
    let (with_v4, with_v6) = match policy.families {
        Families::Ipv4 => (true, false),
        Families::Ipv6 => (false, true),
        Families::Dual => (true, true),
        Families::Auto => {
            let seen = inventory.families_seen();
            if seen.v4 || seen.v6 { (seen.v4, seen.v6) } else { (true, true) }
        }
    };
    let v4 = assigned.v4.filter(|_| with_v4).map(IpAddr::V4);
    let v6 = assigned.v6.filter(|_| with_v6).map(IpAddr::V6);
    v4.into_iter().chain(v6).collect()
}

/// Why the automatic address of a host must be withheld: proxies look the host itself up to find its endpoints, and
/// one that is told its own listener's address would dial that.
pub(super) fn withheld(
    inventory: &Inventory,
    entry: &ServiceEntry,
    name: &Name,
    wildcard: bool,
    policy: &CompilePolicy,
) -> Option<&'static str> {
    if policy.answer_self_resolving || entry.answer == Some(AnswerMode::Vip) {
        return None;
    }
    let resolves = matches!(entry.resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    let itself = |target: &Target| matches!(target, Target::Host { name: target, .. } if target == name);
    if entry.resolution == Resolution::DynamicDns {
        Some(
            "proxies look the names below it up to find their endpoints, and would dial its automatic address",
        )
    } else if resolves && !wildcard && entry.selector.is_none() && entry.endpoints.is_empty()
        || resolves && entry.endpoints.iter().any(itself)
    {
        Some("proxies look the host itself up to find its endpoint, and would dial its automatic address")
    } else if !wildcard && inventory.is_endpoint(name) {
        Some("it is an endpoint of the mesh: proxies look it up, and would dial its automatic address")
    } else {
        None
    }
}
