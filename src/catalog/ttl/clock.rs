//! What time it is, and when records last changed.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::model::Stamp;

/// The time that it was last told, for one teller and many readers. It knows none before.
#[derive(Debug, Default)]
pub struct Clock(AtomicU32);

/// How a change came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It happened just now.
    Live,
    /// A source says for the first time how things stand: when they became so, objects may know.
    AtFirst,
}

impl Clock {
    /// Tells the time, in Unix seconds.
    pub fn tell(&self, now: u64) {
        self.0.store(u32::try_from(now).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// The time that it was last told.
    pub fn now(&self) -> Option<Stamp> {
        Stamp::new(self.0.load(Ordering::Relaxed).into())
    }

    /// Seconds since a moment; none since one to come, or one that is not known.
    pub(super) fn since(&self, moment: Option<Stamp>) -> u32 {
        let now = self.0.load(Ordering::Relaxed);
        moment.map_or(0, |moment| now.saturating_sub(moment.seconds()))
    }

    /// When records that were published last changed. `written`: when the last of their objects was written, if all say so.
    /// `same`: since when they were what they are, if they were published before.
    pub(in crate::catalog) fn changed(
        &self,
        seen: Seen,
        written: Option<Stamp>,
        same: Option<Option<Stamp>>,
    ) -> Option<Stamp> {
        match (same, seen) {
            (Some(since), _) => since,
            (None, Seen::AtFirst) => written.or_else(|| self.now()),
            (None, Seen::Live) => self.now(),
        }
    }
}
