//! What `check` says of certificates, and of Corefiles that do not fit them.

use super::CLIENT;
use super::front::{NAME, Place};
use crate::commands::{Ran, path, run};
use crate::support::certificates::Authority;
use crate::support::process::written;

fn settings(tls: &str) -> std::path::PathBuf {
    written("meshdns.yaml", &format!("zones: [cluster.local]\nlisten: {{grpcTls: {tls}}}\n"))
}

fn check(place: &Place, more: &[&str]) -> Ran {
    let settings = settings(&place.settings(&format!("[{CLIENT}]")));
    run(&[&["check", "--config", path(&settings)], more].concat())
}

#[test]
fn files_that_cannot_be_used_are_told() {
    let (authority, other) = (Authority::new("ours"), Authority::new("other"));
    let good = authority.pair(NAME);
    let place = Place::spiffe_helper();
    assert!(check(&place, &[]).stdout.contains("svid.pem: cannot be read: No such file"));
    place.fill(&good, &authority.pem);
    let found = check(&place, &[]);
    assert_eq!((found.code, found.stdout.lines().next()), (0, Some("nothing is wrong")));

    let mut mixed = good.clone();
    mixed.key = other.pair(NAME).key;
    for (pair, ca, index, message) in [
        (
            &mixed,
            &authority.pem,
            1,
            format!("is not the key of the certificate in {}", place.of(0).display()),
        ),
        (&authority.expired_pair(NAME), &authority.pem, 0, "expired at 2020-12-19T00:00:00Z".to_owned()),
        (&good, &good.key, 2, "has no certificate in PEM in it".to_owned()),
        (
            &authority.pair(""),
            &authority.pem,
            0,
            "has no subject alternative name: CoreDNS accepts no certificate without".to_owned(),
        ),
    ] {
        place.fill(pair, ca);
        let found = check(&place, &[]);
        let first = format!("{}: {message}\n1 defect\n", place.of(index).display());
        assert!(found.code == 1 && found.stdout.starts_with(&first), "{message}: {}", found.stdout);
        let json = check(&place, &["--output", "json"]).json();
        assert_eq!(json["certificates"][0]["message"], message.as_str());
        assert_eq!(json["certificates"][0]["file"], place.of(index).to_str().unwrap());
    }
}

#[test]
fn corefiles_that_do_not_fit_are_found() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    place.fill(&authority.pair(NAME), &authority.pem);
    for (grpc, line, message, lines) in [
        (
            "127.0.0.1:8053",
            2,
            "`grpc` asks in plaintext, and meshdns speaks TLS (`listen.grpcTls`): every query fails",
            vec!["tls CERT KEY CA", "tls_servername NAME-IN-THE-CERTIFICATE"],
        ),
        (
            "127.0.0.1:8053 {\n tls ca.crt\n tls_servername a\n}",
            3,
            "`grpc` has no certificate to show, and meshdns requires one (`listen.grpcTls.clientCa`): every query fails",
            vec!["tls CERT KEY CA"],
        ),
        (
            "127.0.0.1:8053 unix:///run/dns.sock {\n tls a b c\n tls_servername a\n}",
            3,
            "`grpc` speaks TLS to unix:///run/dns.sock too, and Unix sockets of meshdns do not: those queries fail",
            vec!["grpc . unix:///run/dns.sock"],
        ),
    ] {
        let corefile = written("Corefile", &format!("cluster.local:53 {{\n grpc . {grpc}\n}}\n"));
        let found = check(&place, &["--output", "json", "--corefile", path(&corefile)]);
        let findings = &found.json()["corefile"]["findings"];
        assert_eq!((found.code, findings.as_array().unwrap().len()), (1, 1), "{findings}");
        assert_eq!((&findings[0]["line"], &findings[0]["message"]), (&line.into(), &message.into()));
        assert_eq!(findings[0]["lines"], serde_json::json!(lines));
    }
    let corefile = written("Corefile", "cluster.local:53 {\n grpc . 127.0.0.1:8053 {\n  tls a b c\n }\n}\n");
    let found = check(&place, &["--corefile", path(&corefile)]);
    assert!(
        found.code == 0 && found.stdout.contains("must have the address 127.0.0.1 in it"),
        "{}",
        found.stdout
    );
}
