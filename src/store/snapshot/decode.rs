//! Messages to our nouns.
//!
//! Rule: an object counts as a whole or not at all. One that has something which this version does not know, such as another
//! way to be reached, is left out: half of it might be wrong, and the others are none the worse.

use std::net::IpAddr;

use super::proto;
use crate::model::{
    Addressing, AnswerMode, Endpoint, EndpointAddress, EndpointSlice, Host, Imported, Labels, Name,
    Namespace, Object, ObjectName, Pod, Port, Resolution, Service, ServiceEntry, ServiceImport, Stamp,
    Target, Ttl, WorkloadEntry,
};

/// The object of a message; none when this version cannot say what it means.
pub(super) fn object(message: proto::Object) -> Option<Object> {
    use proto::object::Kind;
    Some(match message.kind? {
        Kind::Namespace(m) => Object::Namespace(Namespace { name: m.name.into(), labels: labels(m.labels) }),
        Kind::Service(m) => Object::Service(service(m)?),
        Kind::EndpointSlice(m) => Object::EndpointSlice(slice(m)?),
        Kind::Pod(m) => Object::Pod(pod(m)?),
        Kind::ServiceImport(m) => Object::ServiceImport(import(m)?),
        Kind::ServiceEntry(m) => Object::ServiceEntry(entry(m)?),
        Kind::WorkloadEntry(m) => Object::WorkloadEntry(workload(m)?),
    })
}

fn service(m: proto::Service) -> Option<Service> {
    use proto::service::Addressing as From;
    let addressing = match m.addressing? {
        From::ClusterIps(all) => Addressing::ClusterIps(addresses(&all.addresses)?),
        From::Headless(_) => Addressing::Headless,
        From::ExternalName(name) => Addressing::ExternalName(name.into()),
        From::Unassigned(_) => Addressing::Unassigned,
    };
    Some(Service {
        name: ObjectName::new(m.namespace, m.name),
        labels: labels(m.labels),
        addressing,
        ports: ports(m.ports)?.into(),
        selects_pods: m.selects_pods,
        ttl: ttl(m.ttl)?,
        written: written(m.written),
    })
}

/// `None` for one out of range.
fn ttl(seconds: Option<u32>) -> Option<Option<Ttl>> {
    seconds.map(|seconds| Ttl::new(seconds.into()).ok()).map_or(Some(None), |ttl| ttl.map(Some))
}

fn written(seconds: Option<u32>) -> Option<Stamp> {
    seconds.and_then(|seconds| Stamp::new(seconds.into()))
}

fn slice(m: proto::EndpointSlice) -> Option<EndpointSlice> {
    let import = |m: proto::Imported| Imported { service: m.service.into(), cluster: m.cluster.into() };
    Some(EndpointSlice {
        name: ObjectName::new(m.namespace, m.name),
        labels: labels(m.labels),
        service: m.service.map(Into::into),
        import: m.import.map(import),
        ports: ports(m.ports)?.into(),
        endpoints: m.endpoints.into_iter().map(endpoint).collect::<Option<_>>()?,
        mirrored: m.mirrored,
        written: written(m.written),
    })
}

fn endpoint(m: proto::Endpoint) -> Option<Endpoint> {
    use proto::endpoint_address::Where;
    let place = |m: proto::EndpointAddress| match m.r#where? {
        Where::Address(octets) => address(&octets).map(EndpointAddress::Ip),
        Where::Name(text) => Name::parse(&text).ok().map(EndpointAddress::Name),
    };
    Some(Endpoint {
        addresses: m.addresses.into_iter().map(place).collect::<Option<_>>()?,
        hostname: m.hostname.map(Into::into),
        ready: m.ready,
        // It was not always written.
        serving: m.serving.unwrap_or(m.ready),
        terminating: m.terminating,
        target: m.target.map(Into::into),
        zone: m.zone.map(Into::into),
    })
}

fn pod(m: proto::Pod) -> Option<Pod> {
    let address = match m.address {
        Some(octets) => Some(address(&octets)?),
        None => None,
    };
    Some(Pod {
        name: ObjectName::new(m.namespace, m.name),
        labels: labels(m.labels),
        address,
        ready: m.ready,
        finished: m.finished,
        terminating: m.terminating,
    })
}

fn import(m: proto::ServiceImport) -> Option<ServiceImport> {
    let addresses = match m.addresses {
        Some(all) => Some(addresses(&all.addresses)?),
        None => None,
    };
    Some(ServiceImport {
        name: ObjectName::new(m.namespace, m.name),
        labels: labels(m.labels),
        addresses,
        ports: ports(m.ports)?,
        written: written(m.written),
    })
}

fn entry(m: proto::ServiceEntry) -> Option<ServiceEntry> {
    let resolution = match proto::Resolution::try_from(m.resolution).ok()? {
        proto::Resolution::None => Resolution::None,
        proto::Resolution::Static => Resolution::Static,
        proto::Resolution::Dns => Resolution::Dns,
        proto::Resolution::DnsRoundRobin => Resolution::DnsRoundRobin,
        proto::Resolution::DynamicDns => Resolution::DynamicDns,
    };
    let answer = match m.answer.map(proto::AnswerMode::try_from) {
        None => None,
        Some(Err(_)) => return None,
        Some(Ok(proto::AnswerMode::Vip)) => Some(AnswerMode::Vip),
        Some(Ok(proto::AnswerMode::Endpoints)) => Some(AnswerMode::Endpoints),
        Some(Ok(proto::AnswerMode::Decline)) => Some(AnswerMode::Decline),
    };
    let assigned = |m: proto::Assigned| Some((m.host.into(), address(&m.address)?));
    Some(ServiceEntry {
        name: ObjectName::new(m.namespace, m.name),
        labels: labels(m.labels),
        hosts: m.hosts.iter().map(|text| Host::parse(text).ok()).collect::<Option<_>>()?,
        declares_addresses: m.declares_addresses,
        addresses: addresses(&m.addresses)?,
        ports: ports(m.ports)?,
        resolution,
        endpoints: m.endpoints.into_iter().map(target).collect::<Option<_>>()?,
        selector: m.selector.map(|selector| labels(selector.labels)),
        answer,
        ttl: ttl(m.ttl)?,
        export_to: m.export_to.into_iter().map(Into::into).collect(),
        created: m.created,
        assigned: m.assigned.into_iter().map(assigned).collect::<Option<_>>()?,
        written: written(m.written),
    })
}

fn workload(m: proto::WorkloadEntry) -> Option<WorkloadEntry> {
    Some(WorkloadEntry {
        name: ObjectName::new(m.namespace, m.name),
        labels: labels(m.labels),
        target: target(m.target?)?,
        healthy: m.healthy,
    })
}

fn target(m: proto::Target) -> Option<Target> {
    use proto::target::Where;
    match m.r#where? {
        Where::Address(octets) => address(&octets).map(Target::Address),
        Where::Host(text) => Target::parse(&text).ok(),
        Where::Unanswerable(_) => Some(Target::Unanswerable),
    }
}

fn labels(m: Vec<proto::Label>) -> Labels {
    m.into_iter().map(|label| (label.key, label.value)).collect()
}

fn ports(m: Vec<proto::Port>) -> Option<Vec<Port>> {
    let port = |m: proto::Port| {
        let number = match m.number.map(u16::try_from) {
            None => None,
            Some(number) => Some(number.ok()?),
        };
        Some(Port { name: m.name.into(), protocol: m.protocol.into(), number })
    };
    m.into_iter().map(port).collect()
}

fn addresses(m: &[Vec<u8>]) -> Option<Vec<IpAddr>> {
    m.iter().map(|octets| address(octets)).collect()
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}
