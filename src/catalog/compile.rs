//! Inventory to units: what each Service, ServiceImport, pod address and mesh host is answered with.
//!
//! Pure: the same inventory and policy give the same unit, in whatever order the objects came.

mod host;

use std::net::IpAddr;
use std::sync::Arc;

use super::content::Content;
use super::endpoints::{hash_port, shared};
use super::presence::Presence;
use super::service_sets::ServiceSets;
use super::{
    CompilePolicy, EndpointSet, Hidden, InForce, PodUnit, Policy, ServiceKind, ServiceUnit, Unit, UnitTtl,
};
use crate::allocate::Allocator;
use crate::inventory::{Inventory, UnitKey};
use crate::model::{
    Addressing, EndpointSlice, Labels, Name, ObjectName, Port, Service, ServiceImport, Stamp,
};

/// Compiles one unit; `None` when nothing of it is left.
pub fn compile(
    inventory: &Inventory,
    allocator: &dyn Allocator,
    key: &UnitKey,
    policy: &Policy,
) -> Option<Unit> {
    let ttls = policy.ttl.load();
    let policy = &policy.compile;
    match key {
        UnitKey::Namespace(name) => serves_namespace(inventory, name, policy).then_some(Unit::Namespace),
        UnitKey::Service(name) => {
            let service = inventory.service(name)?;
            let ttl = ttls.of_object(&name.namespace, &service.labels, service.ttl);
            Some(Unit::Service(compile_service(inventory, service, policy).with(ttl, service.written)))
        }
        UnitKey::Import(name) => {
            let import = inventory.import(name)?;
            let ttl = ttls.of_object(&name.namespace, &Labels::default(), None);
            Some(Unit::Service(compile_import(inventory, import, policy).with(ttl, import.written)))
        }
        UnitKey::Pod { namespace, address } => {
            compile_pods(inventory, namespace, *address, policy, &ttls).map(Unit::Pod)
        }
        UnitKey::Host { name, wildcard } => {
            host::compile_host(inventory, allocator, name, *wildcard, policy, &ttls).map(Unit::Host)
        }
    }
}

/// Whether a namespace exists and passes the filters.
fn serves_namespace(inventory: &Inventory, name: &str, policy: &CompilePolicy) -> bool {
    let Some(namespace) = inventory.namespace(name) else { return false };
    (policy.namespaces.is_empty() || policy.namespaces.contains(name))
        && policy
            .namespace_selector
            .as_ref()
            .is_none_or(|selector| selector.matches(|key| namespace.labels.get(key)))
}

fn selected(labels: &Labels, policy: &CompilePolicy) -> bool {
    policy.label_selector.as_ref().is_none_or(|selector| selector.matches(|key| labels.get(key)))
}

fn compile_service(inventory: &Inventory, service: &Service, policy: &CompilePolicy) -> Compiled {
    let slices = local_slices(inventory, service, policy);
    let endpoints = Endpoints::of(&slices, policy);
    let kind = if !serves_namespace(inventory, &service.name.namespace, policy) {
        ServiceKind::Hidden(Hidden::Namespace)
    } else if !selected(&service.labels, policy) {
        ServiceKind::Hidden(Hidden::Labels)
    } else {
        match &service.addressing {
            Addressing::ClusterIps(_) if policy.ignore_empty_services && endpoints.all.is_empty() => {
                ServiceKind::Hidden(Hidden::Empty)
            }
            Addressing::ClusterIps(addresses) => cluster_ips(addresses),
            Addressing::Headless => ServiceKind::Headless,
            Addressing::Unassigned if slices.is_empty() => cluster_ips(&[]),
            Addressing::Unassigned => ServiceKind::Headless,
            Addressing::ExternalName(text) => alias(text),
        }
    };
    finish(service.name.clone(), kind, with_a_port(&service.ports), endpoints)
}

fn compile_import(inventory: &Inventory, import: &ServiceImport, policy: &CompilePolicy) -> Compiled {
    let name = &import.name;
    let slices = if policy.no_endpoints { Vec::new() } else { inventory.imported_slices(name) };
    let slices: Vec<_> = slices.into_iter().filter(|slice| selected(&slice.labels, policy)).collect();
    let endpoints = Endpoints::of(&slices, policy);
    let kind = if !serves_namespace(inventory, &name.namespace, policy) {
        ServiceKind::Hidden(Hidden::Namespace)
    } else {
        match &import.addresses {
            Some(_) if import.ports.is_empty() => ServiceKind::Hidden(Hidden::NoPorts),
            Some(_) if policy.ignore_empty_services && endpoints.all.is_empty() => {
                ServiceKind::Hidden(Hidden::Empty)
            }
            Some(addresses) => cluster_ips(addresses),
            None => ServiceKind::Headless,
        }
    };
    finish(name.clone(), kind, import.ports.clone().into(), endpoints)
}

fn compile_pods(
    inventory: &Inventory,
    namespace: &str,
    address: IpAddr,
    policy: &CompilePolicy,
    ttls: &InForce,
) -> Option<PodUnit> {
    let pods = inventory.pods_at(namespace, address).into_iter().filter(|pod| selected(&pod.labels, policy));
    let pods: Vec<_> = pods.collect();
    let mut names: Vec<ObjectName> = pods.iter().map(|pod| pod.name.clone()).collect();
    if names.is_empty() || !serves_namespace(inventory, namespace, policy) {
        return None;
    }
    names.sort_unstable();
    names.dedup();
    let content = Content::of("pod").bytes(namespace.as_bytes()).address(address).finish();
    let ttl = pods.iter().map(|pod| ttls.of_object(namespace, &pod.labels, None)).reduce(UnitTtl::and);
    Some(PodUnit { names: names.into(), ttl: ttl.unwrap_or_default(), content })
}

/// The endpoints of a service.
struct Endpoints {
    all: EndpointSet,
    /// Those under the name of the service, if they are not all.
    listed: Option<Box<EndpointSet>>,
    /// When the last of their slices was written; the inner one is `None` if one does not say, the outer one if there is no slice.
    written: Option<Option<Stamp>>,
}

impl Endpoints {
    fn of(slices: &[&EndpointSlice], policy: &CompilePolicy) -> Self {
        let join = |presence| EndpointSet::join(slices, policy.endpoint_pod_names, presence);
        Self {
            all: join(Presence::under_own_names(slices, policy)),
            listed: Presence::under_service_name(slices, policy).map(|presence| Box::new(join(presence))),
            written: slices.iter().map(|slice| slice.written).reduce(later),
        }
    }
}

/// The slices of a Service, as far as they are read. Endpoints objects count where a controller would have mirrored
/// them: for a service that selects no pods, or that has no slices of its own.
fn local_slices<'i>(
    inventory: &'i Inventory,
    service: &Service,
    policy: &CompilePolicy,
) -> Vec<&'i EndpointSlice> {
    if policy.no_endpoints || matches!(service.addressing, Addressing::ExternalName(_)) {
        return Vec::new();
    }
    let mut slices = inventory.slices(&service.name);
    let own_slices = slices.iter().any(|slice| !slice.mirrored);
    let wanted = |slice: &&EndpointSlice| {
        selected(&slice.labels, policy) && !(slice.mirrored && service.selects_pods && own_slices)
    };
    slices.retain(wanted);
    slices
}

fn cluster_ips(addresses: &[IpAddr]) -> ServiceKind {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for address in addresses {
        match address {
            IpAddr::V4(address) if !v4.contains(address) => v4.push(*address),
            IpAddr::V6(address) if !v6.contains(address) => v6.push(*address),
            _ => {}
        }
    }
    ServiceKind::ClusterIps { v4: shared(v4), v6: shared(v6) }
}

fn alias(text: &str) -> ServiceKind {
    if text.trim_end_matches('.').parse::<IpAddr>().is_ok() {
        return ServiceKind::Hidden(Hidden::AddressAsName);
    }
    match Name::parse(text) {
        Ok(target) if target.wire().len() > 1 => ServiceKind::Alias { target, text: wire_text(text) },
        _ => ServiceKind::Hidden(Hidden::NotAName),
    }
}

/// The wire form of a name, with its letter case. The text was read as a name before.
fn wire_text(text: &str) -> Box<[u8]> {
    let mut wire = Vec::with_capacity(text.len() + 2);
    for label in text.trim_end_matches('.').split('.') {
        wire.push(label.len() as u8);
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    wire.into()
}

/// A Service without ports gets one that stands for none, so that it exists.
fn with_a_port(ports: &Arc<[Port]>) -> Arc<[Port]> {
    if ports.is_empty() { [Port::none()].into() } else { ports.clone() }
}

fn finish(name: ObjectName, kind: ServiceKind, ports: Arc<[Port]>, endpoints: Endpoints) -> Compiled {
    let Endpoints { all: endpoints, listed, written } = endpoints;
    let content = match &kind {
        ServiceKind::Hidden(_) => 0,
        _ => content(&name, &kind, &ports, &endpoints, listed.as_deref()),
    };
    let (services, ttl) = (ServiceSets::default(), UnitTtl::default());
    let unit =
        ServiceUnit { name, kind, ports, endpoints, listed, services, ttl, endpoints_changed: None, content };
    Compiled { unit, endpoints_written: written }
}

/// A hash of what DNS can see of a service.
fn content(
    name: &ObjectName,
    kind: &ServiceKind,
    ports: &[Port],
    endpoints: &EndpointSet,
    listed: Option<&EndpointSet>,
) -> u64 {
    let content = Content::of("service").bytes(name.namespace.as_bytes()).bytes(name.name.as_bytes());
    let content = match kind {
        ServiceKind::Hidden(_) => content.number(0),
        ServiceKind::ClusterIps { v4, v6 } => {
            let addresses = v4.iter().map(|a| IpAddr::V4(*a)).chain(v6.iter().map(|a| IpAddr::V6(*a)));
            addresses.fold(content.number(1), Content::address)
        }
        ServiceKind::Headless => content.number(2),
        ServiceKind::Alias { text, .. } => content.number(3).bytes(text),
    };
    let content = ports.iter().fold(content, hash_port);
    let content = endpoints.hash(content);
    listed.iter().fold(content, |content, listed| listed.hash(content)).finish()
}

/// A service that still lacks what its object says of TTLs.
struct Compiled {
    unit: ServiceUnit,
    endpoints_written: Option<Option<Stamp>>,
}

impl Compiled {
    /// With it, and when the object was written.
    fn with(self, ttl: UnitTtl, written: Option<Stamp>) -> ServiceUnit {
        let all = self.endpoints_written.map_or(written, |endpoints| later(written, endpoints));
        let own = if matches!(self.unit.kind, ServiceKind::Headless) { all } else { written };
        ServiceUnit { ttl: ttl.since(own), endpoints_changed: all, ..self.unit }
    }
}

/// The later of two moments; not known when one of them is not.
fn later(one: Option<Stamp>, other: Option<Stamp>) -> Option<Stamp> {
    one.zip(other).map(|(one, other)| one.max(other))
}
