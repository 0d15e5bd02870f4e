//! Any text is read or refused, and never more than that.

use proptest::prelude::*;

use super::*;

/// Words that Corefiles are made of, so that most texts get far.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "{", "}", "\n", "\n", "cache", "grpc", "forward", "kubernetes", "import", "success", "denial", "except", "(a)",
            "a", ".", "cluster.local:53", "10.0.0.0/8", "fd00::/8", "::/0", "30", "0", "5s", "127.0.0.1:8053", "{$A}", "{%B%}",
            "{$", "\"", "#", ",", "bind", "view", "serve_stale", "verify", "disable", "template", "hosts", "fallthrough",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(words in prop::collection::vec(word(), 0..60)) {
        let text = words.join(" ");
        let world = [("$A", "{$A} x"), ("$B", "\" {"), ("a", "import a")];
        match read_in(&text, &world) {
            Err(error) => prop_assert!(error.contains(": ")),
            Ok(corefile) => {
                let corefiles = Corefiles::new(vec![corefile.clone(), corefile], Vec::new());
                for start in corefiles.starts() {
                    for zone in corefiles.zones_of(start, &[Zone::of("cluster.local")]) {
                        let route = corefiles.route(start, &zone);
                        let seen = route.seen(Sign::Positive, Span { smallest: 0, largest: 9 });
                        prop_assert!(seen.ttl.smallest <= seen.ttl.largest);
                    }
                }
            }
        }
    }

    #[test]
    fn any_octets_are_words(text in any::<String>()) {
        let _ = read_in(&text, &[]);
    }
}
