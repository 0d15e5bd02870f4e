//! `docs/coredns-differences.md`: the rules, and what a run counted.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use super::compare::Outcome;
use super::rules::{UNSEEN, all};
use super::variant::ALL;

/// Where the figures of a run begin.
const RUN: &str = "## A run\n";

const INTRODUCTION: &str = "\
<!-- Written by `MESHDNS_WRITE_DOCS=1 cargo test --test it differential`. Change tests/it/differential/rules in its place. -->

# Differences to CoreDNS's kubernetes plugin

A CoreDNS that asks meshdns gives the same answers as a CoreDNS with its own `kubernetes` plugin, but for what stands here.
Where they differ, meshdns follows the standards: above all, NXDOMAIN says that nothing exists below a name either (RFC 8020), so
it is never given above a name that exists.

This list is complete as far as a test can tell (`tests/it/differential`): one API server with generated objects, both servers
beside each other, the same questions to both in every form, and once more after objects came, changed and went. A difference that no
entry here predicts fails the test, and so does an entry that predicts none. Compared are RCODE, flags, the question, every record with
owner, letter case and TTL, EDNS, and the size at which a reply is cut. The order of records is not compared (aliases stand in theirs), nor is
the serial of an SOA.

S is a service, N a namespace, E an endpoint, C a cluster, Z a zone.

## What differs

";

/// Everything before the figures.
fn rules() -> String {
    let mut text = INTRODUCTION.to_owned();
    for rule in all() {
        writeln!(text, "### {}\n\n{}.\n", capital(rule.name), capital(rule.question)).unwrap();
        writeln!(text, "- CoreDNS: {}", rule.coredns).unwrap();
        writeln!(text, "- meshdns: {}", rule.meshdns).unwrap();
        writeln!(text, "- because {}\n", rule.why).unwrap();
    }
    text.push_str("## What does not show in the test\n\n| question | CoreDNS | meshdns | why it does not show |\n|---|---|---|---|\n");
    for unseen in &UNSEEN {
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            unseen.question, unseen.coredns, unseen.meshdns, unseen.because
        )
        .unwrap();
    }
    text.push('\n');
    text
}

/// The figures.
fn run(objects: usize, outcome: &Outcome) -> String {
    let (questions, truncated) = (outcome.questions, outcome.truncated);
    let mut text = format!(
        "{RUN}\n{objects} objects, {questions} questions to each, {truncated} of the replies were cut and asked for again \
         over TCP. The questions are spread over these options:\n\n"
    );
    for variant in &ALL {
        writeln!(text, "- {}", variant.name).unwrap();
    }
    text.push_str("\nAnswers that an entry explains; one answer may be explained by several:\n\n| entry | answers |\n|---|---|\n");
    for rule in all() {
        let count = outcome.explained.get(rule.name).copied().unwrap_or_default();
        writeln!(text, "| {} | {count} |", capital(rule.name)).unwrap();
    }
    text.push_str("| not explained | 0 |\n");
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn path() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coredns-differences.md").into()
}

/// Writes the document if that is asked for.
pub(super) fn write(objects: usize, outcome: &Outcome) {
    if std::env::var_os("MESHDNS_WRITE_DOCS").is_some() {
        std::fs::write(path(), rules() + &run(objects, outcome)).unwrap();
    }
}

#[test]
fn the_docs_have_these_rules() {
    let written = std::fs::read_to_string(path()).unwrap();
    let (before, figures) = written.split_once(RUN).expect("the docs have the figures of a run");
    assert_eq!(before, rules(), "MESHDNS_WRITE_DOCS=1 cargo test --test it differential");
    let entries: BTreeSet<&str> =
        figures.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    for rule in all() {
        assert!(entries.contains(&*capital(rule.name)), "{} has no figure", rule.name);
    }
}

#[test]
fn rules_have_names_of_their_own() {
    let names: BTreeSet<&str> = all().map(|rule| rule.name).collect();
    assert_eq!(names.len(), all().count());
}
