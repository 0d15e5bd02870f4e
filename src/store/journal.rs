//! What the keeper has to do with the ledger's store: hand out claims, take outcomes, tell the time.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::writer::{News, Writer};
use super::{NameTables, Store};
use crate::allocate::Settled;
use crate::allocate::ledger::Notice;
use crate::keeper::Keeper;
use crate::source::SourceId;
use crate::telemetry::metrics::LedgerMetrics;

/// How often addresses that have rested long enough are looked for.
const TICK: Duration = Duration::from_secs(5);

/// Something for the keeper to do.
#[derive(Debug)]
pub enum Event {
    /// The store did something.
    Settled(Vec<Settled>),
    /// Nothing in particular: a batch failed, or time went by.
    Passed,
}

/// The keeper's side of the store.
#[derive(Debug, Default)]
pub struct Journal {
    connected: Option<Connected>,
    in_flight: bool,
    unlisted: BTreeSet<SourceId>,
}

#[derive(Debug)]
struct Connected {
    batches: mpsc::Sender<Vec<crate::allocate::Claim>>,
    news: mpsc::Receiver<News>,
    metrics: LedgerMetrics,
}

impl Journal {
    /// For keepers whose allocator remembers nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Connects to a store that has been read, and returns what writes to it and has to run. `sources` are those that have to
    /// list everything before hosts that nobody named count as gone.
    pub fn connect<S: Store>(
        store: S,
        sources: BTreeSet<SourceId>,
        metrics: LedgerMetrics,
    ) -> (Self, Writer<S>) {
        let (batches, incoming) = mpsc::channel(1);
        let (tell, news) = mpsc::channel(1);
        let (tables, for_writer) = (NameTables::none(), metrics.clone());
        let writer = Writer { store, batches: incoming, news: tell, metrics: for_writer, tables };
        let connected = Connected { batches, news, metrics };
        (Self { connected: Some(connected), in_flight: false, unlisted: sources }, writer)
    }

    /// Tells the keeper the time, before something else is done.
    pub fn tell_time(&self, keeper: &mut Keeper) {
        if self.connected.is_some() {
            keeper.tell_time(unix_seconds());
        }
    }

    /// A source has said everything.
    pub fn listed(&mut self, keeper: &mut Keeper, source: SourceId) {
        if self.unlisted.remove(&source) && self.unlisted.is_empty() {
            keeper.settle();
        }
    }

    /// Hands out what is claimed if the store is idle, and shows what there is to show.
    pub fn begin(&mut self, keeper: &mut Keeper) {
        let Some(connected) = &self.connected else { return };
        for notice in keeper.notices() {
            tell(&notice);
        }
        if let Some(stats) = keeper.stats() {
            connected.metrics.show(&stats);
        }
        if self.in_flight {
            return;
        }
        let claims = keeper.claims();
        // There is room: the writer has taken the last batch. If it is gone, the process ends.
        self.in_flight = !claims.is_empty() && connected.batches.try_send(claims).is_ok();
    }

    /// Whether everything that was claimed is stored, or is known to fail.
    pub fn is_idle(&self) -> bool {
        !self.in_flight
    }

    /// The next thing to do.
    pub async fn next(&mut self) -> Event {
        let Some(connected) = &mut self.connected else { return std::future::pending().await };
        let told = tokio::select! {
            told = connected.news.recv() => told,
            () = sleep(TICK) => return Event::Passed,
        };
        match told {
            Some(News::Settled(settled)) => {
                self.in_flight = false;
                Event::Settled(settled)
            }
            Some(News::Learned(settled)) => Event::Settled(settled),
            Some(News::Failing) => Event::Passed,
            // The writer ended, and with it the process will.
            None => std::future::pending().await,
        }
    }
}

fn tell(notice: &Notice) {
    match notice {
        Notice::Conflict(conflict) => tracing::warn!(
            address = %conflict.address,
            kept = %conflict.kept,
            why = conflict.why.as_str(),
            moved = %conflict.moved,
            "two entries want one address"
        ),
        Notice::Exhausted { ranges, host, waiting } => {
            tracing::warn!(ranges, %host, waiting, "no address is left for the host");
        }
    }
}

/// The time in Unix seconds; 0 before 1970.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
