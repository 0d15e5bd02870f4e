//! Files that are no ledger, that somebody else has, and that cannot be written.

use std::process::Command;

use super::*;

fn meshdns() -> Command {
    Command::new(env!("CARGO_BIN_EXE_meshdns"))
}

/// Starts on a ledger with this content: it is not ready, says why, leaves the file alone, and goes on once the file is
/// gone.
fn is_refused(content: &[u8], expected: &str) {
    let place = Place::new();
    place.declare([0]);
    std::fs::write(place.ledger(), content).unwrap();
    let mut server = Meshdns::begin(&mut meshdns(), &place.settings(""), &[]);
    server.wait_for_log("the ledger cannot be read; not ready until it can");
    let ready = server.page("/readyz");
    assert!(ready.starts_with("503 ledger: ") && ready.contains(expected), "{ready}");
    assert!(ready.contains("manifests\n"), "{ready}");
    assert_eq!(dig(server.dns, ["n0.example", "A"]).status, "SERVFAIL");
    assert!(server.page("/records?ledger=true").starts_with("503 "));
    assert!(std::fs::read(place.ledger()).unwrap() == content, "the file is as it was");
    std::fs::rename(place.ledger(), place.0.join("moved-away")).unwrap();
    server.wait_until_ready();
    assert_eq!(addresses(&server, "n0.example"), ["240.240.0.1", "2001:2::1"]);
    assert!(std::fs::read(place.0.join("moved-away")).unwrap() == content, "the file is as it was");
}

/// What a server leaves behind when it is killed.
fn left_behind() -> Vec<u8> {
    let place = Place::new();
    place.declare(0..20);
    drop(Meshdns::start(&place.settings("")));
    std::fs::read(place.ledger()).unwrap()
}

#[test]
fn a_file_of_something_else_is_refused() {
    is_refused(b"addresses:\n  a.example: 240.240.0.1\n", "it is no database, not a ledger");
}

#[test]
fn a_half_written_file_is_refused() {
    let whole = left_behind();
    is_refused(&whole[..whole.len() / 2], "the ledger is damaged");
    is_refused(b"", "the ledger is damaged: it is empty");
}

#[test]
fn a_damaged_file_is_refused() {
    let mut content = left_behind();
    let host = b"n13.example";
    let places: Vec<usize> = (0..content.len()).filter(|at| content[*at..].starts_with(host)).collect();
    assert!(!places.is_empty());
    for at in places {
        content[at + 1] = b'7';
    }
    is_refused(&content, "the ledger is damaged: its checksums do not fit");
}

#[test]
fn a_second_server_waits_for_the_first() {
    let place = Place::new();
    place.declare(0..3);
    let settings = place.settings("");
    let first = Meshdns::start(&settings);
    let mut second = Meshdns::begin(&mut meshdns(), &settings, &[]);
    second.wait_for_log("another process uses this ledger");
    assert!(second.page("/readyz").starts_with("503 ledger: "));
    let expected: Vec<_> = (0..3).map(|n| addresses(&first, &format!("n{n}.example"))).collect();
    drop(first);
    second.wait_until_ready();
    for (n, expected) in expected.iter().enumerate() {
        assert_eq!(&addresses(&second, &format!("n{n}.example")), expected);
    }
}

#[test]
fn a_full_disk_holds_up_new_hosts_only() {
    let place = Place::new();
    place.declare([0]);
    // Like a full disk: writing fails. A signal would come too, and end the process.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_meshdns")]);
    let mut server = Meshdns::begin(&mut command, &place.settings(""), &[]);
    server.wait_until_ready();
    let set = |server: &Meshdns, size: &str| {
        let status = Command::new("prlimit")
            .args(["--pid", &server.id().to_string(), &format!("--fsize={size}")])
            .status();
        assert!(status.unwrap().success());
    };
    set(&server, "100:unlimited");
    place.declare([1]);
    server.wait_for_log("addresses are not stored");
    assert_eq!(addresses(&server, "n0.example"), ["240.240.0.1", "2001:2::1"]);
    let waiting = dig(server.dns, ["n1.example", "A"]);
    assert_eq!((waiting.status.as_str(), waiting.authority.len()), ("NXDOMAIN", 0), "no cache keeps it");
    assert!(server.page("/readyz").starts_with("200 "));
    assert!(!server.page("/metrics").contains("meshdns_ledger_store_errors_total 0\n"));
    set(&server, "unlimited:unlimited");
    server.wait_for_log("addresses can be stored again");
    let start = std::time::Instant::now();
    while addresses(&server, "n1.example") != ["240.240.0.2", "2001:2::2"] {
        assert!(start.elapsed().as_secs() < 20);
    }
}

#[test]
fn without_a_place_for_the_file_it_does_not_start() {
    let settings = written("meshdns.yaml", "zones: [cluster.local]\nserviceEntries: {addresses: ledger}\n");
    let run = |home: Option<&str>| {
        let mut command = meshdns();
        command
            .args(["serve", "--admin-listen", "off", "--grpc-listen", "127.0.0.1:0", "--config"])
            .arg(&settings);
        command.env_remove("STATE_DIRECTORY").env_remove("XDG_STATE_HOME").env_remove("HOME");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(None);
    assert!(code == Some(2) && told.contains("serviceEntries.ledger.file is missing"), "{told}");
    let (code, told) = run(Some("/proc"));
    assert!(code == Some(2) && told.contains("/proc/.local/state/meshdns cannot be created"), "{told}");
    assert!(told.contains("serviceEntries.ledger.file"), "{told}");
}

#[test]
fn a_missing_directory_is_named() {
    let place = Place::new();
    let ledger = place.0.join("nowhere").join("ledger.redb");
    let settings = "zones: [cluster.local]\n";
    let mut server = Meshdns::begin(&mut meshdns(), settings, &["--ledger-file", ledger.to_str().unwrap()]);
    server.wait_for_log("nowhere does not exist; create it");
    std::fs::create_dir(place.0.join("nowhere")).unwrap();
    server.wait_until_ready();
    assert!(ledger.exists());
}
