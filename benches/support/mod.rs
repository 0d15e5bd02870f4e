//! What the benches share: generated clusters, and questions. The same number of services gives the same cluster.
#![allow(dead_code, reason = "no bench uses all of it")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot prepare has failed")]

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use meshdns::catalog::{Catalog, CompilePolicy, PodMode, Policy, TtlPolicy};
use meshdns::keeper::Keeper;
use meshdns::model::{
    Addressing, Change, Endpoint, EndpointAddress, EndpointSlice, Host, Labels, Name, Namespace, Object,
    ObjectName, Port, Resolution, Service, ServiceEntry, Zone, ZoneKind, Zones,
};

/// How many services the clusters have.
pub(crate) const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Services in one namespace.
const PER_NAMESPACE: usize = 50;

/// A catalog and its keeper, with `cluster.local` and the reverse zone of 10.0.0.0/8.
pub(crate) fn keeper(objects: Vec<Object>) -> (Arc<Catalog>, Keeper) {
    let zone = |text: &str, kind| Zone { name: Name::parse(text).unwrap(), kind };
    let zones = [zone("cluster.local", ZoneKind::Cluster), zone("10.in-addr.arpa", ZoneKind::Reverse)];
    let catalog = Arc::new(Catalog::new(Policy {
        zones: Zones::new(zones).unwrap(),
        catch_all: false,
        pods: PodMode::Disabled,
        zonal_names: false,
        server_addresses: Vec::new(),
        ttl: TtlPolicy::default().into(),
        compile: CompilePolicy::default(),
    }));
    let mut keeper = Keeper::new(catalog.clone());
    keeper.apply(0, Change::Replace(objects));
    (catalog, keeper)
}

/// A cluster of `services`: of every ten, seven have a cluster IP, three are headless with names for their pods, and
/// one more is a host of the mesh; each service has three endpoints. Besides, `big.default` has a hundred.
pub(crate) fn cluster(services: usize) -> Vec<Object> {
    let mut objects = vec![namespace("default")];
    objects.extend((0..services.div_ceil(PER_NAMESPACE)).map(|index| namespace(&format!("ns-{index}"))));
    for index in 0..services {
        objects.push(service(index));
        objects.push(slice(index, 3, index as u32 * 4));
        if index.is_multiple_of(10) {
            objects.push(entry(&format!("host-{index}.mesh.example"), index));
        }
    }
    objects.push(entry("*.wild.example", services));
    objects.push(Object::Service(Service {
        written: None,
        name: ObjectName::new("default", "big"),
        labels: Labels::default(),
        addressing: Addressing::Headless,
        ports: [port()].into(),
        selects_pods: true,
        ttl: None,
    }));
    objects.push(named_slice(ObjectName::new("default", "big"), "big", 100, 0x00f0_0000));
    objects
}

/// The name of service `index`.
pub(crate) fn name(index: usize) -> ObjectName {
    ObjectName::new(format!("ns-{}", index / PER_NAMESPACE), format!("service-{index}"))
}

/// Whether service `index` is headless.
pub(crate) fn is_headless(index: usize) -> bool {
    index % 10 >= 7
}

/// Its name in DNS.
pub(crate) fn dns_name(index: usize) -> String {
    let name = name(index);
    format!("{}.{}.svc.cluster.local", name.name, name.namespace)
}

pub(crate) fn namespace(name: &str) -> Object {
    Object::Namespace(Namespace { name: name.into(), labels: Labels::default() })
}

pub(crate) fn service(index: usize) -> Object {
    let address = Ipv4Addr::from(0x0a80_0000 + index as u32);
    let addressing =
        if is_headless(index) { Addressing::Headless } else { Addressing::ClusterIps(vec![address.into()]) };
    Object::Service(Service {
        written: None,
        name: name(index),
        labels: Labels::default(),
        addressing,
        ports: [port()].into(),
        selects_pods: true,
        ttl: None,
    })
}

/// The slice of service `index`, with endpoints whose addresses begin at a number.
pub(crate) fn slice(index: usize, endpoints: u32, first: u32) -> Object {
    named_slice(name(index), if is_headless(index) { "pod" } else { "" }, endpoints, first)
}

fn named_slice(service: ObjectName, hostname: &str, endpoints: u32, first: u32) -> Object {
    let endpoint = |number: u32| Endpoint {
        addresses: [EndpointAddress::Ip(Ipv4Addr::from(0x0a00_0000 + first + number).into())]
            .into_iter()
            .collect(),
        hostname: (!hostname.is_empty()).then(|| format!("{hostname}-{number}").into()),
        ready: true,
        serving: true,
        terminating: false,
        target: None,
        zone: None,
    };
    Object::EndpointSlice(EndpointSlice {
        written: None,
        name: ObjectName::new(service.namespace.clone(), format!("{}-x7k2p", service.name)),
        labels: Labels::default(),
        service: Some(service.name),
        import: None,
        ports: [port()].into(),
        endpoints: (0..endpoints).map(endpoint).collect(),
        mirrored: false,
    })
}

/// A host with an automatic address.
pub(crate) fn entry(host: &str, index: usize) -> Object {
    Object::ServiceEntry(ServiceEntry {
        written: None,
        name: ObjectName::new("default", format!("entry-{index}")),
        labels: Labels::default(),
        hosts: vec![Host::parse(host).unwrap()],
        declares_addresses: host.starts_with('*'),
        addresses: if host.starts_with('*') { vec![Ipv4Addr::new(192, 0, 2, 1).into()] } else { Vec::new() },
        ports: vec![port()],
        // Of a DNS one without endpoints the address would be withheld.
        resolution: Resolution::Static,
        endpoints: Vec::new(),
        selector: None,
        answer: None,
        ttl: None,
        export_to: Vec::new(),
        created: 0,
        assigned: vec![(host.into(), Ipv4Addr::from(0xf0f0_0000 + index as u32).into())],
    })
}

fn port() -> Port {
    Port { name: "http".into(), protocol: "TCP".into(), number: Some(80) }
}

/// A query with an OPT record, as CoreDNS sends it.
pub(crate) fn query(name: &str, kind: u16) -> Vec<u8> {
    let mut packet = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in name.split('.') {
        packet.push(label.len() as u8);
        packet.extend_from_slice(label.as_bytes());
    }
    packet.push(0);
    packet.extend_from_slice(&kind.to_be_bytes());
    packet.extend_from_slice(&[0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    packet
}

/// The questions of the benches, for a cluster of `services`; what they ask for spreads over the whole cluster.
pub(crate) fn questions(services: usize) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let (a, ptr, aaaa, srv) = (1, 12, 28, 33);
    let spread = |wanted: fn(usize) -> bool, make: &dyn Fn(usize) -> Vec<u8>| -> Vec<Vec<u8>> {
        let step = (services / 256).max(1) | 1;
        (0..4096).map(|n| n * step % services).filter(|index| wanted(*index)).take(256).map(make).collect()
    };
    let with_ip = |index: usize| !is_headless(index);
    let host = |index: usize| index.is_multiple_of(10);
    let reverse = |index: usize| {
        let [a, b, c, d] = (0x0a80_0000 + index as u32).to_be_bytes();
        format!("{d}.{c}.{b}.{a}.in-addr.arpa")
    };
    let once = |name: &str, kind| vec![query(name, kind)];
    vec![
        ("cluster-ip-a", spread(with_ip, &|i| query(&dns_name(i), a))),
        (
            "mixed-case-a",
            spread(with_ip, &|i| {
                query(&dns_name(i).replace("service", "SeRvIcE").replace("cluster", "CluSTer"), a)
            }),
        ),
        ("other-family-aaaa", spread(with_ip, &|i| query(&dns_name(i), aaaa))),
        ("headless-3-a", spread(is_headless, &|i| query(&dns_name(i), a))),
        ("headless-100-a", once("big.default.svc.cluster.local", a)),
        ("headless-3-srv", spread(is_headless, &|i| query(&format!("_http._tcp.{}", dns_name(i)), srv))),
        ("headless-100-srv", once("_http._tcp.big.default.svc.cluster.local", srv)),
        ("cluster-ip-srv", spread(with_ip, &|i| query(&format!("_http._tcp.{}", dns_name(i)), srv))),
        ("pod-name-a", spread(is_headless, &|i| query(&format!("pod-1.{}", dns_name(i)), a))),
        ("ptr", spread(with_ip, &|i| query(&reverse(i), ptr))),
        ("search-path-nxdomain", once("www.example.com.default.svc.cluster.local", a)),
        ("host-exact-a", spread(host, &|i| query(&format!("host-{i}.mesh.example"), a))),
        ("host-wildcard-a", once("any.thing.wild.example", a)),
    ]
}

/// Resident memory of this process in bytes.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
}

/// The number that this bench prints when it is a process of its own with these arguments.
pub(crate) fn in_a_process(arguments: &[&str]) -> usize {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// The middle one of some durations.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// What so many percent of some figures do not exceed.
pub(crate) fn percentile(figures: &[f64], percent: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
