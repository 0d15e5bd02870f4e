//! TTLs that follow how long records have stayed the same.
//!
//! `ttl = clamp(unchanged · percent / 100, min, max)`, in whole seconds, rounded down: what RFC 9111 §4.2.2 has caches do with
//! pages that do not say how long they hold.
//!
//! - A cache that is right when records change, after `u` seconds in which they did not, is wrong for at most
//!   `max(min, u · percent / 100)` seconds, whatever changes meanwhile: it asked at an age of `a ≤ u`, and was told to ask again after
//!   no more than that. So of all time no more than `percent` is stale, beyond `min` for each time that a cache becomes wrong, however
//!   the changes come.
//! - A cache asks at most once in `min` seconds, and while the TTL lies between the bounds, `ln(v / u) / ln(1 + percent / 100)` times from
//!   age `u` to age `v`, rounding aside.

use crate::model::Ttl;

/// How TTLs follow from the time that records have stayed the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Churn {
    /// Of records that have just changed, or of which it is not known when they did.
    pub min: Ttl,
    /// Of records that have been the same for long; not below `min`.
    pub max: Ttl,
    /// The part of the time without a change that a TTL is, in percent: 1 to 100.
    pub percent: u8,
}

impl Churn {
    /// The TTL of records that have stayed the same for so many seconds.
    pub fn ttl(&self, unchanged: u32) -> Ttl {
        let part = u64::from(unchanged) * u64::from(self.percent) / 100;
        let part = i64::try_from(part).ok().and_then(|seconds| Ttl::new(seconds).ok()).unwrap_or(Ttl::MAX);
        part.clamp(self.min, self.max)
    }
}

impl Default for Churn {
    fn default() -> Self {
        Self { min: Ttl::fixed(5), max: Ttl::fixed(300), percent: 10 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn churns() -> impl Strategy<Value = Churn> {
        let bounds = (1u32..60, 0u32..600);
        (bounds, 1u8..=100).prop_map(|((min, more), percent)| Churn {
            min: Ttl::fixed(min),
            max: Ttl::fixed(min + more),
            percent,
        })
    }

    proptest! {
        #[test]
        fn no_cache_is_wrong_for_longer_than_the_part_of_the_time_without_a_change(
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
                let most = churn.min.seconds().max(still * u32::from(churn.percent) / 100);
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
    fn a_tenth_of_the_time_without_a_change() {
        let seconds = |unchanged| Churn::default().ttl(unchanged).seconds();
        let expected =
            [(0, 5), (59, 5), (60, 6), (69, 6), (600, 60), (3000, 300), (86_400, 300), (u32::MAX, 300)];
        assert_eq!(expected.map(|(unchanged, _)| (unchanged, seconds(unchanged))), expected);
    }
}
