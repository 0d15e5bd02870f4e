//! ServiceEntry hosts: which entries give the answer, and what it is.
//!
//! Rules: entries that are not exported to all namespaces are not seen, because a central server does not know its
//! caller's namespace. Of those seen the oldest decides about the namespace (then host, then namespace, then name,
//! as Istio sorts), and all entries of that namespace are merged in this order
//! (Istio `pilot/pkg/model/push_context.go`, `pkg/dns/server/name_table.go`).

use std::net::IpAddr;

use super::super::content::Content;
use super::super::endpoints::hash_port;
use super::super::{AutomaticAddresses, CompilePolicy, Families, HostState, HostUnit};
use crate::allocate::{Allocation, Allocator, Assigned};
use crate::inventory::Inventory;
use crate::model::{Host, Name, ObjectName, Port, Resolution, ServiceEntry};

pub(super) fn compile_host(
    inventory: &Inventory,
    allocator: &dyn Allocator,
    name: &Name,
    wildcard: bool,
    policy: &CompilePolicy,
) -> Option<HostUnit> {
    let mut entries = inventory.entries_of(name, wildcard);
    if entries.is_empty() {
        return None;
    }
    entries.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
    let winner = entries.iter().find(|entry| entry.is_public()).map(|entry| entry.name.namespace.clone());
    let mut passed_over: Vec<(ObjectName, &'static str)> = Vec::new();
    let mut answer = Answer::default();
    let mut used = Vec::new();
    for entry in entries {
        if !entry.is_public() {
            passed_over.push((entry.name.clone(), "it is not exported to all namespaces (exportTo)"));
        } else if Some(&entry.name.namespace) != winner.as_ref() {
            passed_over.push((entry.name.clone(), "an older entry in another namespace declares the host"));
        } else {
            match answer.add(inventory, allocator, entry, name, wildcard, policy) {
                Ok(()) => used.push(entry.name.clone()),
                Err(reason) => passed_over.push((entry.name.clone(), reason)),
            }
        }
    }
    Some(HostUnit { visible: winner.is_some(), ..answer.finish(name, wildcard, used, passed_over) })
}

/// No literal address, and none can be assigned.
const NO_ADDRESS: &str = "it has no address of its own and takes no automatic one";
/// None yet.
const NONE_YET: &str = "it has no automatic address yet";

#[derive(Default)]
struct Answer {
    addresses: Vec<IpAddr>,
    ports: Vec<Port>,
    literal: bool,
    pending: bool,
}

impl Answer {
    /// Merges one entry in, or says why it gives nothing.
    fn add(
        &mut self,
        inventory: &Inventory,
        allocator: &dyn Allocator,
        entry: &ServiceEntry,
        name: &Name,
        wildcard: bool,
        policy: &CompilePolicy,
    ) -> Result<(), &'static str> {
        let addresses = if entry.declares_addresses {
            self.literal |= !entry.addresses.is_empty();
            entry.addresses.clone()
        } else if policy.automatic == AutomaticAddresses::Off {
            return Err("it has no address of its own and serviceEntries.addresses is off");
        } else if takes_automatic(entry, wildcard, policy.automatic) {
            match allocation(allocator, entry, name, wildcard, policy) {
                Allocation::Given(assigned) => families(inventory, assigned, policy),
                Allocation::Waiting => {
                    self.pending = true;
                    return Err(NONE_YET);
                }
                Allocation::Refused(reason) => return Err(reason),
            }
        } else {
            return Err(NO_ADDRESS);
        };
        if addresses.is_empty() {
            return Err("its addresses are ranges, which no query can be answered with");
        }
        for address in addresses {
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
        for port in &entry.ports {
            if !port.name.is_empty() && !self.ports.contains(port) {
                self.ports.push(port.clone());
            }
        }
        Ok(())
    }

    fn finish(
        self,
        name: &Name,
        wildcard: bool,
        entries: Vec<ObjectName>,
        passed_over: Vec<(ObjectName, &'static str)>,
    ) -> HostUnit {
        let mut content = Content::of("host").bytes(name.wire()).number(u64::from(wildcard));
        content = self.addresses.iter().fold(content, |content, address| content.address(*address));
        content = self.ports.iter().fold(content, hash_port);
        let state = if self.addresses.is_empty() {
            if self.pending {
                HostState::Pending
            } else {
                HostState::Declined(passed_over.last().map_or(NO_ADDRESS, |(_, reason)| reason))
            }
        } else {
            let v4: Vec<_> = self
                .addresses
                .iter()
                .filter_map(|a| if let IpAddr::V4(a) = a { Some(*a) } else { None })
                .collect();
            let v6: Vec<_> = self
                .addresses
                .iter()
                .filter_map(|a| if let IpAddr::V6(a) = a { Some(*a) } else { None })
                .collect();
            HostState::Addresses {
                v4: super::shared(&v4),
                v6: super::shared(&v6),
                ports: self.ports.into(),
                automatic: !self.literal,
            }
        };
        HostUnit {
            name: name.clone(),
            wildcard,
            state,
            visible: true,
            entries: entries.into(),
            passed_over: passed_over.into(),
            content: content.finish(),
        }
    }
}

/// Whether the mode gives addresses to such hosts of an entry. The label that opts out is only known to the status
/// allocator, and so are wildcards.
fn takes_automatic(entry: &ServiceEntry, wildcard: bool, mode: AutomaticAddresses) -> bool {
    match mode {
        AutomaticAddresses::Hash => {
            entry.resolution != Resolution::None && !entry.declares_addresses && !wildcard
        }
        _ => entry.takes_automatic_addresses() && (!wildcard || entry.resolution == Resolution::DynamicDns),
    }
}

/// What the mode has for the host, found by its exact text.
fn allocation(
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
fn families(inventory: &Inventory, assigned: Assigned, policy: &CompilePolicy) -> Vec<IpAddr> {
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
