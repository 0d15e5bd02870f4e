//! Log lines about refused clients, few of them.
//!
//! Rules: a client that is refused tries again, for ever, and there may be many. Of each reason one line is written in ten
//! seconds, which says how many were left out since the last one. What probes do, which connect and close, is no news.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::telemetry::metrics::Handshake;
use crate::tls::Refusal;

/// Between two lines about the same reason.
const PAUSE: Duration = Duration::from_secs(10);

/// When each reason was written last.
#[derive(Debug, Default)]
pub(super) struct Sparing(Mutex<[Told; Handshake::COUNT]>);

#[derive(Clone, Copy, Debug, Default)]
struct Told {
    last: Option<Instant>,
    left_out: u64,
}

impl Sparing {
    /// Writes a line, or counts it as left out.
    pub(super) fn tell(&self, peer: Option<SocketAddr>, refusal: &Refusal) {
        let peer = peer.map(tracing::field::display);
        if refusal.outcome == Handshake::Broken {
            tracing::debug!(peer, %refusal, "a TLS handshake failed");
        } else if let Some(left_out) = self.left_out(refusal.outcome, Instant::now()) {
            let reason = refusal.outcome.as_str();
            tracing::warn!(peer, reason, %refusal, left_out, "a client is refused");
        }
    }

    /// How many were left out before this one; `None` if it is left out too.
    fn left_out(&self, outcome: Handshake, now: Instant) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.get_mut(outcome as usize)?;
        if told.last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            told.left_out += 1;
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_in_a_while_with_how_often_it_was_left_out() {
        let (sparing, begin) = (Sparing::default(), Instant::now());
        assert_eq!(sparing.left_out(Handshake::Name, begin), Some(0));
        assert_eq!(sparing.left_out(Handshake::Name, begin + Duration::from_secs(1)), None);
        assert_eq!(sparing.left_out(Handshake::Expired, begin + Duration::from_secs(1)), Some(0));
        assert_eq!(sparing.left_out(Handshake::Name, begin + PAUSE), Some(1));
        assert_eq!(sparing.left_out(Handshake::Name, begin + 2 * PAUSE), Some(0));
    }
}
