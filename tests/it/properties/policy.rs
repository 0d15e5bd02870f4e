//! Random policies.

use meshdns::catalog::{CompilePolicy, Families, NegativePending, PodMode, Policy, TtlPolicy, Visibility};
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
        ttl: TtlPolicy::default(),
        compile: CompilePolicy::default(),
    }
}

/// Any policy that still answers names outside the zones with REFUSED.
pub(super) fn any() -> impl Strategy<Value = Policy> {
    let pods = prop_oneof![Just(PodMode::Disabled), Just(PodMode::Insecure), Just(PodMode::Verified)];
    let families = prop_oneof![Just(Families::Auto), Just(Families::Ipv4), Just(Families::Dual)];
    let pending = prop_oneof![
        Just(NegativePending::Uncached),
        (0..3i64).prop_map(|seconds| NegativePending::For(Ttl::new(seconds).unwrap()))
    ];
    let servers = proptest::option::of(Just("10.0.0.1".parse().unwrap()));
    let flags = proptest::array::uniform3(proptest::bool::ANY);
    let visible = prop_oneof![
        Just(Visibility::default()),
        Just(Visibility { public: true, namespaces: vec!["shop".into(), "data".into()] }),
        Just(Visibility { public: false, namespaces: vec!["data".into()] }),
    ];
    let mesh = (select(&AnswerMode::ALL[..]), visible, proptest::bool::ANY);
    (pods, families, pending, servers, flags, mesh).prop_map(
        |(pods, families, pending, server, flags, mesh)| {
            let (answer, visible_to, answer_self_resolving) = mesh;
            let [zonal_names, endpoint_pod_names, ignore_empty_services] = flags;
            let mut policy = plain();
            policy.pods = pods;
            policy.zonal_names = zonal_names;
            policy.server_addresses = server.into_iter().collect();
            policy.ttl.negative_pending = pending;
            policy.compile = CompilePolicy {
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
