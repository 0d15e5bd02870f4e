//! What time it is, and when records last changed.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::super::Staleness;
use crate::model::Stamp;

/// The time that it was last told, for one teller and many readers. It knows none before.
#[derive(Debug, Default)]
pub struct Clock {
    now: AtomicU32,
    /// Until when changes would have been seen.
    seen_until: AtomicU32,
}

/// How a change came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It happened just now.
    Live,
    /// A source says for the first time how things stand: when they became so, objects may know.
    AtFirst,
}

impl Clock {
    /// Tells the time, in Unix seconds. While nobody tells of changes, nothing gets older: it might have changed.
    pub fn tell(&self, now: u64, staleness: Option<Staleness>) {
        let seconds = |moment: u64| u32::try_from(moment).unwrap_or(u32::MAX);
        self.now.store(seconds(now), Relaxed);
        self.seen_until.store(seconds(staleness.map_or(now, |staleness| staleness.since.min(now))), Relaxed);
    }

    /// The time that it was last told.
    pub fn now(&self) -> Option<Stamp> {
        Stamp::new(self.now.load(Relaxed).into())
    }

    /// Seconds since a moment for which it is known that nothing changed; none since one to come, or one that is not known.
    pub(super) fn since(&self, moment: Option<Stamp>) -> u32 {
        let until = self.seen_until.load(Relaxed);
        moment.map_or(0, |moment| until.saturating_sub(moment.seconds()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::StaleFrom;

    #[test]
    fn nothing_gets_older_while_nobody_tells_of_changes() {
        let (clock, then) = (Clock::default(), Stamp::new(1000));
        assert_eq!((clock.now(), clock.since(then)), (None, 0));
        clock.tell(1060, None);
        assert_eq!((clock.now(), clock.since(then), clock.since(None)), (Stamp::new(1060), 60, 0));
        clock.tell(1100, Some(Staleness { since: 1070, from: StaleFrom::Memory }));
        assert_eq!((clock.now(), clock.since(then)), (Stamp::new(1100), 70));
        // What changes meanwhile, as others tell it, is new when it is over.
        let changed = clock.changed(Seen::Live, then, None);
        assert_eq!(clock.since(changed), 0);
        clock.tell(1130, None);
        assert_eq!((clock.since(then), clock.since(changed)), (130, 30));
    }

    #[test]
    fn what_a_source_first_says_is_as_old_as_its_objects() {
        let clock = Clock::default();
        clock.tell(1000, None);
        let (written, now) = (Stamp::new(900), Stamp::new(1000));
        assert_eq!(clock.changed(Seen::AtFirst, written, None), written);
        assert_eq!(clock.changed(Seen::AtFirst, None, None), now);
        assert_eq!(clock.changed(Seen::Live, written, None), now);
        for seen in [Seen::AtFirst, Seen::Live] {
            assert_eq!(clock.changed(seen, written, Some(Stamp::new(500))), Stamp::new(500));
        }
    }
}
