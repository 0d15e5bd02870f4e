//! Looking up alias targets that lie outside our zones.
//!
//! Rules: at most 2 seconds in all, because CoreDNS waits 5 for everything; at most 256 lookups at once, beyond that
//! one fails at once; equal lookups under way are one (`flight`), which is also what ends a loop: an upstream that
//! asks us back joins the lookup it is part of, and both end when the time is up. Nobody waits: it is cancelled.
//! Nothing is kept afterwards; caching is CoreDNS's business.

mod exchange;
mod flight;
mod servers;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

pub use servers::Upstreams;

use crate::telemetry::metrics::{ChaseOutcome, Metrics};
use crate::wire::{Chase, ChaseKey};
use exchange::{Exchange, Reply};
use flight::{Answer, Flight};
use servers::Servers;

/// How often the list of upstreams is gone through.
const ROUNDS: usize = 3;

/// How long and how much.
#[derive(Clone, Copy, Debug)]
pub struct ChaseLimits {
    /// For one lookup, whatever happens.
    pub total: Duration,
    /// For one try of one upstream.
    pub attempt: Duration,
    /// Lookups at once.
    pub at_once: usize,
}

impl Default for ChaseLimits {
    fn default() -> Self {
        Self { total: Duration::from_secs(2), attempt: Duration::from_millis(500), at_once: 256 }
    }
}

/// Looks names up at upstreams; one for all workers.
#[derive(Debug)]
pub struct Chaser {
    servers: Servers,
    limits: ChaseLimits,
    slots: Arc<Semaphore>,
    flights: Mutex<HashMap<ChaseKey, (u64, Weak<Flight>)>>,
    /// Numbers flights; also what message ids are drawn from.
    counter: AtomicU64,
    /// Keyed by the system's random numbers: ids cannot be guessed from earlier ones.
    ids: RandomState,
    outcomes: Outcomes,
}

#[derive(Debug)]
struct Outcomes {
    answered: prometheus_client::metrics::counter::Counter,
    failed: prometheus_client::metrics::counter::Counter,
    timed_out: prometheus_client::metrics::counter::Counter,
    refused: prometheus_client::metrics::counter::Counter,
}

impl Chaser {
    /// Nothing is asked yet.
    pub fn new(upstreams: Upstreams, limits: ChaseLimits, metrics: &Metrics) -> Arc<Self> {
        let outcomes = Outcomes {
            answered: metrics.chases(ChaseOutcome::Answered),
            failed: metrics.chases(ChaseOutcome::Failed),
            timed_out: metrics.chases(ChaseOutcome::TimedOut),
            refused: metrics.chases(ChaseOutcome::Refused),
        };
        Arc::new(Self {
            servers: Servers::new(upstreams),
            limits,
            slots: Arc::new(Semaphore::new(limits.at_once)),
            flights: Mutex::default(),
            counter: AtomicU64::new(0),
            ids: RandomState::new(),
            outcomes,
        })
    }

    /// The upstream's message; `None` when there is none that can be used. Drop the future to stop waiting.
    pub async fn look_up(self: &Arc<Self>, chase: &Chase) -> Option<Arc<[u8]>> {
        let flight = self.board(chase.key())?;
        flight.landed().await
    }

    /// The lookup of this key: the one that is under way, or a new one.
    fn board(self: &Arc<Self>, key: ChaseKey) -> Option<Arc<Flight>> {
        let mut flights = self.flights();
        if let Some(flight) = flights.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            return Some(flight);
        }
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            self.outcomes.refused.inc();
            return None;
        };
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let (landed, answer) = watch::channel(None);
        let task = tokio::spawn(Arc::clone(self).fly(key.clone(), number, slot, landed));
        let flight = Arc::new(Flight::new(self, key.clone(), number, answer, task.abort_handle()));
        flights.insert(key, (number, Arc::downgrade(&flight)));
        Some(flight)
    }

    /// One lookup, from the first packet to the last.
    async fn fly(
        self: Arc<Self>,
        key: ChaseKey,
        number: u64,
        slot: OwnedSemaphorePermit,
        landed: watch::Sender<Option<Answer>>,
    ) {
        let answer = timeout(self.limits.total, self.ask_around(&key)).await;
        match &answer {
            Ok(Some(_)) => self.outcomes.answered.inc(),
            Ok(None) => self.outcomes.failed.inc(),
            Err(_) => self.outcomes.timed_out.inc(),
        };
        self.forget(&key, number);
        drop(slot);
        landed.send_replace(Some(answer.ok().flatten()));
    }

    /// Goes through the upstreams, beginning with the one that answered last. One that says it cannot answer is not
    /// asked again; one that says nothing is.
    async fn ask_around(&self, key: &ChaseKey) -> Answer {
        let mut servers = self.servers.in_order();
        for _ in 0..ROUNDS {
            let mut silent = Vec::new();
            for server in servers {
                let exchange = Exchange { key, server, id: self.id() };
                match timeout(self.limits.attempt, exchange.run()).await {
                    Ok(Ok(Reply::Usable(packet))) => {
                        self.servers.prefer(server);
                        return Some(packet);
                    }
                    Ok(Ok(Reply::Unable)) => tracing::debug!(%server, "upstream cannot answer"),
                    Ok(Err(error)) => {
                        tracing::debug!(%server, %error, "upstream cannot be asked");
                        silent.push(server);
                    }
                    Err(_) => {
                        tracing::debug!(%server, "upstream is silent");
                        silent.push(server);
                    }
                }
            }
            servers = silent;
        }
        None
    }

    fn id(&self) -> u16 {
        let [low, high, ..] = self.ids.hash_one(self.counter.fetch_add(1, Ordering::Relaxed)).to_ne_bytes();
        u16::from_ne_bytes([low, high])
    }

    /// Takes a flight off the list, unless the place is another's already.
    fn forget(&self, key: &ChaseKey, number: u64) {
        let mut flights = self.flights();
        if flights.get(key).is_some_and(|(listed, _)| *listed == number) {
            flights.remove(key);
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<ChaseKey, (u64, Weak<Flight>)>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
