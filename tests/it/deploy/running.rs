//! From the chart to an answer: objects applied, the programs started with the chart's arguments, settings, Corefile and service account.

use std::path::Path;
use std::process::Command;

use super::cell::Cell;
use super::chart::Release;
use crate::support::coredns::{CoreDns, executable};
use crate::support::dig::{data, dig};
use crate::support::kube::{ControlPlane, SERVICES, until};
use crate::support::process::{Meshdns, Ports, free_address};

#[test]
fn a_sidecar_of_the_chart_answers_dig_through_its_own_coredns() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("mesh");
    let release = Release::new(&namespace.name, "{mode: sidecar, zones: [cluster.local, 10.96.0.0/16]}");
    plane.api().try_apply_strictly(&release.text).unwrap();
    let account = namespace.service_account("dns-meshdns");
    let cell = Cell::new(&release);
    cell.let_be(&account, plane, &namespace.name);

    let ports = Ports::free();
    let mut command =
        cell.command(Path::new(env!("CARGO_BIN_EXE_meshdns")), release.container("meshdns"), plane);
    // The one thing of the pod that all pods have of their own: its address.
    command.env("MESHDNS_ADMIN_LISTEN", ports.admin.to_string());
    let mut meshdns = Meshdns::started(ports, &mut command);
    meshdns.wait_until_ready();

    let dns = free_address();
    let corefile = cell.path("/etc/coredns/Corefile");
    std::fs::write(&corefile, at_free_ports(&std::fs::read_to_string(&corefile).unwrap(), dns.port()))
        .unwrap();
    let mut command: Command = cell.command(executable(), release.container("coredns"), plane);
    let _coredns = CoreDns::started(&mut command);

    let service = namespace.get(SERVICES, "dns-meshdns").unwrap();
    let address = service["spec"]["clusterIP"].as_str().unwrap();
    let name = format!("dns-meshdns.{}.svc.cluster.local", namespace.name);
    let reply = until("an answer", || {
        let reply = dig(dns, [name.as_str(), "A"]);
        (reply.status == "NOERROR" && !reply.answer.is_empty()).then_some(reply)
    });
    assert_eq!(data(&reply.answer), [address]);
    let reply = dig(dns, ["-x", address]);
    assert_eq!(data(&reply.answer), [format!("{name}.")], "{}", reply.text);
    let reply = dig(dns, [&format!("_dns._udp.{name}"), "SRV"]);
    assert_eq!(data(&reply.answer), [format!("0 100 53 {name}.")], "{}", reply.text);
    assert_eq!(dig(dns, [&format!("missing.{name}"), "A"]).status, "NXDOMAIN");
    plane.api().delete_all(&release.text);
}

/// The same Corefile on ports that nobody else has.
fn at_free_ports(corefile: &str, dns: u16) -> String {
    let keys = corefile.replace(":53 ", &format!(":{dns} "));
    [":8080", ":8181", ":9153"].into_iter().fold(keys, |text, port| {
        assert!(text.contains(port), "{text}");
        text.replace(port, &free_address().to_string())
    })
}

#[test]
fn the_blocks_for_other_coredns_are_good_corefiles() {
    for (values, grpc) in [
        ("{mode: daemonset}", "grpc . unix:///run/meshdns/dns.sock"),
        ("service: {clusterIP: 10.96.0.53}", "grpc . 10.96.0.53:8053 10.96.0.53:8053"),
        ("service: {clusterIP: 'fd00::53'}", "grpc . [fd00::53]:8053 [fd00::53]:8053"),
    ] {
        let release = Release::new("mesh", values);
        let block = release.file("dns-meshdns-corefile", "meshdns.server");
        assert!(block.contains(grpc), "{block}");
        let block = block.replace(":53 ", &format!(":{} ", free_address().port()));
        let _coredns = CoreDns::start(&block.replace(":9153", &free_address().to_string()));
    }
}
