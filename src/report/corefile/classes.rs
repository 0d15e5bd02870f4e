//! What clients see of the TTLs that we give.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::given::{Given, Giver};
use crate::corefile::{Route, Side, Span};

/// So many objects are named.
const NAMED: usize = 10;

/// A TTL on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedTtl {
    /// The class of answers, by the name of its setting.
    pub class: &'static str,
    /// What gives it: a setting, a rule, annotations.
    pub from: String,
    /// The objects that are answered with it; nothing where it was not looked for any.
    pub objects: Option<ReportedObjects>,
    /// What meshdns gives; nothing where the answer has no record and so no TTL.
    pub meshdns: Option<ReportedSpan>,
    /// What the client gets.
    pub client: Option<ReportedSpan>,
    /// For how many seconds at most the old answer may be in use after a change.
    #[serde(rename = "showsWithin")]
    pub shows_within: Option<u32>,
    /// What made the client's TTL.
    pub why: String,
    /// Whether objects that are there decide, and not the settings alone.
    #[serde(skip)]
    pub by_objects: bool,
}

/// Some objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReportedObjects {
    /// How many there are.
    pub count: usize,
    /// The first ten, as `Kind namespace/name`.
    pub first: Vec<String>,
}

/// Seconds that lie between two numbers, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedSpan {
    /// The smallest.
    pub smallest: u32,
    /// The largest.
    pub largest: u32,
}

impl From<Span> for ReportedSpan {
    fn from(Span { smallest, largest }: Span) -> Self {
        Self { smallest, largest }
    }
}

impl From<&BTreeSet<String>> for ReportedObjects {
    fn from(objects: &BTreeSet<String>) -> Self {
        Self { count: objects.len(), first: objects.iter().take(NAMED).cloned().collect() }
    }
}

impl fmt::Display for ReportedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { smallest, largest } if smallest == largest => write!(f, "{largest} s"),
            Self { smallest, largest } => write!(f, "{smallest} to {largest} s"),
        }
    }
}

/// What a client sees of a class over a route.
pub(super) fn told(given: &Given, route: &Route<'_>) -> ReportedTtl {
    let Some(ttl) = given.ttl else {
        return ReportedTtl {
            class: given.class,
            from: given.from.clone(),
            objects: given.objects.as_ref().map(Into::into),
            meshdns: None,
            client: None,
            shows_within: None,
            why: "no SOA, so nothing keeps it".to_owned(),
            by_objects: false,
        };
    };
    let cached = route.caches().next().is_some();
    // Without a cache each record keeps its own TTL, and this line is about ours.
    let message = if given.mixed && cached { Span { smallest: 0, ..ttl } } else { ttl };
    let seen = route.seen(given.sign, message);
    let mut reasons: Vec<String> = seen
        .bounds
        .iter()
        .map(|bound| {
            let kind = match bound.side {
                Side::Floor => "floor",
                Side::Cap => "cap",
            };
            let default = if bound.written { "" } else { ", CoreDNS's default" };
            format!("cache {kind} at {}{default}", bound.place)
        })
        .collect();
    if given.mixed && cached {
        reasons.insert(0, "smallest TTL in the message".to_owned());
    }
    if reasons.is_empty() {
        reasons.push(if cached { "as meshdns says" } else { "no cache" }.to_owned());
    }
    if route.caches().any(|cache| !cache.bounds(given.sign).keeps(&route.name)) {
        reasons.push("not kept (`disable`)".to_owned());
    }
    ReportedTtl {
        class: given.class,
        from: given.from.clone(),
        objects: given.objects.as_ref().map(Into::into),
        meshdns: Some(ttl.into()),
        client: Some(seen.ttl.into()),
        shows_within: Some(seen.shows_within),
        why: reasons.join("; "),
        by_objects: matches!(given.giver, Giver::Objects | Giver::Targets),
    }
}
