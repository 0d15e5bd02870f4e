//! Mode sidecar: a CoreDNS in the same pod, with the chart's whole Corefile.

use std::net::SocketAddr;

use super::super::cell::Cell;
use super::super::installed::Installed;
use super::super::node::Node;
use super::{ZONES, at_free_ports, has_no_privileges, is_answered};
use crate::support::coredns::{CoreDns, executable};
use crate::support::kube::ControlPlane;
use crate::support::process::{Meshdns, free_address};

/// Both containers of a pod, and where the pod answers.
fn started(installed: &Installed<'_>, pod: &Cell) -> (Meshdns, CoreDns, SocketAddr) {
    let mut meshdns = installed.started_in(pod);
    meshdns.wait_until_ready();
    let dns = free_address();
    let ports = [":8080", ":8181", ":9153"];
    pod.edit("/etc/coredns/Corefile", |corefile| at_free_ports(&corefile, dns.port(), &ports));
    let coredns = CoreDns::started(&mut pod.command(executable(), "coredns", installed.plane));
    (meshdns, coredns, dns)
}

#[test]
fn a_sidecar_of_the_chart_answers_dig_through_its_own_coredns() {
    let installed = Installed::new(ControlPlane::shared(), &format!("{{mode: sidecar, {ZONES}}}"));
    let (meshdns, _coredns, dns) = started(&installed, &installed.pod(&Node::new()));
    has_no_privileges(&meshdns, 65532);
    is_answered(dns, &installed, &[]);
    assert!(meshdns.metrics().queries("grpc_unix", "NOERROR") > 0);
}
