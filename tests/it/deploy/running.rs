//! From the chart to an answer, in each of its modes: objects applied, the programs started with the chart's arguments, settings, Corefile,
//! service account, user and capabilities. Only ports are others, since on one machine all pods have the same.

mod daemonset;
mod deployment;
mod families;
mod sidecar;
mod tls;

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::cell::Cell;
use super::chart::Release;
use super::installed::Installed;
use super::node::Node;
use crate::support::coredns::{CoreDns, executable};
use crate::support::dig::{data, dig};
use crate::support::kube::{SERVICES, until};
use crate::support::process::{Meshdns, free_address, is_root};

/// What the releases answer for: names, and the reverse names of Services.
const ZONES: &str = "zones: [cluster.local, 10.96.0.0/16]";

/// A Service of the cluster.
fn web(installed: &Installed<'_>) -> (String, String) {
    installed.namespace.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{name: http, port: 80}]}}",
    );
    let service = installed.namespace.get(SERVICES, "web").unwrap();
    let address = service["spec"]["clusterIP"].as_str().unwrap().to_owned();
    (format!("web.{}.svc.cluster.local", installed.namespace.name), address)
}

/// Everything about a Service of the cluster is answered there.
fn is_answered(dns: SocketAddr, installed: &Installed<'_>, options: &[&str]) {
    let (name, address) = web(installed);
    let ask = |question: &[&str]| dig(dns, question.iter().chain(options).copied());
    let reply = until("an answer", || {
        let reply = ask(&[&name, "A"]);
        (reply.status == "NOERROR" && !reply.answer.is_empty()).then_some(reply)
    });
    assert_eq!(data(&reply.answer), [address.as_str()]);
    let reply = ask(&["-x", &address]);
    assert_eq!(data(&reply.answer), [format!("{name}.")], "{}", reply.text);
    let reply = ask(&[&format!("_http._tcp.{name}"), "SRV"]);
    assert_eq!(data(&reply.answer), [format!("0 100 80 {name}.")], "{}", reply.text);
    assert_eq!(ask(&[&format!("missing.{name}"), "A"]).status, "NXDOMAIN");
}

/// CoreDNS refuses to answer, since meshdns refuses it.
fn is_refused(dns: SocketAddr, name: &str) {
    let reply = dig(dns, [name, "A"]);
    assert_eq!((reply.status.as_str(), reply.answer.len()), ("SERVFAIL", 0), "{}", reply.text);
}

/// It runs as whom the chart says, and may do nothing that is not everybody's.
fn has_no_privileges(meshdns: &Meshdns, user: u32) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", meshdns.id())).unwrap();
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(status.contains(&format!("{set}:\t0000000000000000\n")), "{status}");
    }
    assert!(!is_root() || status.contains(&format!("Uid:\t{user}\t{user}\t{user}\t{user}\n")), "{status}");
}

/// The pod of a CoreDNS that delegates to a release of the chart as the chart says: it has the server block that the chart made, the
/// certificates where that block looks for them, and the node's directory with the socket.
fn coredns_pod(with: &Value) -> Value {
    let mut volumes = vec![json!({"name": "corefile", "configMap": {"name": "dns-meshdns-corefile"}})];
    let mut mounts = vec![json!({"name": "corefile", "mountPath": "/etc/coredns"})];
    if let Some((at, volume)) = with.as_object().and_then(|with| with.iter().next()) {
        mounts.push(json!({"name": "more", "mountPath": at}));
        let mut volume = volume.clone();
        volume["name"] = "more".into();
        volumes.push(volume);
    }
    // The image of CoreDNS runs as this user.
    json!({"spec": {
        "securityContext": {"runAsUser": 65532, "runAsGroup": 65532},
        "containers": [{"name": "coredns", "args": ["-conf", BLOCK], "volumeMounts": mounts}],
        "volumes": volumes,
    }})
}

/// Where the server block is in that pod.
const BLOCK: &str = "/etc/coredns/meshdns.server";

/// That CoreDNS, and where it answers. `change` puts other addresses into the server block.
fn coredns(
    installed: &Installed<'_>,
    node: &Node,
    with: &Value,
    change: impl FnOnce(String) -> String,
) -> (CoreDns, SocketAddr) {
    let dns = free_address();
    let cell = Cell::new(&coredns_pod(with), &installed.namespace, node);
    cell.edit(BLOCK, |block| change(at_free_ports(&block, dns.port(), &[":9153"])));
    (CoreDns::started(&mut cell.command(executable(), "coredns", installed.plane)), dns)
}

/// A Corefile on ports that nobody else has.
fn at_free_ports(corefile: &str, dns: u16, others: &[&str]) -> String {
    let keys = replaced(corefile, ":53 ", &format!(":{dns} "));
    others.iter().fold(keys, |text, port| replaced(&text, port, &free_address().to_string()))
}

/// With something else in place of what must be there.
fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "`{old}` is not in\n{text}");
    text.replace(old, new)
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
        let _coredns = CoreDns::start(&at_free_ports(block, free_address().port(), &[":9153"]));
    }
}
