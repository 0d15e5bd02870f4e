//! What cannot be printed is told in a line.

use super::{EXAMPLES, corefile};
use crate::commands::path;
use crate::support::process::written;

#[test]
fn what_cannot_be_printed_says_why() {
    let config = written(
        "meshdns.yaml",
        "zones: [cluster.local]\nlisten:\n  grpcTls: {certificate: /a, key: /b, clientCa: /c, clientNames: [x.y.svc]}\n",
    );
    let tls = path(&config);
    let nobodys = written("mine.server", "example.org {\n}\n");
    let plain = written("meshdns.yaml", "zones: [cluster.local]\n");
    let plain = path(&plain);
    let cases: &[(&str, &[&str], &str)] = &[
        (EXAMPLES, &["--for", "eks"], "--corefile: the value is the whole Corefile"),
        (plain, &["--for", "gke"], "give the address of the Service before it"),
        (plain, &["--for", "gke", "--meshdns-at", "unix:///a"], "unix:///a: `--for gke` asks plain DNS"),
        (plain, &["--meshdns-at", "meshdns.mesh.svc"], "CoreDNS takes no names here"),
        (plain, &["--tls", "a,b,c"], "meshdns does not speak TLS"),
        (plain, &["--tls", "a b"], "is no word of a Corefile"),
        (tls, &["--meshdns-at", "10.96.0.53"], "meshdns speaks TLS (`listen.grpcTls`)"),
        (tls, &["--meshdns-at", "10.96.0.53", "--tls", "ca"], "requires a certificate of its clients"),
        (
            tls,
            &["--for", "nodelocal", "--meshdns-at", "10.96.0.53", "--tls", "ca"],
            "plain DNS, which has no TLS",
        ),
        (plain, &["--watch", "x", "--for", "aks"], "is no file that a Corefile imports"),
        (plain, &["--watch", "x"], "nothing can change"),
        (
            EXAMPLES,
            &["--watch", path(&nobodys)],
            "was not written by `meshdns corefile`, so it is left as it is",
        ),
        (EXAMPLES, &["--watch", "/nowhere/x"], "/nowhere/x cannot be written"),
        (EXAMPLES, &["--corefile", path(&config)], "is no plugin of CoreDNS"),
    ];
    for (config, arguments, message) in cases {
        let found = corefile(config, arguments);
        assert_eq!((found.code, found.stdout.as_str()), (2, ""), "{arguments:?}: {}", found.stderr);
        assert!(found.stderr.contains(message), "{arguments:?}: {}", found.stderr);
    }
    assert_eq!(std::fs::read_to_string(&nobodys).unwrap(), "example.org {\n}\n");
}
