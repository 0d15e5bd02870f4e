//! Our nouns to messages.

use std::net::IpAddr;

use super::proto;
use crate::model::{
    Addressing, AnswerMode, Endpoint, EndpointAddress, EndpointSlice, Labels, Namespace, Object, Pod, Port,
    Resolution, Service, ServiceEntry, ServiceImport, Stamp, Target, Ttl, WorkloadEntry,
};

/// The message of an object; none for rows of istiod's name table, which have a place of their own.
pub(super) fn object(object: &Object) -> Option<proto::Object> {
    use proto::object::Kind;
    let kind = match object {
        Object::Namespace(o) => Kind::Namespace(namespace(o)),
        Object::Service(o) => Kind::Service(service(o)),
        Object::EndpointSlice(o) => Kind::EndpointSlice(slice(o)),
        Object::Pod(o) => Kind::Pod(pod(o)),
        Object::ServiceImport(o) => Kind::ServiceImport(import(o)),
        Object::ServiceEntry(o) => Kind::ServiceEntry(entry(o)),
        Object::WorkloadEntry(o) => Kind::WorkloadEntry(workload(o)),
        Object::TableRow(_) => return None,
    };
    Some(proto::Object { kind: Some(kind) })
}

fn namespace(o: &Namespace) -> proto::Namespace {
    proto::Namespace { name: text(&o.name), labels: labels(&o.labels) }
}

fn service(o: &Service) -> proto::Service {
    use proto::service::Addressing as To;
    let addressing = match &o.addressing {
        Addressing::ClusterIps(all) => To::ClusterIps(proto::Addresses { addresses: addresses(all) }),
        Addressing::Headless => To::Headless(proto::Nothing {}),
        Addressing::ExternalName(name) => To::ExternalName(text(name)),
        Addressing::Unassigned => To::Unassigned(proto::Nothing {}),
    };
    proto::Service {
        namespace: text(&o.name.namespace),
        name: text(&o.name.name),
        labels: labels(&o.labels),
        addressing: Some(addressing),
        ports: ports(&o.ports),
        selects_pods: o.selects_pods,
        ttl: o.ttl.map(Ttl::seconds),
        written: o.written.map(Stamp::seconds),
    }
}

fn slice(o: &EndpointSlice) -> proto::EndpointSlice {
    let import = o
        .import
        .as_ref()
        .map(|import| proto::Imported { service: text(&import.service), cluster: text(&import.cluster) });
    proto::EndpointSlice {
        namespace: text(&o.name.namespace),
        name: text(&o.name.name),
        labels: labels(&o.labels),
        service: maybe(o.service.as_deref()),
        import,
        ports: ports(&o.ports),
        endpoints: o.endpoints.iter().map(endpoint).collect(),
        mirrored: o.mirrored,
        written: o.written.map(Stamp::seconds),
    }
}

fn endpoint(o: &Endpoint) -> proto::Endpoint {
    use proto::endpoint_address::Where;
    let place = |at: &EndpointAddress| match at {
        EndpointAddress::Ip(ip) => Where::Address(address(*ip)),
        EndpointAddress::Name(name) => Where::Name(name.to_string()),
    };
    let place = |at: &EndpointAddress| proto::EndpointAddress { r#where: Some(place(at)) };
    proto::Endpoint {
        addresses: o.addresses.iter().map(place).collect(),
        hostname: maybe(o.hostname.as_deref()),
        ready: o.ready,
        serving: Some(o.serving),
        terminating: o.terminating,
        target: maybe(o.target.as_deref()),
        zone: maybe(o.zone.as_deref()),
    }
}

fn pod(o: &Pod) -> proto::Pod {
    proto::Pod {
        namespace: text(&o.name.namespace),
        name: text(&o.name.name),
        labels: labels(&o.labels),
        address: o.address.map(address),
        ready: o.ready,
        finished: o.finished,
        terminating: o.terminating,
    }
}

fn import(o: &ServiceImport) -> proto::ServiceImport {
    proto::ServiceImport {
        namespace: text(&o.name.namespace),
        name: text(&o.name.name),
        labels: labels(&o.labels),
        addresses: o.addresses.as_ref().map(|all| proto::Addresses { addresses: addresses(all) }),
        ports: ports(&o.ports),
        written: o.written.map(Stamp::seconds),
    }
}

fn entry(o: &ServiceEntry) -> proto::ServiceEntry {
    let resolution = match o.resolution {
        Resolution::None => proto::Resolution::None,
        Resolution::Static => proto::Resolution::Static,
        Resolution::Dns => proto::Resolution::Dns,
        Resolution::DnsRoundRobin => proto::Resolution::DnsRoundRobin,
        Resolution::DynamicDns => proto::Resolution::DynamicDns,
    };
    let answer = o.answer.map(|answer| match answer {
        AnswerMode::Vip => proto::AnswerMode::Vip,
        AnswerMode::Endpoints => proto::AnswerMode::Endpoints,
        AnswerMode::Decline => proto::AnswerMode::Decline,
    });
    let assigned =
        |(host, ip): &(Box<str>, IpAddr)| proto::Assigned { host: text(host), address: address(*ip) };
    proto::ServiceEntry {
        namespace: text(&o.name.namespace),
        name: text(&o.name.name),
        labels: labels(&o.labels),
        hosts: o.hosts.iter().map(|host| text(&host.text)).collect(),
        declares_addresses: o.declares_addresses,
        addresses: addresses(&o.addresses),
        ports: ports(&o.ports),
        resolution: resolution.into(),
        endpoints: o.endpoints.iter().map(target).collect(),
        selector: o.selector.as_ref().map(|selector| proto::Labels { labels: labels(selector) }),
        answer: answer.map(Into::into),
        ttl: o.ttl.map(Ttl::seconds),
        export_to: o.export_to.iter().map(|to| text(to)).collect(),
        created: o.created,
        assigned: o.assigned.iter().map(assigned).collect(),
        written: o.written.map(Stamp::seconds),
    }
}

fn workload(o: &WorkloadEntry) -> proto::WorkloadEntry {
    proto::WorkloadEntry {
        namespace: text(&o.name.namespace),
        name: text(&o.name.name),
        labels: labels(&o.labels),
        target: Some(target(&o.target)),
        healthy: o.healthy,
    }
}

fn target(o: &Target) -> proto::Target {
    use proto::target::Where;
    let place = match o {
        Target::Address(ip) => Where::Address(address(*ip)),
        Target::Host { name: _, text: written } => Where::Host(text(written)),
        Target::Unanswerable => Where::Unanswerable(proto::Nothing {}),
    };
    proto::Target { r#where: Some(place) }
}

fn text(o: &str) -> String {
    o.to_owned()
}

fn maybe(o: Option<&str>) -> Option<String> {
    o.map(str::to_owned)
}

fn labels(o: &Labels) -> Vec<proto::Label> {
    o.iter().map(|(key, value)| proto::Label { key: text(key), value: text(value) }).collect()
}

fn ports(o: &[Port]) -> Vec<proto::Port> {
    let port = |port: &Port| proto::Port {
        name: text(&port.name),
        protocol: text(&port.protocol),
        number: port.number.map(u32::from),
    };
    o.iter().map(port).collect()
}

fn addresses(o: &[IpAddr]) -> Vec<Vec<u8>> {
    o.iter().map(|ip| address(*ip)).collect()
}

fn address(o: IpAddr) -> Vec<u8> {
    match o {
        IpAddr::V4(ip) => ip.octets().into(),
        IpAddr::V6(ip) => ip.octets().into(),
    }
}
