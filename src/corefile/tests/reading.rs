//! Words, blocks, imports, keys and plugins.

use std::sync::Arc;

use super::*;
use crate::corefile::lexer::tokens;

fn words(text: &str) -> Vec<(u32, String)> {
    tokens(&Arc::from("f"), text).into_iter().map(|token| (token.place.line, token.text)).collect()
}

fn keys(corefile: &Corefile) -> Vec<String> {
    corefile.servers.iter().flat_map(|server| &server.keys).map(ToString::to_string).collect()
}

#[test]
fn words_know_their_lines() {
    let found = words("\u{feff}a b\r\n# c d\n\"e \\\"f\\\"\n\\g\" h#i\nj");
    let expected = [(1, "a"), (1, "b"), (3, "e \"f\"\n\\g"), (4, "h"), (5, "j")];
    assert_eq!(found, expected.map(|(line, word)| (line, word.to_owned())));
    assert_eq!(
        words("\"\" x \"never closed"),
        [(1, String::new()), (1, "x".into()), (1, "never closed".into())]
    );
}

/// CoreDNS forgets that it is in a comment where the comment ends a word.
#[test]
fn a_comment_behind_a_word_ends_at_a_blank() {
    let found: Vec<String> = words("a#b c\nd").into_iter().map(|(_, word)| word).collect();
    assert_eq!(found, ["a", "c", "d"]);
}

#[test]
fn a_comma_puts_keys_on_the_next_line() {
    let corefile = read("a.example, b.example:1053,\nc.example {\n errors\n}");
    assert_eq!(keys(&corefile), ["a.example:53", "b.example:1053", "c.example:53"]);
    let corefile = read("a.example\nerrors");
    assert_eq!(keys(&corefile), ["a.example:53"], "one server may do without braces");
}

#[test]
fn keys_of_every_form() {
    let corefile =
        read("tls://a.example grpc://. https://A.example:8443 10.96.0.10/16 fd00::/8 10.0.0.0/7:54 {\n}");
    let expected = [
        "tls://a.example:853",
        "grpc://.:443",
        "https://a.example:8443",
        "10.96.0.0/16:53",
        "fd00::/8:53",
        "10.0.0.0/8:54",
        "11.0.0.0/8:54",
    ];
    assert_eq!(keys(&corefile), expected);
}

#[test]
fn variables_are_put_in() {
    let text = "{$ZONE}:{%PORT%} {\n cache {$NOTHING} {$TTL} {\n success {$SIZE}\n }\n}";
    let world = [("$ZONE", "a.example"), ("$PORT", "1053"), ("$TTL", "7"), ("$SIZE", "{$SIZE}")];
    // The empty word that is left of a variable without a value is a zone that is none.
    let error = read_in(text, &world).unwrap_err();
    assert!(error.starts_with("Corefile:3: `") && error.ends_with("is not a whole number"), "{error}");
    let corefile = read_in("{$ZONE}:{%PORT%} {\n cache {$TTL}\n}", &world).unwrap();
    assert_eq!(keys(&corefile), ["a.example:1053"]);
    assert_eq!(corefile.servers[0].cache.as_ref().unwrap().positive.cap.seconds, 7);
}

#[test]
fn imports_are_put_in_and_keep_their_places() {
    let text =
        "(common) {\n errors\n cache 7\n}\nimport custom/*.server\n. {\n import common\n import more\n}";
    let world = [
        ("custom/a.server", "a.example {\n cache 1\n}"),
        ("custom/b.server", "b.example {\n whoami\n}"),
        ("more", "\ngrpc . 127.0.0.1:8053"),
    ];
    let corefile = read_in(text, &world).unwrap();
    assert_eq!(keys(&corefile), ["a.example:53", "b.example:53", ".:53"]);
    let last = &corefile.servers[2];
    assert_eq!(last.cache.as_ref().unwrap().place.to_string(), "Corefile:3");
    assert_eq!(last.grpc.as_ref().unwrap().place.to_string(), "more:2");
    assert!(read_in(". {\n import nothing/*.override\n}", &[]).is_ok(), "a pattern may stand for nothing");
}

#[test]
fn what_is_refused_says_where_and_why() {
    for (text, expected) in [
        (". {\n errors\n", "Corefile:2: `}` is expected, and `errors` is there"),
        (". {\n nonsense\n}", "Corefile:2: `nonsense` is no plugin of CoreDNS 1.14.7"),
        (". {\n cache {\n success\n }\n}", "Corefile:3: `success` takes 1 or more arguments, and has 0"),
        (". {\n cache 0\n}", "Corefile:2: `0` is no largest TTL: 1 is the least"),
        (". {\n cache {\n  success 1 2 -1\n }\n}", "Corefile:3: the smallest TTL `-1` is negative"),
        (". {\n cache {\n  ttl 5\n }\n}", "Corefile:3: `ttl` is no property of `cache`"),
        (
            ". {\n cache {\n  serve_stale 1h never\n }\n}",
            "Corefile:3: `serve_stale never`: immediate or verify is expected",
        ),
        (". {\n cache\n cache\n}", "Corefile:3: `cache` stands twice in one server block"),
        (". {\n grpc .\n}", "Corefile:2: `grpc` takes a zone, and one upstream or more"),
        (". {\n forward . 10.0.0.1 {\n  expect a\n }\n}", "Corefile:3: `expect` is no property of `forward`"),
        (". {\n import nothing\n}", "Corefile:2: `import nothing`: there is no such file or snippet"),
        (". {\n import *a*\n}", "Corefile:2: `import *a*`: a pattern has one `*` at most"),
        ("(a) {\n import a\n}", "Corefile:3: the snippet (a) imports itself"),
        (
            "(a) {\n import b\n}\n(b) {\n import a\n}\n. {\n import a\n}",
            "Corefile:5: `import a`: imports go in a circle",
        ),
        (". {\n}\n.:53 {\n}", "Corefile:3: .:53 is served already, by the server block at Corefile:1"),
        ("a..b {\n}", "Corefile:1: `a..b` is not a domain name"),
        ("a:70000 {\n}", "Corefile:1: `a:70000`: 70000 is no port"),
        (":53 {\n}", "Corefile:1: `` is not a domain name"),
        ("a, {\n}", "Corefile:1: another key is expected behind the comma, and `{` is there"),
    ] {
        let error = refused(text);
        assert!(error.starts_with(expected), "{text}\n{error}");
    }
}

#[test]
fn blocks_may_share_a_zone_where_they_do_not_share_an_address() {
    assert!(read_in(". {\n bind 127.0.0.1\n}\n. {\n bind 127.0.0.2\n}", &[]).is_ok());
    assert!(read_in(". {\n bind 127.0.0.1\n}\n. {\n}", &[]).is_err());
    assert!(read_in(". {\n view v {\n  expr true\n }\n}\n. {\n}", &[]).is_ok());
}

#[test]
fn caches_have_defaults_and_bounds() {
    let corefile = read(
        ". {\n cache 30 cluster.local {\n  success 100\n  denial 100 10 0\n  disable success a.cluster.local\n }\n}",
    );
    let cache = corefile.servers[0].cache.as_ref().unwrap();
    assert!(cache.takes(&Zone::of("web.cluster.local")) && !cache.takes(&Zone::of("example.org")));
    let passed = |sign, ttl| cache.bounds(sign).pass(ttl).ttl;
    assert_eq!([0, 5, 30, 31].map(|ttl| passed(Sign::Positive, ttl)), [5, 5, 30, 30]);
    assert_eq!([0, 5, 30].map(|ttl| passed(Sign::Negative, ttl)), [0, 5, 10]);
    assert!(!cache.positive.floor.written && cache.positive.cap.written);
    assert!(
        !cache.positive.keeps(&Zone::of("x.a.cluster.local"))
            && cache.positive.keeps(&Zone::of("b.cluster.local"))
    );
    let lines = cache.with_bounds((30, 0), (10, 0));
    let expected = [
        "cache 30 cluster.local {",
        "    success 100 30 0",
        "    denial 100 10 0",
        "    disable success a.cluster.local",
        "}",
    ];
    assert_eq!(lines, expected);
}

/// CoreDNS takes the floor first and the cap after it.
#[test]
fn a_cap_below_the_floor_wins() {
    let corefile = read(". {\n cache 3\n}");
    let bounds = &corefile.servers[0].cache.as_ref().unwrap().positive;
    assert_eq!([1, 3, 9].map(|ttl| bounds.pass(ttl).ttl), [3, 3, 3]);
}

#[test]
fn upstreams_that_grpc_cannot_ask_are_told() {
    let misfits = |to: &str| {
        let corefile =
            read_in(&format!(". {{\n grpc . {to}\n}}"), &[("/etc/resolv.conf", "nameserver 10.0.0.1")])
                .unwrap();
        let misfits = corefile.servers[0].grpc.clone().unwrap().misfits;
        misfits.into_iter().map(|(_, misfit)| misfit).collect::<Vec<_>>()
    };
    for fits in ["127.0.0.1", "127.0.0.1:8053", "[::1]:8053", "::1", "unix:///run/m.sock", "/etc/resolv.conf"]
    {
        assert_eq!(misfits(fits), [], "{fits}");
    }
    assert_eq!(misfits("meshdns.mesh.svc:8053"), [Misfit::Name]);
    assert_eq!(misfits("127.0.0.1 grpc://127.0.0.1:8053"), [Misfit::Scheme]);
}
