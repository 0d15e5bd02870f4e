//! The classes of answers that a zone can have, with the TTLs that we give and clients see.

use std::fmt;

use serde::Serialize;

use super::Seen;
use crate::catalog::{AutomaticAddresses, Class, NegativePending, PodMode};
use crate::corefile::{Route, Side, Sign, Span};
use crate::model::ZoneKind;

/// A TTL on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedTtl {
    /// The class of answers, by the name of its setting.
    pub class: &'static str,
    /// What meshdns gives; nothing where the answer has no record and so no TTL.
    pub meshdns: Option<ReportedSpan>,
    /// What the client gets.
    pub client: Option<ReportedSpan>,
    /// For how many seconds at most the old answer may be in use after a change.
    #[serde(rename = "showsWithin")]
    pub shows_within: Option<u32>,
    /// What made the client's TTL.
    pub why: String,
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

impl fmt::Display for ReportedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { smallest, largest } if smallest == largest => write!(f, "{largest} s"),
            Self { smallest, largest } => write!(f, "{smallest} to {largest} s"),
        }
    }
}

/// A class of answers, and the TTL that we give it.
pub(super) struct Given {
    pub(super) class: &'static str,
    pub(super) sign: Sign,
    /// `None`: such answers have no record at all.
    pub(super) ttl: Option<Span>,
    /// Whether records of others, with TTLs of their own, are in the same message.
    pub(super) mixed: bool,
}

/// What a zone of this kind can have; `None` stands for a zone that is none of ours, where only mesh hosts are answered.
pub(super) fn given(seen: &Seen<'_>, kind: Option<ZoneKind>) -> Vec<Given> {
    use Class::{ClusterIp, ExternalName, Headless, Pod, Ptr, ServiceEntry, Srv, Vip};
    let classes: &[Class] = match kind {
        Some(ZoneKind::Reverse) => &[Ptr],
        Some(ZoneKind::Cluster) => &[ClusterIp, Headless, Pod, ExternalName, Srv, ServiceEntry, Vip],
        Some(ZoneKind::ClusterSet) => &[ClusterIp, Headless, Pod, Srv],
        None => &[Headless, Srv, ServiceEntry, Vip],
    };
    let settings = seen.settings;
    let exists = |class: &&Class| match class {
        Pod => settings.kubernetes.pods != PodMode::Disabled,
        Vip => settings.service_entries.addresses != AutomaticAddresses::Off,
        _ => true,
    };
    let span = |class: Class| {
        let range = settings.ttl.range(class);
        Span { smallest: range.min.seconds(), largest: range.max.seconds() }
    };
    // One reply has one TTL: that of what an alias leads to, if it is smaller.
    let with_target = || {
        let alias = span(ExternalName);
        let targets = [ClusterIp, Headless, ServiceEntry, Vip].map(|class| span(class).smallest);
        Span { smallest: targets.into_iter().fold(alias.smallest, u32::min), ..alias }
    };
    let positive = |class: &Class| Given {
        class: class.as_str(),
        sign: Sign::Positive,
        ttl: Some(if *class == ExternalName { with_target() } else { span(*class) }),
        mixed: false,
    };
    let mut all: Vec<Given> = classes.iter().filter(exists).map(positive).collect();
    if classes.contains(&ExternalName) {
        let class = "externalName, target elsewhere";
        all.push(Given { class, sign: Sign::Positive, ttl: Some(span(ExternalName)), mixed: true });
    }
    let negative = |class, ttl| Given { class, sign: Sign::Negative, ttl, mixed: false };
    all.push(negative("negative", Some(span(Class::Negative))));
    if kind != Some(ZoneKind::Reverse) {
        let pending = match settings.ttl.negative_pending {
            NegativePending::Uncached => None,
            NegativePending::For(ttl) => Some(Span::of(ttl.seconds())),
        };
        all.push(negative("negativePending", pending));
    }
    all
}

/// What a client sees of a class over a route.
pub(super) fn told(given: &Given, route: &Route<'_>) -> ReportedTtl {
    let Some(ttl) = given.ttl else {
        return ReportedTtl {
            class: given.class,
            meshdns: None,
            client: None,
            shows_within: None,
            why: "no SOA, so nothing keeps it".to_owned(),
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
        meshdns: Some(ttl.into()),
        client: Some(seen.ttl.into()),
        shows_within: Some(seen.shows_within),
        why: reasons.join("; "),
    }
}
