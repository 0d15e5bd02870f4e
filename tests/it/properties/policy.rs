//! Random policies.

use meshdns::catalog::{
    Class, ClassTtls, CompilePolicy, Families, HostPattern, NegativePending, NotReadyAddresses, PodMode,
    Policy, TerminatingEndpoints, TtlPolicy, TtlRule, TtlSetting, Visibility,
};
use meshdns::model::{AnswerMode, Name, Ttl, Zone, ZoneKind, Zones};
use proptest::prelude::*;
use proptest::sample::select;

/// The zones of every test: cluster, cluster set and some reverse ones.
fn zones() -> Zones {
    let zone = |text: &str, kind| Zone { name: Name::parse(text).unwrap(), kind };
    Zones::new([
        zone("cluster.local", ZoneKind::Cluster),
        zone("clusterset.local", ZoneKind::ClusterSet),
        zone("10.in-addr.arpa", ZoneKind::Reverse),
        zone("240.240.in-addr.arpa", ZoneKind::Reverse),
        zone("d.f.ip6.arpa", ZoneKind::Reverse),
    ])
    .unwrap()
}

/// Defaults, with those zones.
pub(super) fn plain() -> Policy {
    Policy {
        zones: zones(),
        catch_all: false,
        pods: PodMode::Disabled,
        zonal_names: false,
        server_addresses: Vec::new(),
        ttl: TtlPolicy::default().into(),
        compile: CompilePolicy::default(),
    }
}

fn ttl() -> impl Strategy<Value = Ttl> {
    (0..9i64).prop_map(|seconds| Ttl::new(seconds).unwrap())
}

fn setting() -> impl Strategy<Value = TtlSetting> {
    prop_oneof![4 => ttl().prop_map(TtlSetting::Fixed), 1 => Just(TtlSetting::Churn)]
}

/// Any TTLs.
fn ttls() -> impl Strategy<Value = TtlPolicy> {
    let pending = prop_oneof![Just(NegativePending::Uncached), ttl().prop_map(NegativePending::For)];
    let class = || select(Class::ALL.to_vec());
    let hosts = ["*.shop.svc.cluster.local", ".example.com", "web.shop.svc.cluster.local", "*.arpa"];
    let host = select(hosts.to_vec()).prop_map(|text| HostPattern::parse(text).unwrap());
    let some = |strategy| proptest::collection::vec(strategy, 0..2);
    let namespaces = some(select(vec!["shop", "data"]));
    let rule = (
        setting(),
        namespaces,
        proptest::collection::vec(host, 0..2),
        proptest::collection::vec(class(), 0..2),
    );
    let rule = rule.prop_map(|(ttl, namespaces, hosts, classes)| TtlRule {
        name: None,
        ttl,
        namespaces: namespaces.into_iter().map(Box::from).collect(),
        selector: None,
        hosts: hosts.into(),
        classes: classes.into(),
    });
    let classes = proptest::collection::vec((class(), setting()), 0..4);
    let rules = proptest::collection::vec(rule, 0..4);
    (pending, setting(), proptest::option::of(ttl()), classes, rules).prop_map(
        |(negative_pending, default, negative, own, rules)| {
            let mut classes = ClassTtls::default();
            own.into_iter().for_each(|(class, ttl)| classes.set(class, Some(ttl)));
            let rules = rules.into();
            TtlPolicy { default, classes, negative, negative_pending, rules, ..TtlPolicy::default() }
        },
    )
}

/// Any policy that still answers names outside the zones with REFUSED.
pub(super) fn any() -> impl Strategy<Value = Policy> {
    let pods = prop_oneof![Just(PodMode::Disabled), Just(PodMode::Insecure), Just(PodMode::Verified)];
    let families = prop_oneof![Just(Families::Auto), Just(Families::Ipv4), Just(Families::Dual)];
    let servers = proptest::option::of(Just("10.0.0.1".parse().unwrap()));
    let flags = proptest::array::uniform3(proptest::bool::ANY);
    let visible = prop_oneof![
        Just(Visibility::default()),
        Just(Visibility { public: true, namespaces: vec!["shop".into(), "data".into()] }),
        Just(Visibility { public: false, namespaces: vec!["data".into()] }),
    ];
    let terminating = select(&[TerminatingEndpoints::Never, TerminatingEndpoints::WhenAlone][..]);
    let not_ready = select(&[NotReadyAddresses::Everywhere, NotReadyAddresses::OwnNamesOnly][..]);
    let endpoints = (terminating, not_ready);
    let mesh = (select(&AnswerMode::ALL[..]), visible, proptest::bool::ANY);
    (pods, families, ttls(), servers, flags, mesh, endpoints).prop_map(
        |(pods, families, ttls, server, flags, mesh, endpoints)| {
            let (answer, visible_to, answer_self_resolving) = mesh;
            let [zonal_names, endpoint_pod_names, ignore_empty_services] = flags;
            let mut policy = plain();
            policy.pods = pods;
            policy.zonal_names = zonal_names;
            policy.server_addresses = server.into_iter().collect();
            policy.ttl = ttls.into();
            let (terminating_endpoints, not_ready_addresses) = endpoints;
            policy.compile = CompilePolicy {
                terminating_endpoints,
                not_ready_addresses,
                endpoint_pod_names,
                ignore_empty_services,
                families,
                answer,
                visible_to,
                answer_self_resolving,
                ..CompilePolicy::default()
            };
            policy
        },
    )
}
