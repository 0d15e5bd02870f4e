//! Numbers at random, for whatever must not happen everywhere at once. Not for secrets.

use std::hash::{BuildHasher, RandomState};

/// A number at random; the keys of the standard library's hasher are.
pub(crate) fn random() -> u32 {
    let [a, b, c, d, ..] = RandomState::new().hash_one(0).to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ() {
        let numbers: std::collections::BTreeSet<u32> = (0..8).map(|_| random()).collect();
        assert!(numbers.len() > 1);
    }
}
