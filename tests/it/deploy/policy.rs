//! The admission policy: a namespace names the hosts that are its own, and those that it may not name appear nowhere.

use serde_json::json;

use crate::support::kube::{CustomResources, NAMESPACES, Setup, until};

fn entry(hosts: &str) -> String {
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{name: hosts}}, \
          spec: {{hosts: [{hosts}], addresses: [192.0.2.8], ports: [{{number: 80, name: http}}], resolution: STATIC}}}}"
    )
}

#[test]
fn namespaces_name_the_hosts_that_are_theirs() {
    // It is about all namespaces, so not on an API server that others use.
    let plane = Setup::default().without_controllers().start();
    plane.install(CustomResources::ServiceEntry);
    let (shop, other) = (plane.namespace("shop"), plane.namespace("other"));
    plane
        .api()
        .try_apply_strictly(include_str!("../../../deploy/policies/service-entry-hosts.yaml"))
        .unwrap();
    let hosts = json!({"metadata": {"annotations": {"meshdns.io/hosts": "internal,partner.example"}}});
    plane.api().merge(NAMESPACES, &shop.name, &hosts);
    // Policies are in force a moment after they are there, and annotations too.
    let told = until("a refusal", || {
        let answer = other.try_apply(&entry("api.partner.example"));
        answer.err().map(|error| error.to_string()).filter(|told| told.contains("may name"))
    });
    let expected = format!(
        "spec.hosts: api.partner.example: namespace {} may name hosts of no domain (its annotation meshdns.io/hosts)",
        other.name
    );
    assert!(told.contains(&expected), "{told}");
    until("the annotation is known", || shop.try_apply(&entry("internal")).ok());
    for hosts in ["api.internal", "'*.internal'", "a.b.internal, PARTNER.example", "api.Partner.Example"] {
        shop.try_apply(&entry(hosts)).unwrap_or_else(|error| panic!("{hosts}: {error}"));
    }
    for (hosts, named) in [
        ("api.bank.example", "spec.hosts: api.bank.example: "),
        ("api.internal, '*.com'", "spec.hosts: *.com: "),
        ("notinternal", "spec.hosts: notinternal: "),
        ("example", "spec.hosts: example: "),
        ("'*.example'", "spec.hosts: *.example: "),
        ("web.shop.svc.cluster.local", "spec.hosts: web.shop.svc.cluster.local: "),
    ] {
        let told = shop.try_apply(&entry(hosts)).unwrap_err().to_string();
        assert!(
            told.contains(named) && told.contains("may name hosts of internal, partner.example"),
            "{told}"
        );
    }
}
