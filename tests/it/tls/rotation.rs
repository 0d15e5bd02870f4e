//! Certificates and authorities that are replaced while CoreDNS asks.

use std::time::{Duration, SystemTime};

use super::CLIENT;
use super::front::{Front, NAME, Place, Server};
use crate::failover::load::{Load, Report, undisturbed};
use crate::support::certificates::Authority;
use crate::support::dig::{data, dig};

/// Between two queries.
const EVERY: Duration = Duration::from_millis(8);
/// Queries between two events.
const SOME: usize = 100;

/// Replaces certificate and key several times under load, while connections last a second or so.
fn rotated(place: &Place) -> Report {
    let authority = Authority::new("ours");
    place.fill(&authority.pair(NAME), &authority.pem);
    let tls = place.settings(&format!("[{CLIENT}]"));
    let mut server = Server::with(&format!("{tls}, grpcMaxConnectionAge: 1"));
    let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    let load = Load::start(front.dns, EVERY);
    for round in 2..5 {
        load.send_more(SOME);
        place.fill(&authority.pair(NAME), &authority.pem);
        server.wait_for_reloads(round);
        let connected = server.handshakes("accepted");
        // With the new one.
        server.wait_for_handshakes("accepted", connected + 1);
    }
    load.send_more(SOME);
    let report = load.stop();
    assert_eq!(server.handshakes("refused_by_client"), 0);
    report
}

#[test]
fn a_rotation_by_symlink_swap_costs_no_query() {
    undisturbed(|| rotated(&Place::cert_manager())).all_answered(4 * SOME);
}

#[test]
fn a_rotation_file_by_file_costs_no_query() {
    undisturbed(|| rotated(&Place::spiffe_helper())).all_answered(4 * SOME);
}

/// New authorities are added, then clients and server get certificates of theirs, then the old ones go.
fn authorities_rotated() -> Report {
    let (old, new, place) = (Authority::new("old"), Authority::new("new"), Place::cert_manager());
    let both = format!("{}{}", old.pem, new.pem);
    place.fill(&old.pair(NAME), &old.pem);
    let mut server = Server::start(&place, &format!("[{CLIENT}]"));
    let before = Front::start(&server, &old.pair(CLIENT), &both);
    let after = Front::start(&server, &new.pair(CLIENT), &both);
    let load = Load::start(before.dns, EVERY);
    load.send_more(SOME);
    assert_eq!(dig(after.dns, ["a.load.internal", "A"]).status, "SERVFAIL");
    drop(after);

    place.fill(&old.pair(NAME), &both);
    server.wait_for_reloads(2);
    load.send_more(SOME);
    place.fill(&new.pair(NAME), &both);
    server.wait_for_reloads(3);
    let client = Front::start(&server, &new.pair(CLIENT), &both);
    assert_eq!(data(&dig(client.dns, ["b.load.internal", "A"]).answer), ["10.20.30.50"]);
    load.send_more(SOME);
    let report = load.stop();

    // Whoever is still of the old ones has to go, though its connection is young.
    server.meshdns.wait_until("two clients", |metrics| metrics.connections() == 2);
    place.fill(&new.pair(NAME), &new.pem);
    server.wait_for_reloads(4);
    server.meshdns.wait_until("the old client is gone", |metrics| metrics.connections() == 1);
    server.meshdns.wait_for_log("a client is asked to go");
    assert_eq!(dig(before.dns, ["c.load.internal", "A"]).status, "SERVFAIL");
    assert_eq!(data(&dig(client.dns, ["c.load.internal", "A"]).answer), ["10.20.30.50"]);
    report
}

#[test]
fn a_rotation_of_authorities_costs_no_query_and_ends_old_trust() {
    undisturbed(authorities_rotated).all_answered(3 * SOME);
}

/// A connection is not a way around the end of a certificate.
#[test]
fn a_client_goes_when_its_certificate_expires() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    place.fill(&authority.pair(NAME), &authority.pem);
    let mut server = Server::start(&place, &format!("[{CLIENT}]"));
    let pair = authority.pair_until(CLIENT, SystemTime::now() + Duration::from_secs(6));
    let front = Front::start(&server, &pair, &authority.pem);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
    assert_eq!(server.meshdns.metrics().connections(), 1);
    server.meshdns.wait_until("it is gone", |metrics| metrics.connections() == 0);
    assert_eq!(dig(front.dns, ["b.load.internal", "A"]).status, "SERVFAIL");
    server.wait_for_handshakes("expired", 1);
}
