//! TTLs that follow how long records have stayed the same.
//!
//! `ttl = clamp(√(2 · unchanged / weight), min, max)`, in whole seconds, rounded down.
//!
//! - A cache that asks every `t` seconds sends `1 / t` queries a second. If records change `r` times a second, what it has is wrong for
//!   `t / 2` seconds after each, so for `r · t / 2` of all time. Where a wrong second is worth `weight` queries, the sum is smallest at
//!   `t = √(2 / (weight · r))`.
//! - All that is known of `r` is that there was one change in the last `unchanged` seconds, at their beginning: `r = 1 / unchanged`.
//! - A cache that is right when records change, after `u` seconds in which they did not, is wrong for at most
//!   `max(min, √(2 · u / weight))` seconds, whatever changes meanwhile: it asked at an age of `a ≤ u`, and was told to ask again after
//!   no more than that. In those `u` seconds it asked about `√(2 · u · weight)` times, between the bounds.

use crate::model::Ttl;

/// How TTLs follow from the time that records have stayed the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Churn {
    /// Of records that have just changed, or of which it is not known when they did.
    pub min: Ttl,
    /// Of records that have been the same for long; not below `min`.
    pub max: Ttl,
    /// So many queries a second of wrong answers is worth: 1 to 1000.
    pub weight: u16,
}

impl Churn {
    /// The TTL of records that have stayed the same for so many seconds.
    pub fn ttl(&self, unchanged: u32) -> Ttl {
        let best = (2 * u64::from(unchanged) / u64::from(self.weight.max(1))).isqrt();
        let best = i64::try_from(best).ok().and_then(|seconds| Ttl::new(seconds).ok()).unwrap_or(Ttl::MAX);
        best.clamp(self.min, self.max)
    }
}

impl Default for Churn {
    fn default() -> Self {
        Self { min: Ttl::fixed(5), max: Ttl::fixed(300), weight: 2 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn churns() -> impl Strategy<Value = Churn> {
        let bounds = (1u32..60, 0u32..600);
        (bounds, 1u16..=1000).prop_map(|((min, more), weight)| Churn {
            min: Ttl::fixed(min),
            max: Ttl::fixed(min + more),
            weight,
        })
    }

    proptest! {
        #[test]
        fn no_cache_is_wrong_for_longer_than_the_time_without_a_change_allows(
            churn in churns(),
            changes in proptest::collection::vec(prop_oneof![1u32..30, 1u32..5000], 1..20),
        ) {
            // A cache that asks again as soon as it may; `changed` and `expires` are moments.
            let (mut changed, mut expires) = (0, 0);
            for still in changes {
                let change = changed + still;
                let was_right = expires <= change;
                while expires <= change {
                    expires += churn.ttl(expires - changed).seconds();
                }
                let most = churn.min.seconds().max((2 * still / u32::from(churn.weight)).isqrt());
                let wrong = expires - change;
                prop_assert!(!was_right || wrong <= most, "{wrong} s after {still} s without a change, {churn:?}");
                changed = change;
            }
        }

        #[test]
        fn it_stays_within_its_bounds_and_never_falls_while_nothing_changes(
            churn in churns(),
            (unchanged, more) in (any::<u32>(), 0u32..1000),
        ) {
            let (now, later) = (churn.ttl(unchanged), churn.ttl(unchanged.saturating_add(more)));
            prop_assert!(churn.min <= now && now <= later && later <= churn.max, "{now:?} {later:?}");
        }
    }

    #[test]
    fn the_root_of_the_time_without_a_change() {
        let seconds = |unchanged| Churn::default().ttl(unchanged).seconds();
        let expected =
            [(0, 5), (35, 5), (36, 6), (600, 24), (3600, 60), (86_400, 293), (90_000, 300), (u32::MAX, 300)];
        assert_eq!(expected.map(|(unchanged, _)| (unchanged, seconds(unchanged))), expected);
    }
}
