//! Mode daemonset: a socket in a directory of the node, for a CoreDNS in another pod of that node.

use serde_json::json;

use super::super::installed::Installed;
use super::super::node::Node;
use super::{ZONES, coredns, has_no_privileges, is_answered};
use crate::support::kube::ControlPlane;

#[test]
fn a_daemonset_of_the_chart_answers_through_a_coredns_on_the_same_node() {
    let installed = Installed::new(ControlPlane::shared(), &format!("{{mode: daemonset, {ZONES}}}"));
    let node = Node::new();
    let mut meshdns = installed.started_in(&installed.pod(&node));
    meshdns.wait_until_ready();
    // The directory is root's, and root without capabilities is nobody but its owner.
    has_no_privileges(&meshdns, 0);
    let socket = json!({"/run/meshdns": {"hostPath": {"path": "/run/meshdns"}}});
    let (_coredns, dns) = coredns(&installed, &node, &socket, |block| block);
    is_answered(dns, &installed, &[]);
    assert!(meshdns.metrics().queries("grpc_unix", "NOERROR") > 0);

    // A pod that takes the place of the last one finds the socket of a process that was killed, and CoreDNS finds the new one.
    meshdns.signal("KILL");
    meshdns.wait_for_end();
    let mut next = installed.started_in(&installed.pod(&node));
    next.wait_until_ready();
    is_answered(dns, &installed, &[]);
    assert!(node.directory("/run/meshdns").join("dns.sock").exists());
}
