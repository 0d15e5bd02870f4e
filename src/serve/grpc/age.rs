//! How long a connection may live.
//!
//! Rules: as grpc-go's `MaxConnectionAge` (keepalive/keepalive.go), up to a tenth more or less, for each connection anew:
//! connections that were opened together, because a replica had left, are not opened together again, and nobody has
//! to learn another bound. What is still open a while after that is closed all the same.

use std::time::Duration;

/// A tenth of the age, both ways.
const SPREAD: f64 = 0.1;

/// The age of a connection that is asked to go, for a number at random.
pub(super) fn of_one(usual: Duration, random: u32) -> Duration {
    let place = f64::from(random) / f64::from(u32::MAX);
    usual.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random;

    const USUAL: Duration = Duration::from_secs(600);

    #[test]
    fn ages_are_within_a_tenth() {
        assert_eq!(of_one(USUAL, 0).as_secs(), 540);
        assert_eq!(of_one(USUAL, u32::MAX / 2).as_secs_f64().round(), 600.0);
        assert_eq!(of_one(USUAL, u32::MAX).as_secs(), 660);
    }

    #[test]
    fn ages_use_the_whole_spread_evenly() {
        let mut tenths = [0_usize; 10];
        for _ in 0..10_000 {
            let over = of_one(USUAL, random()) - Duration::from_secs(540);
            tenths[usize::try_from(over.as_secs() / 12).unwrap().min(9)] += 1;
        }
        // 1000 each, and 30 is their standard deviation.
        assert!(tenths.iter().all(|count| (700..1300).contains(count)), "{tenths:?}");
    }
}
