//! Says of an answer that it may be wrong by now (Extended DNS Errors, RFC 8914).

use super::rcode;
use crate::catalog::Staleness;

/// The code of the EDNS option (RFC 8914 §2).
const OPTION: u16 = 15;
/// Octets of the option without text.
const BARE: usize = 6;
/// Stale Answer (RFC 8914 §4.4).
const STALE_ANSWER: u16 = 3;
/// Stale NXDOMAIN Answer (RFC 8914 §4.20).
const STALE_NXDOMAIN: u16 = 19;

/// The option, in so many octets at most: without its text if that does not fit, or not at all.
pub(super) fn option(staleness: &Staleness, code: u8, room: usize) -> Vec<u8> {
    if room < BARE {
        return Vec::new();
    }
    let mut text = staleness.to_string();
    if room < BARE + text.len() {
        text.clear();
    }
    let info = if code == rcode::NXDOMAIN { STALE_NXDOMAIN } else { STALE_ANSWER };
    let mut octets = Vec::with_capacity(BARE + text.len());
    for word in [OPTION, 2 + text.len() as u16, info] {
        octets.extend_from_slice(&word.to_be_bytes());
    }
    octets.extend_from_slice(text.as_bytes());
    octets
}
