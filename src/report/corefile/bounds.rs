//! Caches that change our TTLs.

use std::collections::BTreeSet;

use super::finding::{ReportedFinding, listed};
use super::given::{Given, Giver};
use super::{Seen, Way};
use crate::config::Settings;
use crate::corefile::{Bound, Cache, Corefiles, Server, Side, Sign};
use crate::report::census::Census;

/// A TTL of ours at a cache.
struct Passing<'c> {
    cache: &'c Cache,
    given: &'c Given,
    seconds: u32,
}

/// Who has a TTL.
#[derive(Default)]
struct Having<'c> {
    seconds: u32,
    classes: Vec<String>,
    /// Objects that ask for it.
    objects: BTreeSet<&'c String>,
}

/// TTLs that a cache changes alike.
struct Changed<'c> {
    cache: &'c Cache,
    bound: &'c Bound,
    sign: Sign,
    to: u32,
    /// Seconds as we give them.
    from: Vec<Having<'c>>,
}

/// A finding for each bound that is above or below a TTL of ours.
pub(super) fn check(seen: &Seen<'_>, findings: &mut Vec<ReportedFinding>) {
    let passing = passing(seen);
    for changed in changed(&passing) {
        let Changed { cache, bound, .. } = changed;
        findings.push(ReportedFinding::new(
            &bound.place,
            sentence(&changed),
            format!("in place of `cache` at line {}", cache.place.line),
            cache.with_bounds(
                mended(&passing, cache, Sign::Positive),
                mended(&passing, cache, Sign::Negative),
            ),
        ));
    }
}

/// The bounds that the caches of server blocks need for our TTLs: the largest and the smallest, of answers with records and of
/// negative ones.
pub(in crate::report) fn fitting<'c>(
    corefiles: &'c Corefiles,
    settings: &Settings,
    census: Option<&Census>,
) -> Vec<(&'c Server, [(u32, u32); 2])> {
    let seen = Seen::of(corefiles, settings, census);
    let passing = passing(&seen);
    let servers = corefiles.iter().flat_map(|corefile| &corefile.servers);
    let fitting = |server: &'c Server| {
        let cache = server.cache.as_ref()?;
        Some((server, [Sign::Positive, Sign::Negative].map(|sign| mended(&passing, cache, sign))))
    };
    servers.filter_map(fitting).collect()
}

/// All our TTLs at all caches that they come to.
fn passing<'c>(seen: &'c Seen<'c>) -> Vec<Passing<'c>> {
    let mut found = Vec::new();
    for Way { route, given } in seen.ways().filter(|way| way.route.leads_to_meshdns()) {
        // What is mixed with records of others is among the rest without them, and what may be is not.
        for given in given.iter().filter(|given| !given.mixed && given.giver != Giver::MayBe) {
            let Some(ttl) = given.ttl else { continue };
            for (cache, seconds) in
                route.caches().flat_map(|cache| [(cache, ttl.smallest), (cache, ttl.largest)])
            {
                found.push(Passing { cache, given, seconds });
            }
        }
    }
    found
}

fn changed<'c>(passing: &[Passing<'c>]) -> Vec<Changed<'c>> {
    let mut found: Vec<Changed<'c>> = Vec::new();
    for Passing { cache, given, seconds } in passing {
        let passed = cache.bounds(given.sign).pass(*seconds);
        let Some(bound) = passed.bound else { continue };
        let same = |known: &Changed<'_>| {
            (known.to, known.bound.side, &known.bound.place) == (passed.ttl, bound.side, &bound.place)
        };
        let known = match found.iter().position(same) {
            Some(known) => known,
            None => {
                found.push(Changed { cache, bound, sign: given.sign, to: passed.ttl, from: Vec::new() });
                found.len() - 1
            }
        };
        let from = &mut found[known].from;
        let known = match from.iter().position(|known| known.seconds == *seconds) {
            Some(known) => known,
            None => {
                from.push(Having { seconds: *seconds, ..Having::default() });
                from.len() - 1
            }
        };
        from[known].add(given);
    }
    found
}

impl<'c> Having<'c> {
    fn add(&mut self, given: &'c Given) {
        match &given.objects {
            Some(objects) if given.giver == Giver::Objects => self.objects.extend(objects),
            _ if self.classes.iter().any(|known| known == given.class) => {}
            _ => self.classes.push(given.class.to_owned()),
        }
    }

    /// `2 s of clusterIP, headless and what Service shop/web asks for`.
    fn in_words(&self) -> String {
        let mut words = self.classes.clone();
        words.extend(match (self.objects.first(), self.objects.len()) {
            (Some(object), 1) => Some(format!("what {object} asks for")),
            (Some(object), count) => Some(format!("what {count} objects ask for, such as {object}")),
            (None, _) => None,
        });
        format!("{} s of {}", self.seconds, listed(&words))
    }
}

/// The largest and the smallest TTL that a cache should let through.
fn mended(passing: &[Passing<'_>], cache: &Cache, sign: Sign) -> (u32, u32) {
    let bounds = cache.bounds(sign);
    let ours =
        passing.iter().filter(|passing| std::ptr::eq(passing.cache, cache) && passing.given.sign == sign);
    let ours: Vec<u32> = ours.map(|passing| passing.seconds).collect();
    let largest = ours.iter().copied().max().unwrap_or(0);
    let raises = ours.iter().any(|seconds| *seconds < bounds.floor.seconds);
    (bounds.cap.seconds.max(largest), if raises { 0 } else { bounds.floor.seconds })
}

fn sentence(changed: &Changed<'_>) -> String {
    let Changed { cache, bound, sign, to, from } = changed;
    let plugin = match sign {
        _ if bound.place == cache.place => "cache",
        Sign::Positive => "success",
        Sign::Negative => "denial",
    };
    let (verb, default) = match bound.side {
        Side::Floor => ("raises", ", its smallest where none is written"),
        Side::Cap => ("lowers", ", its largest where none is written"),
    };
    let default = if bound.written || bound.seconds != *to { "" } else { default };
    let from: Vec<String> = from.iter().map(Having::in_words).collect();
    format!("`{plugin}` {verb} TTLs of meshdns to {to} s{default}: {}", from.join("; "))
}
