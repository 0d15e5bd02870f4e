//! `bindAddress: '::'`: every listener of the chart serves both families.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::super::installed::Installed;
use super::{ZONES, is_answered};
use crate::support::coredns::CoreDns;
use crate::support::kube::ControlPlane;
use crate::support::process::{free_address, page};

#[test]
fn a_chart_that_binds_to_both_families_answers_both_on_every_listener() {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).expect("this machine has no ::1, which this test needs");
    let values = format!("{{{ZONES}, bindAddress: '::'}}");
    let installed = Installed::new(ControlPlane::shared(), &values);
    let mut meshdns = installed.started();
    meshdns.wait_until_ready();
    // A reply that left from another address than it was asked at would be none: the second one is not what a machine answers from by itself.
    let addresses = [
        IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
    ];
    for address in addresses {
        let at = |listener: SocketAddr| SocketAddr::new(address, listener.port());
        is_answered(at(meshdns.dns), &installed, &["+notcp"]);
        is_answered(at(meshdns.dns), &installed, &["+tcp"]);
        // The page that only the pod itself may see, in whatever form its address arrives.
        for path in ["/readyz", "/records"] {
            let shown = page(at(meshdns.admin), path);
            assert!(shown.starts_with("200 "), "{address} {path}: {shown}");
        }
        let dns = free_address();
        let corefile = format!(
            ".:{} {{\n    bind {}\n    errors\n    grpc . {}\n}}\n",
            dns.port(),
            dns.ip(),
            at(meshdns.grpc)
        );
        let before = meshdns.metrics().answered();
        let _coredns = CoreDns::start(&corefile);
        is_answered(dns, &installed, &[]);
        assert!(meshdns.metrics().answered() > before, "{address}");
    }
}
