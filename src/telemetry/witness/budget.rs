//! How much may be said in a second.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The second that counts at the moment, and what was said in it: the upper and the lower half.
#[derive(Debug, Default)]
pub(super) struct Budget(AtomicU64);

impl Budget {
    /// Takes one of `limit` in this second. Seconds begin with 0; one that is over has nothing left.
    pub(super) fn spend(&self, second: u64, limit: u32) -> bool {
        let take = |now: u64| {
            let (current, spent) = (now >> 32, now & u64::from(u32::MAX));
            match second.cmp(&current) {
                std::cmp::Ordering::Less => None,
                std::cmp::Ordering::Equal if spent >= u64::from(limit) => None,
                std::cmp::Ordering::Equal => Some(now + 1),
                std::cmp::Ordering::Greater => Some(second << 32 | 1),
            }
        };
        limit > 0 && self.0.fetch_update(Relaxed, Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_has_so_much_and_no_more() {
        let budget = Budget::default();
        let spent = |second| (0..10).filter(|_| budget.spend(second, 3)).count();
        assert_eq!([spent(0), spent(0), spent(1), spent(7), spent(6), spent(8)], [3, 0, 3, 3, 0, 3]);
        assert!(!budget.spend(9, 0));
    }
}
