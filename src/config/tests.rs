mod mistakes;

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
