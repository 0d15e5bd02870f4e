//! The Corefiles of `tests/corefiles/` and `coredns-config/`, before us and before the real CoreDNS.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::commands::{Ran, command, ran};
use crate::support::certificates::Authority;
use crate::support::coredns::executable;
use crate::support::process::{Process, written};

/// A first server block that no machine can serve: 192.0.2.0/24 is nobody's (RFC 5737). CoreDNS gets to it when all else was
/// accepted, and before it opens a port for DNS.
pub(super) const SENTINEL: &str = "sentinel.invalid:1 {\n    health 192.0.2.1:1\n}\n";
/// What it says then.
pub(super) const ACCEPTED: &str = "192.0.2.1:1";
/// Variables of `good/`.
const VARIABLES: [(&str, &str); 2] = [("ZONE", "mesh.example"), ("TTL", "30")];

pub(super) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The Corefiles in a folder.
pub(super) fn corefiles(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "Corefile")).collect();
    found.sort();
    assert!(found.len() >= 6, "{name} has only {} Corefiles", found.len());
    found
}

fn check(path: &Path) -> Ran {
    let name = path.file_name().unwrap();
    let mut command = command();
    command.current_dir(path.parent().unwrap()).envs(VARIABLES).args([
        "check",
        "--zone",
        "cluster.local",
        "--corefile",
    ]);
    ran(command.arg(name))
}

/// What the real CoreDNS says as it ends. Its kubernetes plugin is told where the API server would be.
pub(super) fn real(path: &Path, before: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.lines().map(|line| match line.trim().starts_with("kubernetes ") {
        true if line.ends_with('{') => format!("{line}\nendpoint http://127.0.0.1:9\n"),
        true => format!("{line} {{\nendpoint http://127.0.0.1:9\n}}\n"),
        false => format!("{line}\n"),
    });
    let copy = written("Corefile", &with_certificates(before.to_owned() + &text.collect::<String>()));
    let custom = path.parent().unwrap().join("custom");
    if custom.exists() {
        std::os::unix::fs::symlink(custom, copy.parent().unwrap().join("custom")).unwrap();
    }
    let mut command = Command::new(executable());
    command.envs(VARIABLES).arg("-conf").arg(&copy);
    let mut process = Process::start(&mut command);
    process.wait_for_end();
    process.last_words().replace(copy.to_str().unwrap(), "Corefile")
}

/// Where Corefiles of ours expect certificates.
const CERTIFICATES: &str = "/etc/coredns/tls/";

/// The text with certificates that exist.
fn with_certificates(text: String) -> String {
    if !text.contains(CERTIFICATES) {
        return text;
    }
    let authority = Authority::new("ours");
    let pair = authority.pair("coredns.kube-system.svc");
    let first = written("tls.crt", &pair.certificate);
    std::fs::write(first.with_file_name("tls.key"), &pair.key).unwrap();
    std::fs::write(first.with_file_name("ca.crt"), &authority.pem).unwrap();
    text.replace(CERTIFICATES, &format!("{}/", first.parent().unwrap().display()))
}

/// Whether the real CoreDNS accepts a Corefile.
pub(super) fn is_accepted(path: &Path) -> bool {
    real(path, SENTINEL).contains(ACCEPTED)
}

#[test]
fn what_coredns_accepts_is_read() {
    for path in corefiles("tests/corefiles/good").into_iter().chain(corefiles("coredns-config")) {
        let found = check(&path);
        assert!(matches!(found.code, 0 | 1), "{}: {}", path.display(), found.stderr);
        assert_eq!(found.stderr, "");
        let said = real(&path, SENTINEL);
        assert!(said.contains(ACCEPTED), "{}: CoreDNS says\n{said}", path.display());
    }
}

#[test]
fn what_coredns_refuses_is_refused_at_the_same_line() {
    let mut with_line = 0;
    for path in corefiles("tests/corefiles/refused") {
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let found = check(&path);
        assert_eq!((found.stderr, found.code), (format!("{name}:{expected}"), 2));
        assert_eq!(found.stdout, "", "{name}");
        let said = real(&path, "");
        assert!(!said.contains("CoreDNS-1"), "{name}: CoreDNS starts:\n{said}");
        // Of some mistakes CoreDNS says no line.
        if let Some((_, rest)) = said.split_once("Corefile:") {
            let line: String = rest.chars().take_while(char::is_ascii_digit).collect();
            assert_eq!(expected.split(':').next(), Some(line.as_str()), "{name}: CoreDNS says\n{said}");
            with_line += 1;
        }
    }
    assert!(with_line >= 10, "CoreDNS told the line of only {with_line}");
}
