//! The clock is set while meshdns serves TLS: whom it lets in goes by the clock, and everything else goes on.

use std::process::Command;

use super::CLIENT;
use super::front::{Front, NAME, Place, Server};
use crate::support::certificates::Authority;
use crate::support::clock::Clock;
use crate::support::dig::{data, dig};
use crate::support::process::readiness;

#[test]
fn a_clock_beyond_the_end_of_certificates_keeps_clients_out_until_it_is_right_again() {
    let (authority, place, clock) = (Authority::new("ours"), Place::cert_manager(), Clock::right());
    place.fill(&authority.pair(NAME), &authority.pem);
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshdns"));
    let mut server = Server::begin_by(clock.give(&mut command), &place.settings(&format!("[{CLIENT}]")));
    server.meshdns.wait_until_ready();
    let front = || Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    let before = front();
    let answers = |front: &Front, name: &str| dig(front.dns, [name, "A"]).status;
    assert_eq!(answers(&before, "a.load.internal"), "NOERROR");

    // They are valid for a year.
    clock.set("+400d");
    let late = front();
    assert_eq!(answers(&late, "b.load.internal"), "SERVFAIL");
    assert_eq!(server.handshakes("expired"), 1);
    // Who is in stays in: a clock alone ends no connection at once.
    assert_eq!(answers(&before, "b.load.internal"), "NOERROR");
    assert_eq!(data(&dig(server.meshdns.dns, ["b.load.internal", "A"]).answer), ["10.20.30.50"]);
    let said = readiness(server.meshdns.admin);
    assert!(said.starts_with("200 "), "{said}");

    clock.set("-400d");
    assert_eq!(answers(&front(), "c.load.internal"), "NOERROR");
    clock.set("+0");
    assert_eq!(answers(&front(), "d.load.internal"), "NOERROR");
    assert_eq!(readiness(server.meshdns.admin), "200 ok\n");
    assert_eq!(server.meshdns.metrics().sample("meshdns_tls_files_refused"), 0);
}
