//! Files that cannot be used, at the start and later.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::CLIENT;
use super::front::{Front, NAME, Place, Server};
use crate::support::certificates::{Authority, Pair};
use crate::support::dig::{data, dig};
use crate::support::kube::until;
use crate::support::process::readiness;

const REFUSED: &str = "meshdns_tls_files_refused";

fn list() -> String {
    format!("[{CLIENT}]")
}

/// Starts where the files cannot be used: plain DNS answers and TLS clients are refused, until the files are mended.
fn comes_up_when_mended(place: &Place, reason: &str, mend: impl FnOnce(&Authority)) {
    let authority = Authority::new("ours");
    let mut server = Server::begin(&place.settings(&list()));
    let admin = server.meshdns.admin;
    until(reason, || readiness(admin).contains(reason).then_some(()));
    let said = readiness(admin);
    assert!(said.starts_with("503 grpc certificate: "), "{said}");
    server.meshdns.wait_for_log("certificate is refused: no TLS client is let in");
    server.meshdns.wait_until("refused", |metrics| metrics.sample(REFUSED) == 1);
    assert_eq!(data(&dig(server.meshdns.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
    let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    assert_eq!(dig(front.dns, ["a.load.internal", "A"]).status, "SERVFAIL");
    server.wait_for_handshakes("not_ready", 1);

    mend(&authority);
    server.meshdns.wait_until_ready();
    server.meshdns.wait_until("in force", |metrics| metrics.sample(REFUSED) == 0);
    let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
}

#[test]
fn missing_files_at_the_start_keep_nothing_else_down() {
    let place = Place::cert_manager();
    comes_up_when_mended(&place, "tls.crt: cannot be read: No such file", |authority| {
        place.fill(&authority.pair(NAME), &authority.pem);
    });
}

#[test]
fn an_unreadable_key_at_the_start_keeps_nothing_else_down() {
    let (place, other) = (Place::spiffe_helper(), Authority::new("other"));
    place.fill(&other.pair(NAME), &other.pem);
    std::fs::remove_file(place.of(1)).unwrap();
    std::fs::create_dir(place.of(1)).unwrap();
    comes_up_when_mended(&place, "svid_key.pem: is not a file", |authority| {
        std::fs::remove_dir(place.of(1)).unwrap();
        place.fill(&authority.pair(NAME), &authority.pem);
    });
}

/// As a mounted Secret with `defaultMode: 0400` is for everybody but root, without an `fsGroup`.
#[test]
fn a_key_that_may_not_be_read_keeps_nothing_else_down() {
    let (place, other) = (Place::cert_manager(), Authority::new("other"));
    place.fill(&other.pair(NAME), &other.pem);
    std::fs::set_permissions(place.of(1), Permissions::from_mode(0o000)).unwrap();
    comes_up_when_mended(&place, "tls.key: cannot be read: Permission denied", |authority| {
        place.fill(&authority.pair(NAME), &authority.pem);
    });
}

#[test]
fn a_key_that_may_not_be_read_any_more_changes_nothing() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    place.fill(&authority.pair(NAME), &authority.pem);
    let mut server = Server::start(&place, &list());
    std::fs::set_permissions(place.of(1), Permissions::from_mode(0o000)).unwrap();
    server.meshdns.wait_for_log("certificate is refused: the one in force stays");
    server.meshdns.wait_until("refused", |metrics| metrics.sample(REFUSED) == 1);
    let said = readiness(server.meshdns.admin);
    let told = format!("{}: cannot be read: Permission denied", place.of(1).display());
    assert!(said.starts_with("200 ") && said.contains(&told), "{said}");
    let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
}

#[test]
fn an_expired_certificate_at_the_start_keeps_nothing_else_down() {
    let (place, other) = (Place::cert_manager(), Authority::new("other"));
    place.fill(&other.expired_pair(NAME), &other.pem);
    comes_up_when_mended(&place, "tls.crt: expired at 2020-12-", |authority| {
        place.fill(&authority.pair(NAME), &authority.pem);
    });
}

#[test]
fn files_that_cannot_be_used_change_nothing() {
    let (authority, other, place) = (Authority::new("ours"), Authority::new("other"), Place::spiffe_helper());
    let good = authority.pair(NAME);
    place.fill(&good, &authority.pem);
    let mut server = Server::start(&place, &list());
    let admin = server.meshdns.admin;
    let broken =
        |certificate: &str, key: &str| Pair { certificate: certificate.to_owned(), key: key.to_owned() };
    for (pair, ca, reason) in [
        (
            broken(&good.certificate, &authority.pair(NAME).key),
            &authority.pem,
            "svid_key.pem: is not the key of the certificate in ",
        ),
        (
            broken(&good.certificate, "nothing"),
            &authority.pem,
            "svid_key.pem: has no private key in PEM in it",
        ),
        (broken("", &good.key), &authority.pem, "svid.pem: has no certificate in PEM in it"),
        (broken(&good.certificate[..300], &good.key), &authority.pem, "svid.pem: is no PEM file"),
        (authority.expired_pair(NAME), &authority.pem, "svid.pem: expired at 2020-12-"),
        (good.clone(), &good.key, "svid_bundle.pem: has no certificate in PEM in it"),
    ] {
        place.fill(&pair, ca);
        until(reason, || readiness(admin).contains(reason).then_some(()));
        let said = readiness(admin);
        assert!(said.starts_with("200 ") && said.contains("stays in force"), "{said}");
        server.meshdns.wait_for_log("certificate is refused: the one in force stays");
        server.meshdns.wait_until("refused", |metrics| metrics.sample(REFUSED) == 1);
        let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
        assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"], "{reason}");
    }
    // A good one of somebody else counts as a whole: the clients of before are strangers.
    place.fill(&other.pair(NAME), &other.pem);
    server.meshdns.wait_until("in force", |metrics| metrics.sample(REFUSED) == 0);
    until("no complaint", || (readiness(admin) == "200 ok\n").then_some(()));
    let front = Front::start(&server, &other.pair(CLIENT), &other.pem);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
}

#[test]
fn a_certificate_that_nobody_renews_is_told_about_and_then_refused_by_clients() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    let until_then = SystemTime::now() + Duration::from_secs(6);
    place.fill(&authority.pair_until(NAME, until_then), &authority.pem);
    let mut server = Server::start(&place, &list());
    server.meshdns.wait_for_log("certificate should be replaced");
    let said = readiness(server.meshdns.admin);
    assert!(
        said.starts_with("200 ok\ngrpc certificate: ") && said.contains("and nobody has renewed it"),
        "{said}"
    );
    until("expired", || (SystemTime::now() > until_then + Duration::from_secs(1)).then_some(()));
    let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    assert_eq!(dig(front.dns, ["a.load.internal", "A"]).status, "SERVFAIL");
    server.wait_for_handshakes("refused_by_client", 1);
    place.fill(&authority.pair(NAME), &authority.pem);
    server.wait_for_reloads(2);
    let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
    assert_eq!(readiness(server.meshdns.admin), "200 ok\n");
}

#[test]
fn sighup_reads_the_files_at_once() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    place.fill(&authority.pair(NAME), &authority.pem);
    let mut server = Server::start(&place, &list());
    server.meshdns.signal("HUP");
    server.wait_for_reloads(2);
}
