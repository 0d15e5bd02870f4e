//! Clients that are not let in, and servers that clients do not like.

use super::front::{Front, NAME, Place, Server};
use super::{CLIENT, SPIFFE};
use crate::support::certificates::Authority;
use crate::support::dig::{data, dig};
use crate::support::process::written;

/// What CoreDNS then answers, the reason that is counted, and what the log says.
fn is_refused(server: &mut Server, front: &Front, outcome: &str, said: &[&str]) {
    let before = server.handshakes(outcome);
    let reply = dig(front.dns, ["a.load.internal", "A"]);
    assert_eq!((reply.status.as_str(), reply.answer.len()), ("SERVFAIL", 0), "{}", reply.text);
    server.wait_for_handshakes(outcome, before + 1);
    said.iter().for_each(|part| server.meshdns.wait_for_log(part));
}

#[test]
fn clients_are_refused_with_the_reason() {
    let (ours, theirs, place) = (Authority::new("ours"), Authority::new("theirs"), Place::cert_manager());
    place.fill(&ours.pair(NAME), &ours.pem);
    let mut server = Server::start(&place, &format!("[{CLIENT}, '{SPIFFE}']"));
    let ca = written("ca.crt", &ours.pem);

    let front = Front::start(&server, &ours.expired_pair(CLIENT), &ours.pem);
    is_refused(
        &mut server,
        &front,
        "expired",
        &["its certificate (coredns.kube-system.svc) expired at 2020-12-"],
    );

    let front = Front::start(&server, &theirs.pair(CLIENT), &ours.pem);
    is_refused(&mut server, &front, "unknown_issuer", &["was signed by nobody in ", "ca.crt"]);

    for name in ["web.shop.svc", "spiffe://cluster.local/ns/shop/sa/web", ""] {
        let front = Front::start(&server, &ours.pair(name), &ours.pem);
        is_refused(&mut server, &front, "name", &["is in listen.grpcTls.clientNames: web.shop.svc"]);
    }

    let front = Front::of(&server, &[&ca], NAME);
    is_refused(&mut server, &front, "no_certificate", &["it has no certificate, and one is required"]);

    let front = Front::with(&server, "policy sequential");
    is_refused(&mut server, &front, "not_tls", &["it does not speak TLS: is `tls` missing"]);

    // Nothing of this has hurt those who are let in.
    let front = Front::start(&server, &ours.pair(CLIENT), &ours.pem);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
    assert_eq!(server.handshakes("accepted"), 1);
}

#[test]
fn coredns_refuses_other_servers() {
    let (ours, theirs, place) = (Authority::new("ours"), Authority::new("theirs"), Place::cert_manager());
    place.fill(&ours.pair(NAME), &ours.pem);
    let mut server = Server::start(&place, &format!("[{CLIENT}]"));
    let files = |ca: &Authority| {
        let pair = ours.pair(CLIENT);
        [
            written("client.crt", &pair.certificate),
            written("client.key", &pair.key),
            written("ca.crt", &ca.pem),
        ]
    };

    let front = Front::of(&server, &files(&theirs).each_ref(), NAME);
    is_refused(&mut server, &front, "refused_by_client", &[]);
    let front = Front::of(&server, &files(&ours).each_ref(), "meshdns.other.svc");
    is_refused(&mut server, &front, "refused_by_client", &["and for the name or address that it asks for?"]);
    // Without a name CoreDNS wants the address in the certificate.
    let [certificate, key, ca] = files(&ours).map(|file| file.display().to_string());
    let front = Front::with(&server, &format!("tls {certificate} {key} {ca}"));
    is_refused(&mut server, &front, "refused_by_client", &[]);
    assert_eq!(server.handshakes("accepted"), 0);
}
