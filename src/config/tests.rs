use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::catalog::{
    AutomaticAddresses, Class, Families, NegativePending, NotReadyAddresses, PodMode, TerminatingEndpoints,
    TtlPolicy, Visibility,
};
use crate::model::AnswerMode;
use crate::model::{LabelSelector, Ttl, ZoneKind};
use crate::source::istiod::{IstiodSettings, NodeIdentity, Tls};

/// The documented file with what is supported, other values than the defaults where there are any.
const COMPLETE: &str = r#"
zones: [cluster.local, 240.240.0.0/16]      # names or CIDRs
catchAll: false
listen:
  grpc: ["127.0.0.1:8053", "unix:///run/meshdns/dns.sock"]
  dns: ["127.0.0.1:5353"]
  admin: "127.0.0.1:8081"
  grpcMaxConnectionAge: 300
  lameduck: 5
sources:
  manifests: ["./manifests"]
  kubernetes: {}
  istiod: {}
upstreams: ["10.96.0.10:53", "2001:db8::1"]
kubernetes:
  pods: verified
  endpointPodNames: true
  ignoreEmptyServices: true
  endpoints: true
  terminatingEndpoints: whenAlone
  notReadyAddresses: ownNamesOnly
  namespaces: [shop, web]
  namespaceSelector: ""
  labelSelector: "app in (web, api), !hidden"
  clusterSetZones: [clusterset.local]
  zonalNames: true
  serverAddresses: [10.96.0.10]
serviceEntries:
  addresses: off
  answer: vip
  families: [IPv4, IPv6]
  ranges: [240.240.0.0/16, "2001:2::/48"]
  exportedTo: ["*"]
ttl:
  default: 30
  negative: 10
  negativePending: 2
"#;

fn read(text: &str) -> Result<Settings, Problems> {
    Settings::read("meshdns.yaml", text, &Overrides::default())
}

/// Reads `text` behind a valid `zones`, which takes the first line.
pub(super) fn zoned(text: &str) -> Result<Settings, Problems> {
    read(&format!("zones: [cluster.local]\n{text}"))
}

/// Reads `text` in the same way, and expects to be told one problem.
pub(super) fn one_problem(text: &str, expected: &str) {
    let told = zoned(text).expect_err(text).to_string();
    assert!(told.contains(expected) && told.starts_with("meshdns.yaml:"), "{text}\n  {told}\n  {expected}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

fn problems(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn zone_list(settings: &Settings) -> Vec<(String, ZoneKind)> {
    settings.zones.iter().map(|zone| (zone.name.to_string(), zone.kind)).collect()
}

#[test]
fn the_complete_file_is_read() {
    let settings = read(COMPLETE).unwrap();
    assert_eq!(
        zone_list(&settings),
        [
            ("cluster.local.".to_owned(), ZoneKind::Cluster),
            ("240.240.in-addr.arpa.".to_owned(), ZoneKind::Reverse),
            ("clusterset.local.".to_owned(), ZoneKind::ClusterSet),
        ]
    );
    assert!(!settings.catch_all);
    let grpc = vec![
        GrpcAddress::Tcp(socket("127.0.0.1:8053")),
        GrpcAddress::Unix(PathBuf::from("/run/meshdns/dns.sock")),
    ];
    let listen = Listen {
        grpc,
        grpc_tls: None,
        dns: vec![socket("127.0.0.1:5353")],
        admin: Some(socket("127.0.0.1:8081")),
        inspect: Inspect::Local,
        grpc_max_connection_age: Duration::from_secs(300),
        lameduck: Duration::from_secs(5),
    };
    assert_eq!(settings.listen, listen);
    assert_eq!(settings.sources.manifests, [PathBuf::from("./manifests")]);
    assert_eq!(settings.sources.istiod, None);
    assert_eq!(settings.sources.kubernetes.unwrap().resources.len(), 7);
    let servers = vec![socket("10.96.0.10:53"), socket("[2001:db8::1]:53")];
    assert_eq!(settings.upstreams, Upstreams::Servers(servers));
    assert_eq!(
        settings.kubernetes,
        KubernetesSettings {
            pods: PodMode::Verified,
            endpoint_pod_names: true,
            ignore_empty_services: true,
            endpoints: true,
            terminating_endpoints: TerminatingEndpoints::WhenAlone,
            not_ready_addresses: NotReadyAddresses::OwnNamesOnly,
            namespaces: NamespaceFilter::Named(["shop".to_owned(), "web".to_owned()].into()),
            label_selector: LabelSelector::parse("app in (api,web),!hidden").unwrap(),
            zonal_names: true,
            server_addresses: vec!["10.96.0.10".parse().unwrap()],
        }
    );
    let entries = ServiceEntrySettings {
        addresses: AutomaticAddresses::Off,
        answer: AnswerMode::Vip,
        answer_self_resolving: false,
        visible_to: Visibility::default(),
        families: Families::Dual,
        ..ServiceEntrySettings::default()
    };
    assert_eq!(settings.service_entries, entries);
    let ttl = |seconds| Ttl::new(seconds).unwrap();
    let expected = TtlPolicy {
        default: ttl(30).into(),
        negative: Some(ttl(10)),
        negative_pending: NegativePending::For(ttl(2)),
        ..TtlPolicy::default()
    };
    assert_eq!(settings.ttl, expected);
}

fn istiod(text: &str) -> IstiodSettings {
    zoned(&format!("sources: {{istiod: {{{text}}}}}")).unwrap().sources.istiod.unwrap()
}

#[test]
fn istiod_is_asked_as_written() {
    let told = istiod(
        "address: 'istiod.istio-system.svc:15012', tls: {ca: /ca.pem}, token: /token, node: {namespace: shop, \
         name: dns-0, ips: [10.244.0.9, 'fd00::9'], clusterID: east, network: n1, serviceAccount: dns, \
         metadata: {ISTIO_VERSION: 1.31.0, DNS_AUTO_ALLOCATE: true}}",
    );
    assert_eq!(told.endpoint.to_string(), "istiod.istio-system.svc:15012");
    let server_name = "istiod.istio-system.svc".to_owned();
    assert_eq!(told.tls, Some(Tls { ca: PathBuf::from("/ca.pem"), server_name }));
    assert_eq!(told.token, Some(PathBuf::from("/token")));
    assert_eq!(told.node.id(), "sidecar~10.244.0.9~dns-0.shop~shop.svc.cluster.local");
    let metadata = [("DNS_AUTO_ALLOCATE", "true"), ("ISTIO_VERSION", "1.31.0")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let expected = NodeIdentity {
        namespace: "shop".to_owned(),
        name: "dns-0".to_owned(),
        addresses: vec!["10.244.0.9".parse().unwrap(), "fd00::9".parse().unwrap()],
        cluster_id: "east".to_owned(),
        network: "n1".to_owned(),
        service_account: "dns".to_owned(),
        domain: "cluster.local".to_owned(),
        auto_allocate: false,
        metadata: metadata.into(),
    };
    assert_eq!(told.node, expected);
}

#[test]
fn istiod_by_its_address_is_asked_in_the_clear_or_for_its_usual_name() {
    let plain = istiod("address: '[fd00::1]:15010'");
    assert_eq!(plain.keep.as_secs(), 86_400);
    assert!(istiod("address: 'x:15010', keep: 0").keep.is_zero());
    assert_eq!((plain.endpoint.to_string().as_str(), plain.tls), ("[fd00::1]:15010", None));
    assert_eq!(plain.node, NodeIdentity::default());
    assert_eq!(istiod("address: 'x:443', tls: off").tls, None);
    let tls = istiod("address: '10.0.0.1:15012', tls: {ca: f}").tls.unwrap();
    assert_eq!(tls.server_name, "istiod.istio-system.svc");
    let tls = istiod("address: '10.0.0.1:15012', tls: {ca: f, serverName: Istiod.Other.svc.}").tls.unwrap();
    assert_eq!(tls.server_name, "istiod.other.svc");
    assert_eq!(zoned("sources: {istiod: {}}").unwrap().sources.istiod, None);
}

#[test]
fn the_node_fits_the_other_settings() {
    let text = "zones: [10.0.0.0/8, example.org, cluster.local]\nsources: {istiod: {address: 'i:15010'}}\n";
    let settings = read(text).unwrap();
    let node = settings.sources.istiod.unwrap().node;
    assert_eq!((node.domain.as_str(), node.auto_allocate), ("example.org", false));
    let computed = read(&format!("{text}serviceEntries: {{addresses: hash}}\n")).unwrap();
    assert!(computed.sources.istiod.unwrap().node.auto_allocate);
}

#[test]
fn the_documented_example_is_read() {
    let page = include_str!("../../docs/settings.md");
    let (_, example) = page.split_once("```yaml\n").unwrap();
    assert!(read(example.split_once("```").unwrap().0).is_ok());
}

#[test]
fn every_setting_is_documented() {
    let page = include_str!("../../docs/settings.md");
    let sections = ["listen", "sources", "kubernetes", "serviceEntries", "ttl", "telemetry"];
    for section in sections {
        let told = zoned(&format!("{section}: {{=: 1}}")).unwrap_err().to_string();
        for key in told.split_once("known here: ").unwrap().1.split(", ") {
            assert!(page.contains(&format!("`{section}.{key}`")), "{section}.{key}");
        }
    }
    for section in ["traces", "dnstap", "queryLog"] {
        let told = zoned(&format!("telemetry: {{{section}: {{=: 1}}}}")).unwrap_err().to_string();
        let told = told.lines().find(|line| line.contains("known here: ")).unwrap();
        for key in told.split_once("known here: ").unwrap().1.split(", ") {
            assert!(page.contains(&format!("`telemetry.{section}.{key}`")), "telemetry.{section}.{key}");
        }
    }
    for section in ["istiod", "istiod.tls", "istiod.node"] {
        let nested =
            section.split('.').rev().fold("{=: 1}".to_owned(), |inner, key| format!("{{{key}: {inner}}}"));
        let told = zoned(&format!("sources: {nested}")).unwrap_err().to_string();
        let told = told.lines().find(|line| line.contains("known here: ")).unwrap();
        for key in told.split_once("known here: ").unwrap().1.split(", ") {
            assert!(page.contains(&format!("`sources.{section}.{key}`")), "sources.{section}.{key}");
        }
    }
    for key in problems("=: 1").split_once("known here: ").unwrap().1.lines().next().unwrap().split(", ") {
        assert!(page.contains(&format!("`{key}`")) || sections.contains(&key), "{key}");
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    for text in ["", "kubernetes:\nttl: {}\nlisten:\n  grpc:\nsources: ~\nupstreams:\nserviceEntries:\n"] {
        let settings = zoned(text).unwrap();
        assert!(!settings.catch_all);
        assert_eq!(settings.listen.grpc, [GrpcAddress::Tcp(socket("127.0.0.1:8053"))]);
        assert_eq!(settings.listen.dns, []);
        assert_eq!(settings.listen.admin, Some(socket("127.0.0.1:8081")));
        assert_eq!(settings.listen.grpc_max_connection_age, Duration::from_secs(600));
        assert_eq!(settings.listen.lameduck, Duration::ZERO);
        assert_eq!(settings.sources, Sources::default());
        assert_eq!(settings.upstreams, Upstreams::ResolvConf);
        assert_eq!(settings.kubernetes, KubernetesSettings::default());
        assert!(settings.kubernetes.endpoints);
        assert_eq!(settings.service_entries, ServiceEntrySettings::default());
        assert_eq!(settings.ttl.of(Class::Zone).seconds(), 5);
        assert_eq!(settings.ttl.of(Class::Negative).seconds(), 5);
        assert_eq!(settings.ttl.negative_pending, NegativePending::Uncached);
    }
}

#[test]
fn each_mistake_is_told() {
    for (text, expected) in [
        ("catchAll: yes", "2: catchAll: `yes` is text here: write true"),
        ("catchAll: 1", "2: catchAll: `1` is a number: true or false is expected"),
        ("catchall: true", "2: catchall: unknown setting; did you mean `catchAll`?"),
        ("listen: 5", "2: listen: `5` is a number: a mapping is expected"),
        (
            "listen: {http: x}",
            "2: listen.http: unknown setting; known here: grpc, grpcTls, grpcPlaintext, dns, admin, inspect, grpcMaxConnectionAge, lameduck",
        ),
        (
            "listen: {grpcMaxConnectionAge: 0}",
            "2: listen.grpcMaxConnectionAge: 0 is out of range: seconds from 1 to 86400",
        ),
        ("listen: {grpcMaxConnectionAge: 10m}", "`10m` is text: seconds from 1 to 86400 is expected"),
        ("listen: {lameduck: -1}", "2: listen.lameduck: -1 is out of range: seconds from 0 to 300"),
        ("listen: {lameduck: 5s}", "listen.lameduck: `5s` is text: seconds from 0 to 300 is expected"),
        (
            "listen: {grpc: '127.0.0.1:8053'}",
            "listen.grpc: `127.0.0.1:8053` is text where a list is expected: write [127.0.0.1:8053]",
        ),
        ("listen:\n  grpc:\n  - 127.0.0.1", "4: listen.grpc[0]: `127.0.0.1` is not an address with a port"),
        ("listen: {grpc: ['unix://run/x']}", "`unix://run/x` does not name a socket by its absolute path"),
        ("listen: {grpc: []}", "meshdns.yaml: listen: grpc and dns are both empty"),
        ("listen: {dns: [localhost:53]}", "listen.dns[0]: `localhost:53` is not an address with a port"),
        (
            "listen: {dns: ['127.0.0.1:8053'], grpc: ['127.0.0.1:8053']}",
            "listen.dns[0]: 127.0.0.1:8053 is already taken by listen.grpc[0] at line 2",
        ),
        (
            "listen: {admin: false}",
            "listen.admin: `false` is a boolean: an address with a port, such as 127.0.0.1:8081, or off is expected",
        ),
        ("listen: {admin: ['127.0.0.1:1']}", "listen.admin: a list stands where an address with a port"),
        ("listen: {admin: ':8081'}", "listen.admin: `:8081` is not an address with a port"),
        (
            "sources: {manifests: ./here}",
            "sources.manifests: `./here` is text where a list is expected: write [./here]",
        ),
        ("sources: {manifests: ['']}", "sources.manifests[0]: the path is empty"),
        ("sources: {manifests: [1]}", "sources.manifests[0]: `1` is a number: a path is expected, in quotes"),
        (
            "sources: {kubernetes: {kubeconfig: {}}}",
            "sources.kubernetes.kubeconfig: a mapping stands where a path is expected",
        ),
        (
            "sources: {kubernetes: {contxt: x}}",
            "sources.kubernetes.contxt: unknown setting; did you mean `context`?",
        ),
        ("sources: {istiod: {address: x}}", "2: sources.istiod.address: `x` is not a host with a port"),
        ("sources: {istiod: {address: 'x:0'}}", "sources.istiod.address: `x:0` is not a host with a port"),
        (
            "sources: {istiod: {address: 'fd00::1:15010'}}",
            "sources.istiod.address: `fd00::1:15010` is not a host",
        ),
        (
            "sources: {istiod: {address: 'a b:15010'}}",
            "sources.istiod.address: `a b:15010` is not a host with",
        ),
        (
            "sources: {istiod: {address: 15010}}",
            "sources.istiod.address: `15010` is a number: a host with a port",
        ),
        (
            "sources: {istiod: {address: 'i:15010', keep: 31536001}}",
            "2: sources.istiod.keep: 31536001 is out of range: seconds from 0 to 31536000",
        ),
        ("sources: {istiod: {address: 'i:15010', keep: -1}}", "sources.istiod.keep: -1 is out of range"),
        ("sources: {istiod: {keep: 5}}", "sources.istiod.address: a host with a port, such as"),
        ("sources: {istiod: {token: t}}", "sources.istiod.address: a host with a port, such as"),
        (
            "sources: {istiod: {address: 'i:15012'}}",
            "sources.istiod.tls: istiod speaks TLS on port 15012: give",
        ),
        ("sources: {istiod: {address: 'i:15012', tls: off}}", "sources.istiod.tls: istiod always speaks TLS"),
        (
            "sources: {istiod: {address: 'i:15010', tls: {ca: f}}}",
            "sources.istiod.tls: istiod never speaks TLS",
        ),
        (
            "sources: {istiod: {address: 'i:443'}}",
            "sources.istiod.tls: on port 443 it is not clear whether TLS",
        ),
        ("sources: {istiod: {address: 'i:443', tls: on}}", "sources.istiod.tls: `on` is text: a mapping"),
        ("sources: {istiod: {address: 'i:443', tls: {ca: ''}}}", "sources.istiod.tls.ca: the path is empty"),
        (
            "sources: {istiod: {address: 'i:443', tls: {serverName: n}}}",
            "sources.istiod.tls.ca: a PEM file is expected",
        ),
        (
            "sources: {istiod: {address: 'i:443', tls: {ca: f, serverName: 'a b'}}}",
            "sources.istiod.tls.serverName: `a b` has the character ' '",
        ),
        ("sources: {istiod: {address: 'i:443', tls: {key: f}}}", "sources.istiod.tls.key: unknown setting"),
        (
            "sources: {istiod: {address: 'i:15010', token: f}}",
            "sources.istiod.token: without TLS anybody on the way could read it",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {namespace: A}}}",
            "sources.istiod.node.namespace: `A` cannot name a namespace",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {name: 'a~b'}}}",
            "sources.istiod.node.name: `a~b` has the character '~'",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {ips: []}}}",
            "sources.istiod.node.ips: the list is empty",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {ips: [10.0.0.1/8]}}}",
            "sources.istiod.node.ips[0]: `10.0.0.1/8` is not an address",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {clusterID: 'a b'}}}",
            "sources.istiod.node.clusterID: `a b` is not one word",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {metadata: {NETWORK: x}}}}",
            "sources.istiod.node.metadata.NETWORK: there is a setting for this: sources.istiod.node.network",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {metadata: {LABELS: {}}}}}",
            "sources.istiod.node.metadata.LABELS: a mapping stands where text is expected",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {cluster: x}}}",
            "sources.istiod.node.cluster: unknown setting",
        ),
        (
            "sources: {consul: {}}",
            "sources.consul: unknown setting; known here: kubernetes, istiod, manifests",
        ),
        ("upstreams: []", "upstreams: the list is empty"),
        ("upstreams: [dns.example]", "upstreams[0]: `dns.example` is not the address of a server"),
        ("upstreams: [10.0.0.1, '10.0.0.1:53']", "upstreams[1]: 10.0.0.1:53 is given twice"),
        ("upstreams: ['10.0.0.1:0']", "upstreams[0]: `10.0.0.1:0` has port 0"),
        (
            "kubernetes: {pods: verfied}",
            "kubernetes.pods: `verfied` is unknown: disabled, insecure or verified is expected; did you mean `verified`?",
        ),
        (
            "kubernetes: {pods: true}",
            "kubernetes.pods: `true` is a boolean: disabled, insecure or verified is expected",
        ),
        (
            "kubernetes: {endpointPodNames: 'true'}",
            "kubernetes.endpointPodNames: `true` is text: true or false is expected",
        ),
        (
            "kubernetes: {ignoreEmptyServices: off}",
            "kubernetes.ignoreEmptyServices: `off` is text here: write false",
        ),
        (
            "kubernetes: {endpoints: []}",
            "kubernetes.endpoints: a list stands where true or false is expected",
        ),
        ("kubernetes: {namespaces: [Shop]}", "kubernetes.namespaces[0]: `Shop` cannot name a namespace"),
        (
            "kubernetes: {namespaces: [a, 12]}",
            "kubernetes.namespaces[1]: `12` is a number: the name of a namespace is expected, in quotes",
        ),
        ("kubernetes: {namespaces: [a, a]}", "kubernetes.namespaces[1]: `a` is given twice"),
        (
            "kubernetes: {namespaces: [a], namespaceSelector: b}",
            "kubernetes.namespaceSelector: `namespaces` is given too",
        ),
        (
            "kubernetes: {namespaceSelector: 'a b'}",
            "kubernetes.namespaceSelector: `a b` is not a label selector: found `b`",
        ),
        (
            "kubernetes: {labelSelector: {a: b}}",
            "kubernetes.labelSelector: a mapping stands where a label selector is expected",
        ),
        (
            "kubernetes: {labelSelector: 'a in ()'}",
            "kubernetes.labelSelector: `a in ()` is not a label selector",
        ),
        (
            "kubernetes: {clusterSetZones: [set.local, Set.Local.]}",
            "kubernetes.clusterSetZones[1]: zone set.local. is given twice",
        ),
        (
            "kubernetes: {clusterSetZones: [10.in-addr.arpa]}",
            "kubernetes.clusterSetZones[0]: `10.in-addr.arpa` is a reverse zone",
        ),
        (
            "kubernetes: {clusterSetZones: [10.0.0.0/8]}",
            "kubernetes.clusterSetZones[0]: `10.0.0.0/8` has the character '/'",
        ),
        (
            "kubernetes: {zonalNames: true, endpoints: false}",
            "kubernetes.zonalNames: zonal names need endpoints",
        ),
        (
            "kubernetes: {zonalNames: 1.5}",
            "kubernetes.zonalNames: `1.5` is a number: true or false is expected",
        ),
        (
            "kubernetes: {serverAddresses: ['10.0.0.1:53']}",
            "kubernetes.serverAddresses[0]: `10.0.0.1:53` is not an address without a port",
        ),
        ("kubernetes: {podNames: x}", "kubernetes.podNames: unknown setting"),
        (
            "serviceEntries: {addresses: false}",
            "serviceEntries.addresses: `false` is a boolean: status, hash, off or ledger is expected",
        ),
        (
            "serviceEntries: {answer: vips}",
            "serviceEntries.answer: `vips` is unknown: vip, endpoints or decline is expected; did you mean `vip`?",
        ),
        (
            "serviceEntries: {selfResolving: true}",
            "serviceEntries.selfResolving: `true` is a boolean: decline or answer is expected",
        ),
        (
            "serviceEntries: {families: IPv4}",
            "serviceEntries.families: `IPv4` is text where a list is expected: write [IPv4]",
        ),
        ("serviceEntries: {families: []}", "serviceEntries.families: the list is empty"),
        (
            "serviceEntries: {families: [ipv4]}",
            "serviceEntries.families[0]: `ipv4` is unknown: IPv4 or IPv6 is expected",
        ),
        ("serviceEntries: {families: [IPv4, IPv4]}", "serviceEntries.families[1]: `IPv4` is given twice"),
        (
            "serviceEntries: {ranges: [10.0.0.1/8]}",
            "serviceEntries.ranges[0]: `10.0.0.1/8` has bits set outside its prefix",
        ),
        (
            "serviceEntries: {exportedTo: ['*', '.']}",
            "serviceEntries.exportedTo[1]: `.` is neither `*` nor a namespace",
        ),
        ("serviceEntries: {exportedTo: []}", "serviceEntries.exportedTo: the list is empty"),
        (
            "serviceEntries: {address: off}",
            "serviceEntries.address: unknown setting; did you mean `addresses`?",
        ),
        ("---\nttl: {}", "2: a second document begins here"),
    ] {
        one_problem(text, expected);
    }
}

#[test]
fn zones_are_names_and_ranges() {
    for (text, expected) in [
        (
            "",
            "meshdns.yaml: zones: at least one zone is expected, such as [cluster.local], or catchAll: true",
        ),
        (
            "zones: []",
            "meshdns.yaml: zones: at least one zone is expected, such as [cluster.local], or catchAll: true",
        ),
        (
            "zones: cluster.local",
            "meshdns.yaml:1: zones: `cluster.local` is text where a list is expected: write [cluster.local]",
        ),
        ("zones: [a, A.]", "meshdns.yaml:1: zones[1]: zone a. is given twice"),
        (
            "zones: [10.0.0.0/8, 10.in-addr.arpa]",
            "meshdns.yaml:1: zones[1]: zone 10.in-addr.arpa. is given twice",
        ),
        ("zones:\n- a..b", "meshdns.yaml:2: zones[0]: `a..b` has an empty label"),
        ("zones: ['a b']", "meshdns.yaml:1: zones[0]: `a b` has the character ' '"),
        ("zones: [10.0.0.0/33]", "meshdns.yaml:1: zones[0]: `10.0.0.0/33` has a prefix of more than 32 bits"),
        (
            "zones: [7]",
            "meshdns.yaml:1: zones[0]: `7` is a number: a name or a range of addresses is expected, in quotes",
        ),
        ("- zones", "meshdns.yaml:1: a list stands where a mapping is expected"),
        ("zones: [", "meshdns.yaml:1: column"),
        ("zones: [a]\nzones: [b]\n", "meshdns.yaml:2: column 1: `zones` is already given at line 1"),
    ] {
        let told = problems(text);
        assert!(told.starts_with(expected) && told.lines().count() == 1, "{text}\n  {told}\n  {expected}");
    }
    let label = "x".repeat(64);
    assert!(problems(&format!("zones: [{label}]")).contains("a label of more than 63 octets"));
    let name = ["x".repeat(63).as_str(); 4].join(".");
    assert!(problems(&format!("zones: [{name}]")).contains("longer than 255 octets"));
    assert!(zone_list(&read("catchAll: true").unwrap()).is_empty());
    assert_eq!(read("kubernetes: {clusterSetZones: [clusterset.local]}").unwrap().zones.iter().count(), 1);
}

#[test]
fn all_mistakes_are_told_at_once_by_line() {
    let text = "ttl:\n  default: 4000\nzone: [a]\nlisten:\n  grpc: [x]\n  admin: off\nkubernetes:\n  zonalNames: maybe\n";
    let told = problems(text);
    let starts: Vec<&str> = told.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let expected = ["meshdns.yaml", "meshdns.yaml:2", "meshdns.yaml:3", "meshdns.yaml:5", "meshdns.yaml:8"];
    assert_eq!(starts, expected, "{told}");
}

#[test]
fn off_turns_the_admin_listener_off() {
    assert_eq!(zoned("listen: {admin: off}").unwrap().listen.admin, None);
}

#[test]
fn port_zero_may_stand_more_than_once() {
    let settings = zoned("listen: {grpc: ['127.0.0.1:0', '127.0.0.1:0'], dns: ['127.0.0.1:0']}").unwrap();
    assert_eq!(settings.listen.grpc.len(), 2);
}

#[test]
fn families_are_auto_or_a_list() {
    let families = |text: &str| zoned(text).unwrap().service_entries.families;
    assert_eq!(families("serviceEntries: {families: auto}"), Families::Auto);
    assert_eq!(families("serviceEntries: {families: [IPv4]}"), Families::Ipv4);
    assert_eq!(families("serviceEntries: {families: [IPv6]}"), Families::Ipv6);
    assert_eq!(families("serviceEntries: {families: [IPv6, IPv4]}"), Families::Dual);
}

#[test]
fn a_namespace_selector_filters() {
    let namespaces = |text: &str| zoned(text).unwrap().kubernetes.namespaces;
    let selector = LabelSelector::parse("team=shop").unwrap();
    assert_eq!(
        namespaces("kubernetes: {namespaces: [], namespaceSelector: team=shop}"),
        NamespaceFilter::Selected(selector)
    );
    assert_eq!(namespaces("kubernetes: {namespaces: [], namespaceSelector: ''}"), NamespaceFilter::All);
}

#[test]
fn flags_replace_what_the_file_says() {
    let overrides = Overrides {
        manifests: vec![PathBuf::from("other")],
        grpc_listen: vec!["10.0.0.1:1".to_owned()],
        grpc_plaintext: Some("anywhere".to_owned()),
        dns_listen: vec!["127.0.0.1:2".to_owned()],
        admin_listen: Some("off".to_owned()),
        zones: vec!["example.org".to_owned()],
        upstreams: vec!["10.0.0.1".to_owned()],
        istiod: Some("10.0.0.2:15010".to_owned()),
        catch_all: Some(true),
        ledger_file: Some(PathBuf::from("addresses")),
        kubernetes: true,
        kubeconfig: Some(PathBuf::from("kubeconfig")),
    };
    let settings = Settings::read("meshdns.yaml", COMPLETE, &overrides).unwrap();
    assert_eq!(zone_list(&settings)[0].0, "example.org.");
    assert_eq!(settings.zones.iter().count(), 2);
    assert!(settings.catch_all);
    assert_eq!(settings.listen.grpc, [GrpcAddress::Tcp(socket("10.0.0.1:1"))]);
    assert_eq!(settings.listen.dns, [socket("127.0.0.1:2")]);
    assert_eq!(settings.listen.admin, None);
    assert_eq!(settings.sources.manifests, [PathBuf::from("other")]);
    assert_eq!(settings.sources.kubernetes.unwrap().api.kubeconfig, Some(PathBuf::from("kubeconfig")));
    assert_eq!(settings.sources.istiod.unwrap().endpoint.to_string(), "10.0.0.2:15010");
    assert_eq!(settings.upstreams, Upstreams::Servers(vec![socket("10.0.0.1:53")]));
}

#[test]
fn flags_are_called_by_their_names() {
    let overrides = Overrides {
        manifests: vec![PathBuf::new()],
        grpc_listen: vec!["x".to_owned()],
        grpc_plaintext: Some("w".to_owned()),
        dns_listen: vec!["y".to_owned()],
        admin_listen: Some("z".to_owned()),
        zones: vec!["a..b".to_owned()],
        upstreams: vec!["u".to_owned()],
        istiod: Some("i".to_owned()),
        catch_all: None,
        ledger_file: None,
        kubernetes: false,
        kubeconfig: Some(PathBuf::new()),
    };
    let told = Settings::load(None, &overrides).unwrap_err().to_string();
    let flags: Vec<&str> = told.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let expected = [
        "--grpc-listen",
        "--dns-listen",
        "--admin-listen",
        "--grpc-plaintext",
        "--kubeconfig",
        "--istiod",
        "--manifests",
        "--upstream",
        "--zone",
    ];
    assert_eq!(flags, expected, "{told}");
}

#[test]
fn without_a_file_flags_are_enough() {
    let overrides = Overrides { zones: vec!["cluster.local".to_owned()], ..Overrides::default() };
    assert_eq!(zone_list(&Settings::load(None, &overrides).unwrap())[0].0, "cluster.local.");
    let told = Settings::load(None, &Overrides::default()).unwrap_err().to_string();
    assert!(told.starts_with("zones: at least one zone"), "{told}");
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let told = Settings::load(Some(Path::new("/nowhere/meshdns.yaml")), &Overrides::default()).unwrap_err();
    assert!(told.to_string().starts_with("/nowhere/meshdns.yaml: cannot be read: "), "{told}");
}

#[test]
fn problems_stay_on_one_line() {
    let told = problems("zones: [\"a\\nb\"]\n\"c\\nd\": 1\n");
    assert_eq!(told.lines().count(), 2, "{told}");
}

/// Settings with one piece of the complete file exchanged for something else.
fn disturbed() -> impl Strategy<Value = String> {
    let words: Vec<String> =
        COMPLETE.split_inclusive([' ', '\n', ',', '[', ']', ':']).map(str::to_owned).collect();
    (0..words.len(), "[-a-z0-9:,\\[\\]{}'\"*&!|\n ./]{0,8}").prop_map(move |(at, piece)| {
        let mut words = words.clone();
        words[at] = piece;
        words.concat()
    })
}

fn check_any(text: &str) {
    if let Err(problems) = read(text) {
        assert!(problems.iter().count() > 0);
        assert_eq!(problems.to_string().split('\n').count(), problems.iter().count());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check_any(&text);
    }

    #[test]
    fn disturbed_settings_are_read_or_refused(text in disturbed()) {
        check_any(&text);
    }
}
