//! Mode sidecar: a CoreDNS in the same pod, with the chart's whole Corefile.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

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

/// Both containers hear at once that they end. As long as CoreDNS answers, meshdns must.
#[test]
fn a_pod_that_ends_answers_until_its_coredns_is_gone() {
    let values = format!("{{mode: sidecar, {ZONES}, lameduckSeconds: 1}}");
    let installed = Installed::new(ControlPlane::shared(), &values);
    let (mut meshdns, coredns, dns) = started(&installed, &installed.pod(&Node::new()));
    is_answered(dns, &installed, &[]);
    meshdns.signal("TERM");
    coredns.signal("TERM");
    let answered = (0..).map(|number| asked(dns, number)).take_while(Option::is_some).flatten();
    let answered: Vec<u8> = answered.collect();
    // Those of a second, of names that no cache can know.
    assert!(answered.len() > 50, "{}", answered.len());
    let failed = answered.iter().filter(|rcode| **rcode != NXDOMAIN).count();
    assert_eq!(failed, 0, "of {}", answered.len());
    assert!(meshdns.wait_for_end().success());
}

const NXDOMAIN: u8 = 3;

/// The RCODE for a name that does not exist, another one with each number; none when nobody listens there any more.
fn asked(dns: SocketAddr, number: u32) -> Option<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let name = format!("n{number}.default.svc.cluster.local");
    let mut query = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    let mut reply = [0; 512];
    match socket.send(&query).and_then(|_| socket.recv(&mut reply)) {
        Ok(_) => Some(reply[3] & 15),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => None,
        // What waits in a socket when it is closed is lost without a word; whoever still listens is heard of within `cancel`.
        Err(error) => asked(dns, number + 1).map(|_| panic!("{name}: {error}")),
    }
}
