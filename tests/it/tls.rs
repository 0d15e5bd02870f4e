//! gRPC over TLS, between the real CoreDNS and the real meshdns: who is let in, and what becomes of certificates that change.

mod check;
mod clock;
mod front;
mod peers;
mod refused;
mod reload;
mod rotation;

use crate::support::certificates::Authority;
use crate::support::coredns::{CoreDns, Corefile};
use crate::support::dig::{data, dig};
use crate::support::process::{free_address, written};
use front::{Front, NAME, Place, Server};

/// Whom the allow list names, once each way.
const CLIENT: &str = "coredns.kube-system.svc";
const SPIFFE: &str = "spiffe://cluster.local/ns/kube-system/sa/coredns";

#[test]
fn coredns_asks_over_mutual_tls() {
    let authority = Authority::new("ours");
    for (place, name, list) in [
        (Place::cert_manager(), CLIENT, format!("[other.svc, {CLIENT}]")),
        (Place::spiffe_helper(), SPIFFE, format!("[{SPIFFE}]")),
        (Place::cert_manager(), SPIFFE, "['spiffe://cluster.local/ns/kube-system/*']".to_owned()),
        // Whoever has a certificate of this authority.
        (Place::cert_manager(), "anybody.example", "[]".to_owned()),
    ] {
        place.fill(&authority.pair(NAME), &authority.pem);
        let server = Server::start(&place, &list);
        let front = Front::start(&server, &authority.pair(name), &authority.pem);
        let reply = dig(front.dns, ["a.load.internal", "A"]);
        assert_eq!(data(&reply.answer), ["10.20.30.50"], "{}", reply.text);
        assert_eq!(server.handshakes("accepted"), 1);
        let expiry = server.meshdns.metrics().sample("meshdns_tls_certificate_expiry_timestamp_seconds");
        assert!(expiry > 1_700_000_000, "{expiry}");
    }
}

#[test]
fn the_shipped_corefile_asks_so() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    place.fill(&authority.pair(NAME), &authority.pem);
    let server = Server::start(&place, &format!("[{CLIENT}]"));
    let (dns, client) = (free_address(), Place::cert_manager());
    client.fill(&authority.pair(CLIENT), &authority.pem);
    let corefile = Corefile::shipped("tls")
        .served_on(dns.port())
        .with("cluster.local:", "load.internal:")
        .with("10.96.0.53:8053", &server.meshdns.grpc.to_string())
        .with("/etc/coredns/tls/", &client.path("").display().to_string())
        .with("/etc/resolv.conf", &free_address().to_string())
        .watched_on_free_ports();
    let _coredns = CoreDns::start(&corefile.0);
    assert_eq!(data(&dig(dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
    assert_eq!(server.handshakes("accepted"), 1);
}

#[test]
fn without_authorities_of_clients_the_server_alone_shows_a_certificate() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    place.fill(&authority.pair(NAME), &authority.pem);
    let server = Server::with(&place.settings_without_ca());
    let front = Front::of(&server, &[&written("ca.crt", &authority.pem)], NAME);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
}
