//! Mode deployment without TLS: gRPC for a CoreDNS elsewhere, and plain DNS.

use serde_json::json;

use super::super::installed::Installed;
use super::super::node::Node;
use super::{ZONES, coredns, has_no_privileges, is_answered, replaced};
use crate::support::kube::ControlPlane;

#[test]
fn a_deployment_of_the_chart_answers_through_the_clusters_coredns_and_over_plain_dns() {
    let values = format!("{{{ZONES}, service: {{clusterIP: 10.96.0.101}}}}");
    let installed = Installed::new(ControlPlane::shared(), &values);
    let mut meshdns = installed.started();
    meshdns.wait_until_ready();
    has_no_privileges(&meshdns, 65532);

    let asked = meshdns.grpc.to_string();
    let (_coredns, dns) =
        coredns(&installed, &Node::new(), &json!({}), |block| replaced(&block, "10.96.0.101:8053", &asked));
    is_answered(dns, &installed, &[]);
    assert!(meshdns.metrics().answered() > 0);
    is_answered(meshdns.dns, &installed, &["+notcp"]);
    is_answered(meshdns.dns, &installed, &["+tcp"]);
}
