//! Mode deployment with TLS: certificates out of Secrets, and clients that are none.

use serde_json::json;

use super::super::installed::Installed;
use super::super::node::Node;
use super::{ZONES, coredns, has_no_privileges, is_answered, is_refused, replaced, web};
use crate::support::certificates::Authority;
use crate::support::kube::ControlPlane;

const CLIENT: &str = "coredns.kube-system.svc";

#[test]
fn a_deployment_of_the_chart_with_tls_answers_the_clients_that_it_lists_and_no_others() {
    let values = format!(
        "{{{ZONES}, service: {{clusterIP: 10.96.0.102}}, tls: {{secretName: meshdns-tls, clientNames: [{CLIENT}]}}}}"
    );
    let installed = Installed::new(ControlPlane::shared(), &values);
    let authority = Authority::new("dns");
    let server = format!("dns-meshdns.{}.svc", installed.namespace.name);
    installed.keep("meshdns-tls", &authority.pair(&server), &authority.pem);
    installed.keep("coredns-tls", &authority.pair(CLIENT), &authority.pem);
    installed.keep("other-tls", &authority.pair("web.shop.svc"), &authority.pem);
    let mut meshdns = installed.started();
    meshdns.wait_until_ready();
    has_no_privileges(&meshdns, 65532);
    let asked = meshdns.grpc.to_string();
    let with = |secret: &str| json!({"/etc/coredns-tls": {"secret": {"secretName": secret}}});
    let here = |block: String| replaced(&block, "10.96.0.102:8053", &asked);
    let outcome = |outcome: &str| format!("meshdns_tls_handshakes_total{{outcome=\"{outcome}\"}}");

    let (_coredns, dns) = coredns(&installed, &Node::new(), &with("coredns-tls"), here);
    is_answered(dns, &installed, &[]);
    assert!(meshdns.metrics().answered() > 0);
    assert!(meshdns.metrics().sample(&outcome("accepted")) > 0);

    // A certificate of the same authority, for somebody else.
    let (name, _) = web(&installed);
    let (_coredns, dns) = coredns(&installed, &Node::new(), &with("other-tls"), here);
    is_refused(dns, &name);
    meshdns.wait_until("refused by its name", |metrics| metrics.sample(&outcome("name")) > 0);
    meshdns.wait_for_log("is in listen.grpcTls.clientNames: web.shop.svc");

    // The same block without a certificate to show.
    let pair = "/etc/coredns-tls/tls.crt /etc/coredns-tls/tls.key ";
    let (_coredns, dns) =
        coredns(&installed, &Node::new(), &with("coredns-tls"), |block| replaced(&here(block), pair, ""));
    is_refused(dns, &name);
    meshdns.wait_until("refused without one", |metrics| metrics.sample(&outcome("no_certificate")) > 0);

    // And without TLS.
    let (_coredns, dns) = coredns(&installed, &Node::new(), &with("coredns-tls"), |block| {
        let (before, rest) = block.split_once("grpc . ").unwrap();
        let (_, after) = rest.split_once("    }\n").unwrap();
        format!("{before}grpc . {asked}\n{after}")
    });
    is_refused(dns, &name);
    meshdns.wait_until("refused in plaintext", |metrics| metrics.sample(&outcome("not_tls")) > 0);
}
