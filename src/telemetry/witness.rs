//! Which queries are told about, and how they get from the workers to who tells of them.
//!
//! Rules: a worker never waits and never writes a line. It decides with a few loads from memory, and what is told about goes into a
//! queue, which one task empties beside the workers; what does not fit is dropped and counted. What an answer rests on is
//! found out there too, by asking the catalog once more with a recorder, so it costs only the queries that are told about.

mod budget;
mod number;
mod policy;
mod recent;
mod told;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::dnstap::Tap;
use super::metrics::{Listener, Rcode, WitnessMetrics};
use super::query_log;
use super::spans::{Spans, TraceSettings};
use crate::answer::Facts;
use crate::catalog::Catalog;
use budget::Budget;
use policy::Policy;

pub use number::{Numbers, QueryId, QueryNumber};
pub(super) use policy::Share;
pub use policy::{Denials, QueryLogSettings};
pub use recent::Recent;
pub use told::Told;

/// Queries that wait to be told about; more are dropped.
const WAITING: usize = 1024;
/// How long one waits for others: being woken for each costs more than telling of it.
const GATHER: Duration = Duration::from_millis(10);

/// A query that its worker has just read.
#[derive(Clone, Copy, Debug)]
pub struct Begun<'a> {
    /// Where it came in.
    pub listener: Listener,
    /// From whom, if that is on a network.
    pub peer: Option<SocketAddr>,
    /// When it was read.
    pub started: Instant,
    /// What was read.
    pub packet: &'a [u8],
    /// Which one it is.
    pub number: QueryNumber,
}

/// A query that has ended, as its worker sees it.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// Where it came in.
    pub listener: Listener,
    /// From whom, if that is on a network.
    pub peer: Option<SocketAddr>,
    /// What the answer said of itself.
    pub facts: Facts,
    /// How it ended.
    pub rcode: Rcode,
    /// When it was read.
    pub started: Instant,
    /// How long it took.
    pub took: Duration,
    /// The reply, or the query where there is none: its question is read from it.
    pub message: &'a [u8],
    /// Which one it is.
    pub number: QueryNumber,
}

/// What becomes of a query; a success has records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Success,
    /// NXDOMAIN, or no records.
    Denial,
    Error,
}

/// The same, on its way to who tells of it.
#[derive(Debug)]
struct Seen {
    id: QueryId,
    listener: Listener,
    peer: Option<SocketAddr>,
    facts: Facts,
    rcode: Rcode,
    ended: SystemTime,
    took: Duration,
    message: Box<[u8]>,
    is_logged: bool,
    is_traced: bool,
}

/// Decides; one for all workers.
#[derive(Debug)]
pub struct Witness {
    policy: Policy,
    tap: Option<Tap>,
    errors: Budget,
    others: Budget,
    queue: mpsc::Sender<Seen>,
    began: Instant,
    metrics: WitnessMetrics,
}

/// Tells of what the workers saw.
#[derive(Debug)]
pub struct Teller {
    queue: mpsc::Receiver<Seen>,
    recent: Arc<Recent>,
    spans: Option<Spans>,
    metrics: WitnessMetrics,
}

impl Witness {
    /// With these settings of the query log and of traces, and with dnstap; none: they are off.
    pub fn new(
        log: Option<QueryLogSettings>,
        traces: Option<&TraceSettings>,
        tap: Option<Tap>,
        metrics: &WitnessMetrics,
    ) -> (Arc<Self>, Teller) {
        let (queue, waiting) = mpsc::channel(WAITING);
        let witness = Self {
            policy: Policy::tracing(traces),
            tap,
            errors: Budget::default(),
            others: Budget::default(),
            queue,
            began: Instant::now(),
            metrics: metrics.clone(),
        };
        witness.set_log(log);
        let teller = Teller { queue: waiting, recent: Arc::default(), spans: None, metrics: metrics.clone() };
        (Arc::new(witness), teller)
    }

    /// Changes what is logged from now on.
    pub fn set_log(&self, log: Option<QueryLogSettings>) {
        self.policy.set(log);
    }

    /// Sees to a query that was read.
    #[inline]
    pub fn begin(&self, query: &Begun<'_>) {
        if let Some(tap) = &self.tap {
            tap.begun(query);
        }
    }

    /// Sees to a query that has ended.
    #[inline]
    pub fn see(&self, query: &Ended<'_>) {
        if let Some(tap) = &self.tap {
            tap.ended(query);
        }
        let is_traced = self.policy.traces(query.number);
        if is_traced || self.policy.is_on() {
            self.look(query, is_traced);
        }
    }

    fn look(&self, query: &Ended<'_>, is_traced: bool) {
        let Some(fate) = Fate::of(query) else { return };
        let is_logged = self.is_logged(query, fate);
        if !is_logged && !is_traced {
            return;
        }
        let seen = Seen {
            id: query.number.id(),
            listener: query.listener,
            peer: query.peer,
            facts: query.facts,
            rcode: query.rcode,
            ended: SystemTime::now(),
            took: query.took,
            message: query.message.into(),
            is_logged,
            is_traced,
        };
        if self.queue.try_send(seen).is_err() {
            self.metrics.dropped();
        }
    }

    /// Whether there is to be a line, and room for it.
    fn is_logged(&self, query: &Ended<'_>, fate: Fate) -> bool {
        if !self.policy.is_on() || !self.policy.wants(fate, query.number) {
            return false;
        }
        let budget = if fate == Fate::Error { &self.errors } else { &self.others };
        let second = query.started.saturating_duration_since(self.began).as_secs();
        let has_room = budget.spend(second, self.policy.lines_per_second());
        if !has_room {
            self.metrics.suppressed();
        }
        has_room
    }
}

impl Fate {
    /// Of a query; none, if there was nothing to answer.
    fn of(query: &Ended<'_>) -> Option<Self> {
        Some(match query.rcode {
            Rcode::NoError if query.message.get(6..8).is_some_and(|count| count != [0, 0]) => Self::Success,
            Rcode::NoError | Rcode::NxDomain => Self::Denial,
            Rcode::FormErr
            | Rcode::ServFail
            | Rcode::NotImp
            | Rcode::Refused
            | Rcode::Other
            | Rcode::Status => Self::Error,
            Rcode::Dropped => return None,
        })
    }
}

impl Teller {
    /// The queries that were told about last.
    pub fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.recent)
    }

    /// Puts spans there.
    pub fn with_spans(mut self, spans: Spans) -> Self {
        self.spans = Some(spans);
        self
    }

    /// Tells, as long as there are workers.
    pub async fn tell(mut self, catalog: Arc<Catalog>) {
        let mut waiting = Vec::new();
        while self.queue.recv_many(&mut waiting, WAITING).await > 0 {
            for seen in waiting.drain(..) {
                let told = Told::of(&catalog, &seen);
                if seen.is_logged {
                    query_log::write(&told);
                    self.metrics.written();
                }
                if let Some(spans) = self.spans.as_ref().filter(|_| seen.is_traced) {
                    spans.put(&told);
                }
                self.recent.keep(&told);
            }
            sleep(GATHER).await;
        }
    }
}

#[cfg(test)]
mod tests;
