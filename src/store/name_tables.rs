//! Which name table of istiod the store has to keep next, and when.
//!
//! Rules: a table that changed is kept at once, but not more often than once in [`SPACING`]; the latest one counts, so
//! that none waits behind another. That a table is still what istiod says is kept once in [`CONFIRM`]. After a failure
//! pauses grow. Nothing is lost when a wait is given up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::StoreError;
use crate::source::istiod::{Kept, Status, View};

/// Least time from one table to the next.
const SPACING: Duration = Duration::from_secs(1);
/// How often a table is confirmed that did not change.
const CONFIRM: Duration = Duration::from_secs(60);
/// Longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The tables of a source.
#[derive(Debug)]
pub struct NameTables {
    source: Option<Source>,
}

#[derive(Debug)]
struct Source {
    status: watch::Receiver<Status>,
    view: View,
    /// What the store has, and since when.
    stored: Option<(Kept, Instant)>,
    /// Nothing is stored before.
    not_before: Instant,
    /// The last pause after a failure; zero after a success.
    pause: Duration,
    /// The failure that was told last.
    told: Option<String>,
}

/// What to do about a table.
enum Due {
    Never,
    At(Instant, Kept),
}

impl NameTables {
    /// There are none.
    pub fn none() -> Self {
        Self { source: None }
    }

    /// Those of a source that stands so, seen as `view`. `stored` is what the store has of that view and the source
    /// begins with.
    pub fn new(status: watch::Receiver<Status>, view: View, stored: Option<Kept>) -> Self {
        let now = Instant::now();
        let stored = stored.map(|kept| (kept, now));
        let (pause, told) = (Duration::ZERO, None);
        Self { source: Some(Source { status, view, stored, not_before: now, pause, told }) }
    }

    /// The next one, when it is time for it.
    pub(super) async fn next(&mut self) -> Kept {
        let Some(source) = &mut self.source else { return std::future::pending().await };
        loop {
            let time = match source.due() {
                Due::At(time, kept) if time <= Instant::now() => return kept,
                Due::At(time, _) => Some(time),
                Due::Never => None,
            };
            let passes = async {
                match time {
                    Some(time) => sleep_until(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passes => {}
                changed = source.status.changed() => if changed.is_err() {
                    // The source ended, and with it the process will.
                    return std::future::pending().await;
                }
            }
        }
    }

    /// What became of one.
    pub(super) fn tried(&mut self, kept: Kept, result: Result<(), StoreError>) {
        let Some(source) = &mut self.source else { return };
        let now = Instant::now();
        match result {
            Ok(()) => {
                if source.told.take().is_some() {
                    tracing::info!("the name table of istiod can be kept again");
                }
                source.stored = Some((kept, now));
                (source.pause, source.not_before) = (Duration::ZERO, now + SPACING);
            }
            Err(error) => {
                let error = error.to_string();
                if source.told.as_ref() != Some(&error) {
                    tracing::warn!(error, "the name table of istiod is not kept");
                    source.told = Some(error);
                }
                source.pause = (source.pause * 2).clamp(SPACING, LONGEST_PAUSE);
                source.not_before = now + source.pause;
            }
        }
    }
}

impl Source {
    fn due(&mut self) -> Due {
        let Some(kept) = self.status.borrow_and_update().to_keep(&self.view) else { return Due::Never };
        match &self.stored {
            Some((stored, since)) if Arc::ptr_eq(&stored.table, &kept.table) => {
                if kept.confirmed > stored.confirmed {
                    Due::At((*since + CONFIRM).max(self.not_before), kept)
                } else {
                    Due::Never
                }
            }
            _ => Due::At(self.not_before, kept),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::source::istiod::Table;

    fn table(version: &str) -> Arc<Table> {
        let received = SystemTime::now();
        Arc::new(Table { rows: Default::default(), version: version.into(), received })
    }

    fn started(kept: Option<Kept>) -> (watch::Sender<Status>, NameTables) {
        let (sender, status) = watch::channel(Status::default());
        (sender, NameTables::new(status, View("v".into()), kept))
    }

    fn says(status: &watch::Sender<Status>, table: &Arc<Table>) {
        let (table, confirmed) = (Some(Arc::clone(table)), Some(SystemTime::now()));
        status.send_modify(|status| {
            (status.table, status.confirmed, status.current) = (table, confirmed, true);
        });
    }

    fn failure() -> Result<(), StoreError> {
        Err(StoreError::NotKept { path: "f".into(), what: "no".into() })
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_table_goes_first_and_one_that_stays_is_confirmed_each_minute() {
        let (status, mut tables) = started(None);
        let begin = Instant::now();
        says(&status, &table("1"));
        let first = tables.next().await;
        assert_eq!((first.table.version.as_str(), begin.elapsed()), ("1", Duration::ZERO));
        tables.tried(first, Ok(()));
        for version in ["2", "3"] {
            says(&status, &table(version));
        }
        let next = tables.next().await;
        assert_eq!(next.table.version, "3", "2 is not kept any more");
        assert!(begin.elapsed() >= SPACING && begin.elapsed() < SPACING * 2, "{:?}", begin.elapsed());
        tables.tried(next.clone(), Ok(()));
        let stored = Instant::now();
        let again = tables.next().await;
        assert!(Arc::ptr_eq(&again.table, &next.table) && again.confirmed > next.confirmed);
        assert!(stored.elapsed() >= CONFIRM && stored.elapsed() < CONFIRM * 2, "{:?}", stored.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_of_an_earlier_run_is_not_kept_again() {
        let confirmed = SystemTime::now();
        let old = Kept { view: View("v".into()), table: table("1"), confirmed };
        let (status, mut tables) = started(Some(old.clone()));
        status.send_modify(|status| {
            (status.table, status.confirmed) = (Some(Arc::clone(&old.table)), Some(confirmed));
        });
        assert!(tokio::time::timeout(CONFIRM * 10, tables.next()).await.is_err());
        says(&status, &table("2"));
        assert_eq!(tables.next().await.table.version, "2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_tried_again_with_growing_pauses_and_the_latest_table() {
        let (status, mut tables) = started(None);
        says(&status, &table("1"));
        let mut pauses = Vec::new();
        let mut kept = tables.next().await;
        for version in 2..10 {
            tables.tried(kept, failure());
            says(&status, &table(&version.to_string()));
            let begin = Instant::now();
            kept = tables.next().await;
            assert_eq!(kept.table.version, version.to_string());
            pauses.push(begin.elapsed().as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
