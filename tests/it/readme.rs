//! The README is true: what it shows of `dig` and `meshdns` is what these print.

use std::net::SocketAddr;
use std::process::Command;

use meshdns::catalog::{Churn, Class, TtlSetting};
use meshdns::config::{Overrides, Settings};
use meshdns::model::Ttl;

use crate::support::coredns::{CoreDns, Corefile};
use crate::support::istiod::{Istiod, Mode};
use crate::support::process::{Meshdns, free_address};

/// One command of the README, and the lines that it shows below.
struct Example {
    command: String,
    shown: Vec<String>,
}

fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (inside, line) {
            (_, "```console") => inside = true,
            (_, "```") => inside = false,
            (true, line) => match (line.strip_prefix("$ "), examples.last_mut()) {
                (Some(command), _) => {
                    examples.push(Example { command: command.to_owned(), shown: Vec::new() });
                }
                (None, Some(example)) => example.shown.push(line.to_owned()),
                (None, None) => panic!("output before any command: {line}"),
            },
            _ => {}
        }
    }
    examples
}

/// Lines in one form: single spaces, no serial (it follows from the content of examples/), sorted, because the order of
/// records means nothing.
fn normal<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<String> {
    let mut lines: Vec<String> = lines
        .map(|line| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            if let Some(at) = words.iter().position(|word| *word == "SOA")
                && let Some(serial) = words.get_mut(at + 3)
            {
                *serial = "SERIAL";
            }
            words.join(" ")
        })
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort();
    lines
}

fn asked(command: &str, server: SocketAddr) -> String {
    let arguments = command
        .strip_prefix("dig @127.0.0.1 -p 1053 ")
        .unwrap_or_else(|| command.strip_prefix("dig ").expect("dig"));
    let output = Command::new("dig")
        .args(["@127.0.0.1", "-p", &server.port().to_string(), "-r", "+tries=1", "+time=8"])
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// `istiod` stands for the one that the README has on port 15010.
fn ran(command: &str, istiod: SocketAddr) -> String {
    let command = command.replace("127.0.0.1:15010", &istiod.to_string());
    let output = Command::new(env!("CARGO_BIN_EXE_meshdns"))
        .args(command.split_whitespace().skip(1))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// What stands in the first block of a kind.
fn block<'t>(text: &'t str, kind: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("```{kind}\n")).unwrap_or_else(|| panic!("no {kind} in {text}"));
    rest.split_once("\n```").unwrap().0
}

/// What `scripts/try` starts, on free ports.
fn tour() -> (SocketAddr, CoreDns, Meshdns) {
    let settings =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/meshdns.yaml")).unwrap();
    let manifests = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/manifests");
    let meshdns = Meshdns::start(&settings.replace("./examples/manifests", manifests));
    let dns = free_address();
    let corefile = Corefile::shipped("cluster-zone")
        .served_on(dns.port())
        .asking(meshdns.grpc, free_address())
        .watched_on_free_ports();
    let suffix = Corefile::shipped("private-suffix").0;
    let suffix = &suffix[suffix.find("internal:53 {").expect("the block of scripts/try")..];
    let suffix = &suffix[..suffix.find("\n}").unwrap() + 2];
    let suffix =
        Corefile(suffix.to_owned()).served_on(dns.port()).with("127.0.0.1:8053", &meshdns.grpc.to_string());
    (dns, CoreDns::start(&format!("{}\n{}", corefile.0, suffix.0)), meshdns)
}

#[test]
fn the_readme_shows_what_is_printed() {
    let (dns, _coredns, _meshdns) = tour();
    let mut peer = Istiod::start();
    let entries = include_str!("../../examples/manifests/service-entries.yaml");
    let istiod = peer.load(entries, Mode::Status).unwrap().address;
    let mut checked = 0;
    for Example { command, shown } in examples(include_str!("../../README.md")) {
        let printed = match command.split(' ').next() {
            Some("dig") => asked(&command, dns),
            Some("meshdns") => ran(&command, istiod),
            _ => continue,
        };
        checked += 1;
        assert_eq!(
            normal(printed.lines()),
            normal(shown.iter().map(String::as_str)),
            "$ {command}\n{printed}"
        );
    }
    assert!(checked >= 10, "only {checked} examples were found");
}

#[test]
fn the_example_of_churn_is_what_it_says() {
    let (_, section) = include_str!("../../docs/ttl.md").split_once("\n## TTLs that follow churn\n").unwrap();
    let text = format!("zones: [a.example]\n{}", block(section, "yaml"));
    let ttl = Settings::read("docs/ttl.md", &text, &Overrides::default()).unwrap().ttl;
    let srv = TtlSetting::Fixed(Ttl::new(5).unwrap());
    assert_eq!((ttl.default, ttl.classes.get(Class::Srv)), (TtlSetting::Churn, Some(srv)));
    // The text gives the TTLs of these ages, by the defaults.
    assert_eq!(ttl.churn, Churn::default());
    let ages = [60, 600, 3600, 25 * 3600].map(|age| ttl.churn.ttl(age).seconds());
    assert_eq!(ages, [7, 24, 60, 300]);
}

#[test]
fn the_recipes_for_ttls_do_what_they_say() {
    let tour =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/meshdns.yaml")).unwrap();
    let manifests = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/manifests");
    let tour = tour.replace("./examples/manifests", manifests);
    let recipes: Vec<&str> = include_str!("../../docs/ttl.md").split("\n## Recipe: ").skip(1).collect();
    assert_eq!(recipes.len(), 3);
    for recipe in recipes {
        let meshdns = Meshdns::start(&format!("{tour}\n{}\n", block(recipe, "yaml")));
        let dns = free_address();
        let corefile = Corefile(block(recipe, "corefile").to_owned()).served_on(dns.port());
        let _coredns = CoreDns::start(&corefile.with("127.0.0.1:8053", &meshdns.grpc.to_string()).0);
        let examples = examples(recipe);
        assert!(!examples.is_empty(), "{recipe}");
        for Example { command, shown } in examples {
            let printed = asked(&command, dns);
            let shown = normal(shown.iter().map(String::as_str));
            assert_eq!(normal(printed.lines()), shown, "$ {command}\n{printed}");
        }
    }
}

#[test]
fn the_printed_blocks_are_those_of_the_document() {
    let shown = examples(include_str!("../../docs/corefile.md"));
    let shown: Vec<_> = shown.iter().filter(|example| example.command.starts_with("meshdns ")).collect();
    assert_eq!(shown.len(), 2);
    for Example { command, shown } in shown {
        let printed = ran(command, ([127, 0, 0, 1], 9).into());
        assert_eq!(printed.lines().collect::<Vec<_>>(), *shown, "$ {command}");
    }
}
