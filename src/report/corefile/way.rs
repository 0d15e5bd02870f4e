//! The ways that names take to us.

use serde::Serialize;

use super::Seen;
use super::classes::{ReportedTtl, told};
use super::finding::listed;
use crate::corefile::{End, Route, Through};

/// The way of some zones from a server block that clients ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedRoute {
    /// The file of the server block.
    pub file: String,
    /// Its first line.
    pub line: u32,
    /// Its keys.
    pub server: String,
    /// The zones that take this way.
    pub zones: Vec<String>,
    /// Whether they get to meshdns.
    #[serde(rename = "leadsToMeshdns")]
    pub leads_to_meshdns: bool,
    /// The way in words.
    pub way: String,
    /// What clients see; where the way does not lead to meshdns, what they would see if it did.
    pub ttls: Vec<ReportedTtl>,
}

/// All ways that lead to us or should.
pub(super) fn ways(seen: &Seen<'_>) -> Vec<ReportedRoute> {
    let mut found: Vec<ReportedRoute> = Vec::new();
    for super::Way { route, given } in seen.ways() {
        if seen.kind(&route.name).is_none() && !route.leads_to_meshdns() {
            continue;
        }
        let server = route.hops[0].server;
        let new = ReportedRoute {
            file: server.place().file.to_string(),
            line: server.place().line,
            server: server.called(),
            zones: vec![route.name.written()],
            leads_to_meshdns: route.leads_to_meshdns(),
            way: in_words(route),
            ttls: given.iter().map(|given| told(given, route)).collect(),
        };
        let same = |known: &&mut ReportedRoute| {
            (&known.file, known.line, &known.way, &known.ttls) == (&new.file, new.line, &new.way, &new.ttls)
        };
        match found.iter_mut().find(same) {
            Some(known) => known.zones.extend(new.zones),
            None => found.push(new),
        }
    }
    found
}

/// `by grpc at FILE:LINE`, with the server blocks between.
fn in_words(route: &Route<'_>) -> String {
    let over: Vec<String> =
        route.hops[1..].iter().map(|hop| format!("the server block at {}", hop.server.place())).collect();
    let over = if over.is_empty() { String::new() } else { format!(", over {}", listed(&over)) };
    match route.end {
        End::Meshdns(Through::Grpc(grpc)) => format!("to meshdns by `grpc` at {}{over}", grpc.place),
        End::Meshdns(Through::Plain(forward)) => {
            format!("to meshdns by `forward` at {}, over plain DNS{over}", forward.place)
        }
        End::Answered(filter) => {
            format!("not to meshdns: `{}` at {} answers{over}", filter.plugin, filter.place)
        }
        End::Forwarded(forward) => {
            let asked: Vec<String> = forward.to.iter().map(ToString::to_string).collect();
            format!("not to meshdns: `forward` at {} asks {}{over}", forward.place, listed(&asked))
        }
        End::Nobody => format!("not to meshdns: no plugin of the block takes them{over}"),
    }
}
