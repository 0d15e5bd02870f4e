//! docs/migrate.md is true: the Corefiles of before and after work as it says, with meshdns behind them.

use std::net::SocketAddr;
use std::process::Command;

use crate::support::coredns::CoreDns;
use crate::support::dig::{data, dig};
use crate::support::process::{Meshdns, free_address, written};

const PAGE: &str = include_str!("../../docs/migrate.md");

/// What stands between fences of this kind, in order, without the indentation of the list that it is in.
fn blocks(kind: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut inside: Option<(usize, bool)> = None;
    for line in PAGE.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        match (&inside, text.strip_prefix("```")) {
            (None, Some(named)) => {
                inside = Some((indent, named == kind));
                blocks.extend((named == kind).then(String::new));
            }
            (Some(_), Some(_)) => inside = None,
            (Some((indent, true)), None) => {
                let block = blocks.last_mut().unwrap();
                block.push_str(line.get(*indent..).unwrap_or_default());
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// The Corefiles, in order.
fn corefiles() -> Vec<String> {
    blocks("text").into_iter().filter(|block| block.contains("grpc ")).collect()
}

/// A CoreDNS with that Corefile, but for its ports, and where it listens.
fn coredns(corefile: &str, meshdns: SocketAddr, resolver: SocketAddr) -> (CoreDns, SocketAddr) {
    let dns = free_address();
    let bound = format!(":{} {{\n    bind 127.0.0.1", dns.port());
    let mut text = corefile.replace("127.0.0.1:8053", &meshdns.to_string());
    for (old, new) in [
        (":53 {", bound.as_str()),
        ("/etc/resolv.conf", &resolver.to_string()),
        ("health\n", &format!("health {}\n", free_address())),
    ] {
        text = text.replace(old, new);
    }
    (CoreDns::start(&text), dns)
}

/// meshdns with these settings of the page, and these objects in place of those of a cluster.
fn meshdns(settings: &str, objects: &str) -> Meshdns {
    let objects = written("objects.yaml", objects).display().to_string();
    Meshdns::start(&format!("{settings}\nsources: {{manifests: ['{objects}']}}\n"))
}

const GLOBAL: &str = "
{apiVersion: networking.istio.io/v1alpha3, kind: ServiceEntry, metadata: {name: httpbin, namespace: bar},
 spec: {hosts: [httpbin.bar.global], addresses: [240.0.0.2, 240.0.0.3], location: MESH_INTERNAL, resolution: DNS,
        ports: [{name: http1, number: 8000, protocol: http}], endpoints: [{address: 192.0.2.1, ports: {http1: 15443}}]}}
---
{apiVersion: networking.istio.io/v1alpha3, kind: ServiceEntry, metadata: {name: all, namespace: bar},
 spec: {hosts: ['*.wild.global'], addresses: [240.0.0.4/32], location: MESH_INTERNAL, resolution: STATIC,
        ports: [{name: http1, number: 8000, protocol: http}], endpoints: [{address: 192.0.2.1}]}}
";

#[test]
fn meshdns_takes_the_place_of_the_plugin() {
    let settings = blocks("yaml").remove(0);
    let settings = settings.strip_suffix("sources: {kubernetes: {}}\n").unwrap();
    let meshdns = meshdns(settings, GLOBAL);
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    for corefile in &corefiles()[..2] {
        let (_coredns, dns) = coredns(corefile, meshdns.grpc, resolver);
        let reply = dig(dns, ["httpbin.bar.global", "A"]);
        assert_eq!(data(&reply.answer), ["240.0.0.2", "240.0.0.3"], "{corefile}{}", reply.text);
        assert_eq!(reply.answer[0].ttl, 5, "{corefile}{}", reply.text);
        let reply = dig(dns, ["httpbin.bar.global", "AAAA"]);
        assert!(reply.status == "NOERROR" && reply.answer.is_empty(), "{corefile}{}", reply.text);
        assert_eq!(data(&dig(dns, ["HTTPBIN.bar.Global", "A"]).answer), ["240.0.0.2", "240.0.0.3"]);
        assert_eq!(data(&dig(dns, ["a.b.wild.global", "A"]).answer), ["240.0.0.4"]);
        let reply = dig(dns, ["none.bar.global", "A"]);
        assert_eq!(
            (reply.status.as_str(), reply.authority.len()),
            ("NXDOMAIN", 1),
            "{corefile}{}",
            reply.text
        );
        assert_eq!(data(&dig(dns, ["www.example.org", "A"]).answer), ["192.0.2.53"], "{corefile}");
    }
}

/// What `check` says of a Corefile.
fn checked(corefile: &str) -> String {
    let corefile = written("Corefile", corefile);
    let mut check = Command::new(env!("CARGO_BIN_EXE_meshdns"));
    let output =
        check.args(["check", "--zone", "partner.example", "--corefile"]).arg(corefile).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn entries_take_the_place_of_blocks_by_hand() {
    const NAMES: [(&str, &str); 3] = [
        ("api.partner.example", "10.20.30.40"),
        ("billing.partner.example", "10.20.30.41"),
        ("shop.partner.example", "10.96.0.20"),
    ];
    let entries = blocks("yaml").into_iter().find(|block| block.contains("kind: ServiceEntry")).unwrap();
    let service = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, \
                   spec: {clusterIP: 10.96.0.20, ports: [{port: 80}]}}";
    let [.., before, after] = corefiles().try_into().map(|files: [String; 4]| files).unwrap();
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    // Before, meshdns knows the cluster's names alone, and rewriting sends one of them to it.
    let names = meshdns("zones: [cluster.local]", service);
    let cluster = before.replace("except partner.example", "except partner.example cluster.local");
    let (_coredns, dns) = coredns(&cluster, names.grpc, resolver);
    for (name, address) in NAMES {
        assert_eq!(data(&dig(dns, [name, "A"]).answer), [address], "{name}");
    }
    let told = checked(&before);
    assert!(told.contains("template") && told.contains("hosts"), "{told}");

    let names = meshdns("zones: [cluster.local]", &format!("{entries}---\n{service}"));
    let (_coredns, dns) = coredns(&after, names.grpc, resolver);
    for (name, address) in NAMES {
        let reply = dig(dns, [name, "A"]);
        assert!(data(&reply.answer).contains(&address), "{}", reply.text);
    }
    let reply = dig(dns, ["shop.partner.example", "A"]);
    assert_eq!(data(&reply.answer), ["10.96.0.20", "web.shop.svc.cluster.local."], "{}", reply.text);
    let told = checked(&after);
    assert!(!told.contains("template") && !told.contains("hosts"), "{told}");
}
