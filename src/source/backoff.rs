//! How long to wait before connecting again: exponential, with full jitter, so that many of us do not come at once.

use std::time::Duration;

/// The pauses so far.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    most: Duration,
}

impl Backoff {
    /// Pauses from 0 to at most `first`, later to at most `longest`.
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, most: first.min(longest) }
    }

    /// The next pause, for a number at random.
    pub(super) fn next(&mut self, random: u32) -> Duration {
        let pause = self.most.mul_f64(f64::from(random) / f64::from(u32::MAX));
        self.most = self.most.saturating_mul(2).min(self.longest);
        pause
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.most = self.first.min(self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_grow_to_a_limit_and_begin_anew() {
        let mut backoff = Backoff::new(SECOND, 30 * SECOND);
        let pauses: Vec<u64> = (0..7).map(|_| backoff.next(u32::MAX).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        backoff.reset();
        assert_eq!(backoff.next(u32::MAX), SECOND);
    }

    #[test]
    fn a_pause_is_anything_from_nothing_to_its_limit() {
        let mut backoff = Backoff::new(SECOND, SECOND);
        assert_eq!(backoff.next(0), Duration::ZERO);
        let half = backoff.next(u32::MAX / 2);
        assert!(half > Duration::from_millis(499) && half < Duration::from_millis(501), "{half:?}");
    }
}
