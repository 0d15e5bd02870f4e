//! The report as text.

use super::CorefileReport;
use super::classes::{ReportedObjects, ReportedSpan, ReportedTtl};
use crate::report::render::table;

/// So many TTLs that objects of a class ask for are told one by one.
const TOLD: usize = 4;

/// Ways with their TTLs, then findings with the lines to change, then notes.
pub(in crate::report) fn corefile_text(found: &CorefileReport) -> String {
    let mut text = String::new();
    for route in &found.routes {
        text.push_str(&format!("\n{}:{}: {}\n", route.file, route.line, route.server));
        text.push_str(&format!("{}: {}\n", route.zones.join(", "), route.way));
        let client = if route.leads_to_meshdns { "client" } else { "client would get" };
        let head = ["class", "given by", "meshdns", client, "shows within", "why"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(rows(&route.ttls)).collect();
        text.push_str(&indented(&table(&rows)));
    }
    for finding in &found.findings {
        text.push_str(&format!("\n{finding}\n  {}:\n", finding.change));
        finding.lines.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    }
    if !found.notes.is_empty() {
        text.push('\n');
        found.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    }
    let findings = match found.findings.len() {
        0 => "nothing is wrong with the Corefile".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    text + "\n" + &findings + "\n"
}

/// A line for each TTL; those that objects of a class ask for in one line when they are many.
fn rows(ttls: &[ReportedTtl]) -> Vec<[String; 6]> {
    let alike = ttls.chunk_by(|one, other| {
        one.by_objects && other.by_objects && (one.class, &one.from) == (other.class, &other.from)
    });
    let told = alike.map(|alike| match alike {
        [first, .., last] if alike.len() > TOLD => vec![together(alike, first, last)],
        _ => alike.iter().map(row).collect(),
    });
    let mut rows: Vec<[String; 6]> = told.flatten().collect();
    // A class is named once.
    for at in (1..rows.len()).rev() {
        if rows[at][0] == rows[at - 1][0] {
            rows[at][0].clear();
        }
    }
    rows
}

fn row(ttl: &ReportedTtl) -> [String; 6] {
    let span = |span: Option<ReportedSpan>| span.map_or_else(|| "-".to_owned(), |span| span.to_string());
    let within = ttl.shows_within.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"));
    let by = match &ttl.objects {
        Some(ReportedObjects { count: 1, first }) if ttl.by_objects => format!("{}: {}", ttl.from, first[0]),
        Some(ReportedObjects { count, first }) if ttl.by_objects => {
            format!("{}: {count} objects, such as {}", ttl.from, first[0])
        }
        _ => ttl.from.clone(),
    };
    [ttl.class.to_owned(), by, span(ttl.meshdns), span(ttl.client), within, ttl.why.clone()]
}

/// Many TTLs of a class, from the smallest to the largest.
fn together(alike: &[ReportedTtl], first: &ReportedTtl, last: &ReportedTtl) -> [String; 6] {
    let both = |one: Option<ReportedSpan>, other: Option<ReportedSpan>| {
        one.zip(other).map(|(one, other)| ReportedSpan { smallest: one.smallest, largest: other.largest })
    };
    let count = alike.iter().filter_map(|ttl| ttl.objects.as_ref()).map(|objects| objects.count).sum();
    let named = first.objects.iter().flat_map(|objects| objects.first.clone()).collect();
    row(&ReportedTtl {
        objects: Some(ReportedObjects { count, first: named }),
        meshdns: both(first.meshdns, last.meshdns),
        client: both(first.client, last.client),
        shows_within: alike.iter().filter_map(|ttl| ttl.shows_within).max(),
        why: format!("{} TTLs: --output json has them one by one", alike.len()),
        ..first.clone()
    })
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
