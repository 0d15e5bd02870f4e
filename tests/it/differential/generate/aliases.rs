//! ExternalName services, and where they lead.

use serde_json::json;

use super::{Builder, services};

/// What `super::super::servers` answers for, and names in the zones.
const TARGETS: [&str; 34] = [
    "www.example.org",
    "www.example.org.",
    "nothing.example",
    "broken.example",
    "alias.example",
    "six.example",
    "crowd.example",
    "empty.example",
    "web.shop.svc.cluster.local",
    "web.shop.svc.cluster.local.",
    "http.tcp.web.shop.svc.cluster.local",
    "many.data.svc.cluster.local",
    "crowd.data.svc.cluster.local",
    "10-245-0-1.few.data.svc.cluster.local",
    "nothing.shop.svc.cluster.local",
    "nothing.nowhere.svc.cluster.local",
    "cluster.local",
    "svc.cluster.local",
    "pod.cluster.local",
    "shop.svc.cluster.local",
    "dns-version.cluster.local",
    "ns.dns.cluster.local",
    "10-244-0-1.shop.pod.cluster.local",
    "web.shop.svc.clusterset.local",
    "notcluster.local",
    "1.1.96.10.in-addr.arpa",
    "svc.in-addr.arpa",
    "10.0.0.1",
    "kubernetes.default.svc.cluster.local",
    "step-1.data.svc.cluster.local",
    "step-4.data.svc.cluster.local",
    "circle-0.shop.svc.cluster.local",
    "tcp.web.shop.svc.cluster.local",
    "kubernetes.default",
];

/// Aliases of aliases, to the longest chain that is followed and beyond; circles; an alias to itself.
pub(super) fn chains(builder: &mut Builder) {
    let target = |name: &str, namespace: &str| format!("{name}.{namespace}.svc.cluster.local");
    named(builder, "data", "step-0", &target("web", "shop"));
    for step in 1..14 {
        named(builder, "data", &format!("step-{step}"), &target(&format!("step-{}", step - 1), "data"));
    }
    named(builder, "data", "away-0", "www.example.org");
    for step in 1..14 {
        named(builder, "data", &format!("away-{step}"), &target(&format!("away-{}", step - 1), "data"));
    }
    for (at, next) in [(0, 1), (1, 2), (2, 0)] {
        named(builder, "shop", &format!("circle-{at}"), &target(&format!("circle-{next}"), "shop"));
    }
    named(builder, "shop", "myself", &target("myself", "shop"));
    for (number, to) in TARGETS.iter().enumerate() {
        named(builder, "shop", &format!("to-{number}"), to);
    }
}

/// An alias to somewhere.
pub(super) fn alias(builder: &mut Builder, namespace: &str, name: &str) {
    let to = builder.random.pick(&TARGETS);
    named(builder, namespace, name, to);
}

fn named(builder: &mut Builder, namespace: &str, name: &str, to: &str) {
    let mut spec = json!({"type": "ExternalName", "externalName": to});
    if builder.random.percent(20) {
        spec["ports"] = services::ports(builder, 1);
    }
    services::add(builder, namespace, name, &spec);
}
