//! Caches that change our TTLs.

use super::Seen;
use super::classes::given;
use super::finding::{ReportedFinding, listed};
use crate::corefile::{Bound, Cache, Side, Sign};

/// A TTL of ours at a cache.
struct Passing<'c> {
    cache: &'c Cache,
    sign: Sign,
    class: &'static str,
    seconds: u32,
}

/// TTLs that a cache changes alike.
struct Changed<'c> {
    cache: &'c Cache,
    bound: &'c Bound,
    sign: Sign,
    to: u32,
    /// Seconds as we give them, with their classes.
    from: Vec<(u32, Vec<String>)>,
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

/// All our TTLs at all caches that they come to.
fn passing<'c>(seen: &Seen<'c>) -> Vec<Passing<'c>> {
    let mut found = Vec::new();
    for route in seen.routes().filter(|route| route.leads_to_meshdns()) {
        // What is mixed with records of others is among the rest without them.
        for given in given(seen, seen.contents(&route.name)).into_iter().filter(|given| !given.mixed) {
            let Some(ttl) = given.ttl else { continue };
            for (cache, seconds) in
                route.caches().flat_map(|cache| [(cache, ttl.smallest), (cache, ttl.largest)])
            {
                found.push(Passing { cache, sign: given.sign, class: given.class, seconds });
            }
        }
    }
    found
}

fn changed<'c>(passing: &[Passing<'c>]) -> Vec<Changed<'c>> {
    let mut found: Vec<Changed<'c>> = Vec::new();
    for Passing { cache, sign, class, seconds } in passing {
        let passed = cache.bounds(*sign).pass(*seconds);
        let Some(bound) = passed.bound else { continue };
        let same = |known: &Changed<'_>| {
            (known.to, known.bound.side, &known.bound.place) == (passed.ttl, bound.side, &bound.place)
        };
        let known = match found.iter().position(same) {
            Some(known) => known,
            None => {
                found.push(Changed { cache, bound, sign: *sign, to: passed.ttl, from: Vec::new() });
                found.len() - 1
            }
        };
        let from = &mut found[known].from;
        match from.iter_mut().find(|(known, _)| known == seconds) {
            Some((_, classes)) if classes.iter().any(|known| known == class) => {}
            Some((_, classes)) => classes.push((*class).to_owned()),
            None => from.push((*seconds, vec![(*class).to_owned()])),
        }
    }
    found
}

/// The largest and the smallest TTL that a cache should let through.
fn mended(passing: &[Passing<'_>], cache: &Cache, sign: Sign) -> (u32, u32) {
    let bounds = cache.bounds(sign);
    let ours = passing.iter().filter(|passing| std::ptr::eq(passing.cache, cache) && passing.sign == sign);
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
    let from: Vec<String> =
        from.iter().map(|(seconds, classes)| format!("{seconds} s of {}", listed(classes))).collect();
    format!("`{plugin}` {verb} TTLs of meshdns to {to} s{default}: {}", from.join("; "))
}
