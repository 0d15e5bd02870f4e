//! The report as text.

use super::CorefileReport;
use super::classes::ReportedTtl;
use crate::report::render::table;

/// Ways with their TTLs, then findings with the lines to change, then notes.
pub(in crate::report) fn corefile_text(found: &CorefileReport) -> String {
    let mut text = String::new();
    for route in &found.routes {
        text.push_str(&format!("\n{}:{}: {}\n", route.file, route.line, route.server));
        text.push_str(&format!("{}: {}\n", route.zones.join(", "), route.way));
        let client = if route.leads_to_meshdns { "client" } else { "client would get" };
        let head = ["class", "meshdns", client, "shows within", "why"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(route.ttls.iter().map(row)).collect();
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

fn row(ttl: &ReportedTtl) -> [String; 5] {
    let span =
        |span: Option<super::ReportedSpan>| span.map_or_else(|| "-".to_owned(), |span| span.to_string());
    let within = ttl.shows_within.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"));
    [ttl.class.to_owned(), span(ttl.meshdns), span(ttl.client), within, ttl.why.clone()]
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
