//! What is found in Corefiles that CoreDNS starts with.

use super::corpus::{corefiles, folder, is_accepted, real};
use crate::commands::{command, path, ran, run};
use crate::support::process::written;

/// Findings with their lines, from the first one on; the tables before are another test's.
fn findings(text: &str, name: &str) -> String {
    let begin = text.lines().position(|line| {
        let rest = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
        let message = rest.and_then(|rest| rest.split_once(": "));
        // Server blocks are headed by a place and a key.
        message.is_some_and(|(_, message)| message.contains(' ') && !message.contains(":53"))
    });
    let lines = text.lines().skip(begin.unwrap_or_else(|| panic!("nothing is found:\n{text}")));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_mistake_is_found_with_the_lines_that_mend_it() {
    for corefile in corefiles("tests/corefiles/findings") {
        let name = corefile.file_name().unwrap().to_str().unwrap();
        let mut command = command();
        command.current_dir(folder("tests/corefiles/findings"));
        let found = ran(command.args(["check", "--config", "meshdns.yaml", "--corefile", name]));
        assert_eq!((found.code, found.stderr.as_str()), (1, ""), "{name}");
        let expected = corefile.with_extension("expected");
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(findings(&found.stdout, name), expected, "{name}:\n{}", found.stdout);
        assert_eq!(is_accepted(&corefile), !expected.contains("CoreDNS does not start"), "{name}");
    }
}

/// The plugin takes addresses, although the library behind it could resolve names.
#[test]
fn coredns_does_not_start_with_a_name() {
    let said = real(&folder("tests/corefiles/findings/upstream-is-a-name.Corefile"), "");
    assert!(said.contains("not an IP address or file \"meshdns.mesh.svc.cluster.local:8053\""), "{said}");
}

#[test]
fn several_corefiles_are_caches_in_series() {
    let cluster = written(
        "Corefile",
        "cluster.local:1053 {\n    cache {\n        success 9984 30 0\n        denial 9984 30 0\n    }\n    grpc . 127.0.0.1:8053\n}\n",
    );
    let node = folder("tests/corefiles/good/nodelocaldns.Corefile");
    let arguments = ["check", "--zone", "cluster.local", "--output", "json", "--corefile", path(&node)];
    let alone = run(&arguments);
    let finding = &alone.json()["corefile"]["findings"][0];
    assert!(
        finding["message"].as_str().unwrap().ends_with("`forward` asks 10.96.45.17 for them"),
        "{finding}"
    );
    assert_eq!(finding["lines"][1], "--meshdns-at 10.96.45.17");

    let both = run(&[&arguments[..], &["--corefile", path(&cluster)]].concat());
    let found = both.json();
    assert_eq!(both.code, 0, "{}", both.stdout);
    let route = &found["corefile"]["routes"][0];
    assert!(route["way"].as_str().unwrap().contains("over the server block at"), "{route}");
    let ttl = &route["ttls"][0];
    assert_eq!((&ttl["class"], &ttl["client"]["largest"]), (&"clusterIP".into(), &5.into()), "{route}");
    // Five seconds in the cluster's cache; in its last one, another five in the node's.
    assert_eq!(ttl["showsWithin"], 9, "{route}");

    let direct = run(&[&arguments[..], &["--meshdns-at", "10.96.45.17"]].concat()).json();
    let route = &direct["corefile"]["routes"][0];
    assert!(route["way"].as_str().unwrap().ends_with("over plain DNS"), "{route}");
    // The node sends it all reverse zones along, which the settings lack.
    let finding = &direct["corefile"]["findings"][0]["message"];
    assert!(
        finding.as_str().unwrap().contains("asked for the reverse zone in-addr.arpa and does not have it"),
        "{finding}"
    );
}

/// Ranges of IPv6 that begin with a colon are no keys.
#[test]
fn a_block_that_mends_it_is_one_that_coredns_takes() {
    let corefile = "cluster.local:53 {\n    grpc . 127.0.0.1:8053\n}\n";
    let zones = ["--zone", "cluster.local,::ffff:0:0/96,2001:2::/48"];
    let check = |text: &str| {
        let file = written("Corefile", text);
        let ran = run(&[&["check"], &zones[..], &["--output", "json", "--corefile", path(&file)]].concat());
        (ran.json(), file)
    };
    let (found, _) = check(corefile);
    let findings = found["corefile"]["findings"].as_array().unwrap();
    let lost = findings.iter().find(|finding| finding["message"].as_str().unwrap().contains("no name of"));
    let lines = lost.unwrap_or_else(|| panic!("{found:#}"))["lines"].as_array().unwrap();
    let lines: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    let mended = format!("{}\n{corefile}", lines.join("\n"));
    let (found, file) = check(&mended);
    assert!(is_accepted(&file), "{mended}");
    let routes = found["corefile"]["routes"].as_array().unwrap_or_else(|| panic!("{mended}{found:#}"));
    assert!(routes.iter().all(|route| route["leadsToMeshdns"] == true), "{mended}{found:#}");
}

#[test]
fn a_corefile_that_cannot_be_used_is_told() {
    let missing = run(&["check", "--zone", "a", "--corefile", "/nowhere/Corefile"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.starts_with("/nowhere/Corefile: "), "{}", missing.stderr);
    let broken = written("Corefile", "a {\n");
    let json = run(&["check", "--zone", "a", "--corefile", path(&broken), "--output", "json"]);
    let problem = &json.json()["problems"][0];
    assert_eq!((json.code, &problem["line"], &problem["file"]), (2, &1.into(), &path(&broken).into()));
}
