//! The running source: connects, takes tables, connects again.
//!
//! The first table is one replacement, later ones are what they differ in. Each cause of failure is told once, until a
//! table comes again.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::connect::{Token, dial, token};
use super::proto::{DiscoveryRequest, DiscoveryResponse};
use super::{Exchange, IstiodError, IstiodSettings, Kept, Link, Status, Step, Subscriptions, Table};
use crate::model::{Change, Defect};
use crate::random::random;
use crate::source::backoff::Backoff;
use crate::source::{SourceId, Update};

/// So many new defects of a table are told one by one; all of them are in the status.
const TOLD_DEFECTS: usize = 10;

/// Keeps the table of istiod until `stop` is done or nobody takes updates any more. `kept` is a table of an earlier run:
/// it is used until istiod sends one.
pub async fn run(
    settings: IstiodSettings,
    kept: Option<Kept>,
    updates: mpsc::Sender<Update>,
    status: watch::Sender<Status>,
    stop: impl Future<Output = ()>,
) {
    let source = Source { settings, updates, status, table: None, told: None, table_since: None };
    tokio::select! {
        () = stop => {}
        KeeperGone = source.follow(kept) => {}
    }
}

struct Source {
    settings: IstiodSettings,
    updates: mpsc::Sender<Update>,
    status: watch::Sender<Status>,
    /// The table that the keeper has.
    table: Option<Arc<Table>>,
    /// The failure that was told last, until a table came.
    told: Option<String>,
    /// When the first table of this stream came.
    table_since: Option<Instant>,
}

/// Nobody takes updates any more.
struct KeeperGone;

/// Why a stream is over.
enum Over {
    Failed(IstiodError),
    KeeperGone,
}

impl From<IstiodError> for Over {
    fn from(error: IstiodError) -> Self {
        Self::Failed(error)
    }
}

/// One response, read and compared on another thread, because a large table takes a while.
struct Read {
    exchange: Exchange,
    reply: Option<DiscoveryRequest>,
    news: News,
}

/// What is in it.
enum News {
    Table(Box<NewTable>),
    BadTable(String),
    Strange(String),
    Nothing,
}

/// A table that can be used.
struct NewTable {
    table: Arc<Table>,
    defects: Vec<Defect>,
    /// What takes the keeper to it; nothing when it has that already.
    change: Option<Change>,
}

impl Source {
    async fn follow(mut self, kept: Option<Kept>) -> KeeperGone {
        if let Some(Kept { view: _, table, confirmed }) = kept {
            if self.send(table.replacement()).await.is_err() {
                return KeeperGone;
            }
            let age_seconds = SystemTime::now().duration_since(confirmed).unwrap_or_default().as_secs();
            let (endpoint, rows) = (&self.settings.endpoint, table.rows.len());
            tracing::info!(
                source = "istiod",
                %endpoint,
                rows,
                age_seconds,
                "a name table of an earlier run is used until istiod sends one"
            );
            self.table = Some(Arc::clone(&table));
            let (table, confirmed) = (Some(table), Some(confirmed));
            self.status.send_modify(|status| (status.table, status.confirmed) = (table, confirmed));
        }
        let limits = self.settings.limits;
        let mut backoff = Backoff::new(limits.first_pause, limits.longest_pause);
        loop {
            let mut used = None;
            let Err(over) = self.stream(&mut used).await;
            let Over::Failed(error) = over else { return KeeperGone };
            if self.table_since.take().is_some_and(|since| since.elapsed() >= limits.healthy_after) {
                backoff.reset();
            }
            self.lost(&error);
            if !(error.is_refusal() && self.has_other_token(used.as_ref()).await) {
                sleep(backoff.next(random())).await;
            }
            self.status.send_modify(|status| status.reconnects += 1);
        }
    }

    /// One stream, to its end. `used` is the token it was opened with.
    async fn stream(&mut self, used: &mut Option<Token>) -> Result<Infallible, Over> {
        let mut exchange = Exchange::new(&self.settings.node, Subscriptions::NameTable);
        *used = token(&self.settings).await?;
        let connection = dial(&self.settings).await?;
        self.status.send_modify(|status| status.link = Link::Asked);
        let mut stream = connection.open(&self.settings.node, used.as_ref(), &mut exchange).await?;
        self.status.send_modify(|status| status.link = Link::Up);
        loop {
            let response = stream.next().await?;
            let read = read(exchange, self.table.clone(), response).await;
            if let Some(reply) = read.reply {
                stream.reply(reply)?;
            }
            exchange = read.exchange;
            match read.news {
                News::Table(new) => {
                    let NewTable { table, defects, change } = *new;
                    if let Some(change) = change {
                        self.send(change).await.map_err(|KeeperGone| Over::KeeperGone)?;
                    }
                    self.taken(table, defects);
                }
                News::BadTable(cause) => self.refused(cause),
                News::Strange(type_url) => {
                    tracing::warn!(source = "istiod", type_url, "a type that nobody asked for is ignored");
                }
                News::Nothing => {}
            }
        }
    }

    async fn send(&self, change: Change) -> Result<(), KeeperGone> {
        let update = Update::new(SourceId::ISTIOD, change);
        self.updates.send(update).await.map_err(|_| KeeperGone)
    }

    async fn has_other_token(&self, used: Option<&Token>) -> bool {
        matches!(token(&self.settings).await, Ok(now) if now.as_ref() != used)
    }

    /// A table is in use.
    fn taken(&mut self, table: Arc<Table>, defects: Vec<Defect>) {
        if self.table_since.is_none() {
            self.table_since = Some(Instant::now());
            self.told = None;
            let (endpoint, rows) = (&self.settings.endpoint, table.rows.len());
            tracing::info!(source = "istiod", %endpoint, rows, version = table.version, "name table taken");
        } else {
            tracing::debug!(
                source = "istiod",
                rows = table.rows.len(),
                version = table.version,
                "name table taken"
            );
        }
        self.table = Some(Arc::clone(&table));
        let known = Arc::clone(&self.status.borrow().defects);
        tell(&known, &defects);
        self.status.send_modify(|status| {
            status.confirmed = Some(table.received);
            status.current = true;
            status.defects = defects.into();
            status.refused = None;
            status.table = Some(table);
        });
    }

    /// A table could not be used, and istiod was told so.
    fn refused(&self, cause: String) {
        let endpoint = &self.settings.endpoint;
        tracing::warn!(source = "istiod", %endpoint, cause, "name table refused: the last one stays in use");
        self.status.send_modify(|status| {
            status.outdate(Duration::ZERO);
            status.nacks += 1;
            status.refused = Some(cause);
        });
    }

    /// There is no stream any more.
    fn lost(&mut self, error: &IstiodError) {
        let cause = error.to_string();
        match error {
            IstiodError::Ended { .. } => {
                tracing::info!(source = "istiod", cause, "connecting again");
            }
            _ if self.told.as_ref() != Some(&cause) => {
                tracing::warn!(source = "istiod", cause, "istiod is away: what it said last stays in use");
                self.told = Some(cause.clone());
            }
            _ => tracing::debug!(source = "istiod", cause, "istiod is still away"),
        }
        self.status.send_modify(|status| {
            status.outdate(error.unnoticed());
            status.link = Link::Down(cause);
        });
    }
}

async fn read(mut exchange: Exchange, old: Option<Arc<Table>>, response: DiscoveryResponse) -> Read {
    let reading = spawn_blocking(move || {
        let (step, reply) = exchange.take(response);
        let news = match step {
            Step::Table(rows, version) => {
                let (table, defects) = Table::received(rows, version);
                let change = change(old.as_deref(), &table);
                News::Table(Box::new(NewTable { table: Arc::new(table), defects, change }))
            }
            Step::BadTable(cause) => News::BadTable(cause),
            Step::Strange(type_url) => News::Strange(type_url),
            Step::Listeners(_) | Step::BadListeners(_) | Step::Nothing => News::Nothing,
        };
        Read { exchange, reply, news }
    });
    match reading.await {
        Ok(read) => read,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it this task.
            Err(_) => std::future::pending().await,
        },
    }
}

fn change(old: Option<&Table>, new: &Table) -> Option<Change> {
    let Some(old) = old else { return Some(new.replacement()) };
    let changes = new.changes_since(old);
    (!changes.is_empty()).then_some(Change::Batch(changes))
}

/// Logs the defects that the last table did not have.
fn tell(known: &[Defect], defects: &[Defect]) {
    let known: BTreeSet<&Defect> = known.iter().collect();
    let new: Vec<&Defect> = defects.iter().filter(|defect| !known.contains(defect)).collect();
    for defect in new.iter().take(TOLD_DEFECTS) {
        tracing::warn!(source = "istiod", %defect, "name table used in part");
    }
    if new.len() > TOLD_DEFECTS {
        let more = new.len() - TOLD_DEFECTS;
        tracing::warn!(source = "istiod", more, "name table used in part, with more defects like these");
    }
}
