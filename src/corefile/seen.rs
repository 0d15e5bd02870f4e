//! What a client sees of a TTL behind the caches of a route.

use super::cache::{Bound, Cache, Sign};
use super::route::Route;

/// Seconds that are known to lie between two numbers, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The smallest.
    pub smallest: u32,
    /// The largest.
    pub largest: u32,
}

/// A TTL as a client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<'c> {
    /// The TTL of an answer that no cache had.
    pub ttl: Span,
    /// How long after a change the old answer may still be in use, if nobody serves stale answers.
    pub shows_within: u32,
    /// What changed the TTL, from meshdns to the client.
    pub bounds: Vec<&'c Bound>,
    /// How many caches it passed.
    pub caches: usize,
}

impl Span {
    /// One number.
    pub fn of(seconds: u32) -> Self {
        Self { smallest: seconds, largest: seconds }
    }

    fn map(self, of: impl Fn(u32) -> u32) -> Self {
        Self { smallest: of(self.smallest), largest: of(self.largest) }
    }
}

impl<'c> Route<'c> {
    /// What a client sees of answers with this TTL. A cache gives a whole message the smallest TTL in it, within its bounds,
    /// and that also the first time (CoreDNS `plugin/cache/cache.go`, `WriteMsg`).
    pub fn seen(&self, sign: Sign, ttl: Span) -> Seen<'c> {
        let mut seen = Seen { ttl, shows_within: ttl.largest, bounds: Vec::new(), caches: 0 };
        let mut before: Option<&Cache> = None;
        for cache in self.caches() {
            let bounds = cache.bounds(sign);
            let came = seen.ttl;
            seen.ttl = came.map(|seconds| bounds.pass(seconds).ttl);
            for end in [came.smallest, came.largest] {
                seen.bounds.extend(bounds.pass(end).bound.filter(|bound| !seen.bounds.contains(bound)));
            }
            let kept = bounds.keeps(&self.name);
            seen.shows_within = match before {
                None => seen.ttl.largest,
                // It always hears the whole TTL, also of an answer that is about to leave the cache before it.
                Some(before) if before.keeps_ttl.is_some() => seen.shows_within + seen.ttl.largest,
                // It hears what is left, one second at least, and keeps no answer shorter than its floor.
                Some(_) if kept => {
                    let floor = bounds.floor.seconds.min(bounds.cap.seconds);
                    seen.ttl.largest.max((seen.shows_within + floor.max(1)).saturating_sub(1))
                }
                Some(_) => seen.shows_within.max(seen.ttl.largest),
            };
            seen.caches += 1;
            before = Some(cache).filter(|_| kept).or(before);
        }
        if before.is_some_and(|cache| cache.keeps_ttl.is_some()) {
            seen.shows_within += seen.ttl.largest;
        }
        seen
    }
}
