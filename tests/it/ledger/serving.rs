//! `meshdns serve` with a ledger.

use std::process::Command;

use super::*;

fn becomes(server: &Meshdns, host: &str, expected: &[&str]) {
    let start = std::time::Instant::now();
    let mut last = addresses(server, host);
    while last != expected {
        assert!(start.elapsed().as_secs() < 20, "{host}: {last:?} instead of {expected:?}");
        last = addresses(server, host);
    }
}

fn meshdns(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_meshdns")).args(arguments).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_killed_server_answers_the_same_afterwards() {
    let place = Place::new();
    place.declare(0..3);
    let settings = place.settings("");
    let server = Meshdns::start(&settings);
    assert_eq!(addresses(&server, "n0.example"), ["240.240.0.1", "2001:2::1"], "ready means answered");
    // One goes, one comes: it does not get what the other had.
    std::fs::remove_file(place.manifests().join("0.yaml")).unwrap();
    becomes(&server, "n0.example", &[]);
    place.declare([7]);
    becomes(&server, "n7.example", &["240.240.0.4", "2001:2::4"]);
    drop(server); // by SIGKILL
    place.declare([5, 6]);
    let server = Meshdns::start(&settings);
    for (host, last) in [("n1", 2), ("n2", 3), ("n7", 4), ("n5", 5), ("n6", 6)] {
        let expected = [format!("240.240.0.{last}"), format!("2001:2::{last}")];
        assert_eq!(addresses(&server, &format!("{host}.example")), expected, "{host}");
    }
    place.declare([0]);
    becomes(&server, "n0.example", &["240.240.0.1", "2001:2::1"]);
}

#[test]
fn a_full_range_names_itself_and_the_host_and_the_others_answer() {
    let place = Place::new();
    place.declare(0..7);
    let mut server = Meshdns::start(&place.settings("ranges: [192.0.2.0/29]"));
    place.declare([7]);
    server.wait_for_log("no address is left for the host");
    let mut answered: Vec<_> = (0..7).flat_map(|n| addresses(&server, &format!("n{n}.example"))).collect();
    answered.sort();
    assert_eq!(answered, (1..8).map(|n| format!("192.0.2.{n}")).collect::<Vec<_>>());
    assert!(addresses(&server, "n7.example").is_empty());
    let admin = format!("http://{}", server.admin);
    let (code, text, _) = meshdns(&["explain", "n7.example", "--server", &admin]);
    assert_eq!(code, 1);
    assert!(text.contains("every automatic address is taken (serviceEntries.ranges)"), "{text}");
    assert!(text.contains("`n7.example` gets no address: every one of 192.0.2.0/29 is taken"), "{text}");
    assert!(server.page("/metrics").contains("meshdns_ledger_entries{state=\"waiting\"} 1\n"));
    // It gets the first address that comes free.
    std::fs::remove_file(place.manifests().join("3.yaml")).unwrap();
    becomes(&server, "n7.example", &["192.0.2.4"]);
}

#[test]
fn the_list_says_who_has_what_and_what_was_contested() {
    let place = Place::new();
    place.declare(0..3);
    let literal =
        entry("literal", "literal.example").replace("  hosts:", "  addresses: [240.240.0.2]\n  hosts:");
    let settings = place.settings("");
    let config = written("meshdns.yaml", &settings).display().to_string();
    let server = Meshdns::start(&settings);
    put(&place.manifests().join("literal.yaml"), &literal);
    std::fs::remove_file(place.manifests().join("2.yaml")).unwrap();
    becomes(&server, "n1.example", &["240.240.0.4", "2001:2::4"]);
    becomes(&server, "n2.example", &[]);
    let admin = format!("http://{}", server.admin);
    let (code, text, _) = meshdns(&["records", "--ledger", "--server", &admin]);
    assert_eq!(code, 0);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..5], ["shop", "n0.example", "240.240.0.1", "2001:2::1", "own"]);
    assert!(text.lines().nth(1).unwrap().ends_with("in use, after a conflict"), "{text}");
    assert!(text.contains("cooling for 23h") || text.contains("cooling for 1d"), "{text}");
    let conflict = "240.240.0.2: ServiceEntry shop/literal keeps it because it has it in spec.addresses";
    assert!(text.contains(conflict), "{text}");
    let (_, json, _) = meshdns(&["records", "--ledger", "--server", &admin, "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["hosts"][0]["addresses"][1], "2001:2::1");
    assert_eq!(json["conflicts"][0]["moved"], "shop/n1");

    // The file belongs to the server.
    let (_, _, told) = meshdns(&["records", "--ledger", "--config", &config]);
    assert!(told.contains("a running server uses this ledger") && told.contains("--server"), "{told}");
    drop(server);
    let before = std::fs::read(place.ledger()).unwrap();
    place.declare([9]);
    let (code, text, told) = meshdns(&["records", "--ledger", "--config", &config]);
    assert_eq!((code, told.as_str()), (0, ""));
    assert!(text.contains("n1.example  240.240.0.4 2001:2::4"), "{text}");
    assert!(text.contains("n9.example"), "{text}");
    let (_, text, _) = meshdns(&["explain", "n1.example", "--config", &config]);
    assert!(text.contains("240.240.0.4"), "{text}");
    assert!(std::fs::read(place.ledger()).unwrap() == before, "nothing is written by looking");
}

#[test]
fn what_a_status_said_is_kept_when_the_ledger_takes_over() {
    let place = Place::new();
    let with_status = |last: u8| {
        format!(
            "{}status:\n  addresses: [{{host: n0.example, value: 240.240.9.{last}}}]\n",
            entry("n0", "n0.example")
        )
    };
    put(&place.manifests().join("0.yaml"), &with_status(9));
    let server = Meshdns::start(&place.settings("addresses: status"));
    assert_eq!(addresses(&server, "n0.example"), ["240.240.9.9"]);
    let recorded = || server.page("/records?ledger=true").contains("\"origin\":\"status\"");
    let start = std::time::Instant::now();
    while !recorded() {
        assert!(start.elapsed().as_secs() < 20, "{}", server.page("/records?ledger=true"));
    }
    drop(server);
    place.declare([0, 1]); // without a status
    let server = Meshdns::start(&place.settings(""));
    assert_eq!(addresses(&server, "n0.example"), ["240.240.9.9", "2001:2::1"]);
    assert_eq!(addresses(&server, "n1.example"), ["240.240.0.1", "2001:2::2"]);
}
