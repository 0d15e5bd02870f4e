//! The ledger that replicas share, in ConfigMaps: shards that each own a slice of every range.
//!
//! Rules: a host's row stands in one shard, by a hash of its key; whose an address is decides the shard of its slice. Nothing
//! counts before the API server has it, and a shard is only written in place of the version that was read. So replicas need no
//! leader and no common clock, and whatever stops in the middle leaves nothing that has to be repaired.
//!
//! `round` decides what is written, and has the reasons why no address gets two hosts; `view` says what shards mean.

mod begin;
mod follow;
mod health;
mod known;
mod layout;
mod object;
mod requests;
mod round;
mod settings;
mod shard;
mod text;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Store, StoreError};
use crate::allocate::{Claim, HostKey, Outcome, Row, Settled};
use crate::apiserver::{ApiError, ApiServer};
use crate::telemetry::metrics::{LedgerMetrics, ShardWrite};
use begin::{Found, Obstacle, begin};
pub use health::Health;
use known::Known;
use object::Stored;
use requests::Requests;
use round::{Pending, plan};
pub use settings::{ConfigMapSettings, Verb};
use shard::Shard;

/// How long a batch may wait for what other writers do.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it looks.
const PACE: Duration = Duration::from_millis(100);
/// How long a permission that is missing is not tried again.
const DENIED: Duration = Duration::from_secs(5);

/// A ledger in ConfigMaps.
pub struct ConfigMapStore {
    settings: ConfigMapSettings,
    metrics: LedgerMetrics,
    shared: Arc<Shared>,
    requests: Option<Requests>,
    followers: Vec<Follower>,
    /// Since when which permission to write is missing.
    denied: Option<(Verb, Instant)>,
    /// Whether all that has to be there before the first address is given is there.
    begun: bool,
}

/// What the tasks of a store have in common.
struct Shared {
    known: Mutex<Known>,
    heard: Notify,
    health: watch::Sender<Health>,
}

/// A task that ends with its owner.
struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes news in.
    fn hear(&self, news: impl FnOnce(&mut Known)) {
        let mut known = self.known();
        news(&mut known);
        let unusable = known.unusable_shards();
        drop(known);
        self.health(|health| health.unusable = unusable);
        self.heard.notify_one();
    }

    /// We may not do this.
    fn lacks(&self, verb: Verb) {
        self.health(|health| {
            health.missing.insert(verb);
        });
    }

    fn health(&self, change: impl FnOnce(&mut Health)) {
        self.health.send_if_modified(|health| {
            let before = health.clone();
            change(health);
            *health != before
        });
    }
}

/// How the write of a shard ended.
enum Written {
    Stored,
    /// Somebody else was first.
    Conflict,
    Denied(Verb),
    Failed(ApiError),
}

impl ConfigMapStore {
    /// Nothing is asked before it is loaded.
    pub fn new(settings: ConfigMapSettings, metrics: LedgerMetrics) -> Self {
        let layout = layout::Layout::new(crate::allocate::Slices::new(settings.shards), Vec::new());
        let shared = Shared {
            known: Mutex::new(Known::new(&settings, layout)),
            heard: Notify::new(),
            health: watch::Sender::default(),
        };
        let shared = Arc::new(shared);
        Self { settings, metrics, shared, requests: None, followers: Vec::new(), denied: None, begun: false }
    }

    /// What stands in its way, now and whenever that changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.shared.health.subscribe()
    }

    fn failed(&self, what: &dyn Display) -> StoreError {
        StoreError::Shared { ledger: self.settings.to_string(), what: what.to_string() }
    }

    async fn connect(&mut self) -> Result<Requests, StoreError> {
        if let Some(requests) = &self.requests {
            return Ok(requests.clone());
        }
        let server = ApiServer::find(&self.settings.api).await.map_err(|error| self.failed(&error))?;
        let requests = Requests::new(server, &self.settings);
        self.requests = Some(requests.clone());
        Ok(requests)
    }

    /// Reads all shards, and makes those that have to be made, as far as we may.
    async fn begin(&mut self, requests: &Requests) -> Result<Found, StoreError> {
        let found = begin(requests, &self.settings, true).await.map_err(|obstacle| match obstacle {
            Obstacle::Api(error) => self.failed(&error),
            Obstacle::Told(told) => self.failed(&told),
        })?;
        self.begun = found.denied.is_none();
        if let Some(verb) = found.denied {
            self.denied = Some((verb, Instant::now()));
            self.shared.lacks(verb);
        }
        Ok(found)
    }

    /// Writes shards, some at once, and takes in what they are then.
    async fn write(
        &mut self,
        requests: &Requests,
        drafts: BTreeMap<usize, Shard>,
    ) -> BTreeMap<usize, Written> {
        let mut objects = Vec::new();
        let numbers: Vec<usize> = drafts.keys().copied().collect();
        {
            let known = self.shared.known();
            let (name, shards) = (&self.settings.name, self.settings.shards.get());
            for (number, shard) in &drafts {
                objects.push(object::write(name, *number, shards, shard, known.version(*number)));
            }
        }
        let writes = objects.into_iter().zip(numbers.iter().copied()).collect();
        let done = requests.each(writes, |requests, (object, number)| async move {
            let creates = object.metadata.resource_version.is_none();
            let written = requests.put(&object).await;
            let now = match written {
                Err(ApiError::Conflict(_) | ApiError::NotFound(_)) => Some(requests.now(number).await),
                _ => None,
            };
            (creates, written, now)
        });
        let mut ends: BTreeMap<usize, Written> = BTreeMap::new();
        let mut drafts = drafts;
        for (place, (creates, written, now)) in done.await {
            let number = numbers[place];
            let end = match (written, now) {
                (Ok(object), _) => {
                    let version = object.metadata.resource_version.unwrap_or_default();
                    if let Some(shard) = drafts.remove(&number) {
                        let stored = Stored { version, content: Ok(shard) };
                        self.shared.hear(|known| known.wrote(number, stored));
                    }
                    Written::Stored
                }
                (Err(ApiError::Forbidden { .. }), _) => {
                    Written::Denied(if creates { Verb::Create } else { Verb::Update })
                }
                (Err(_), Some(Ok(now))) => {
                    self.shared.hear(|known| match &now {
                        Some(object) => known.hear(number, object),
                        None => known.missing(number),
                    });
                    Written::Conflict
                }
                (Err(_), Some(Err(error))) | (Err(error), None) => Written::Failed(error),
            };
            self.metrics.wrote(match end {
                Written::Stored => ShardWrite::Stored,
                Written::Conflict => ShardWrite::Conflict,
                Written::Denied(_) | Written::Failed(_) => ShardWrite::Failed,
            });
            ends.insert(number, end);
        }
        ends
    }

    /// Why nothing can be written now, if that is so.
    fn denied_now(&self) -> Option<Verb> {
        self.denied.filter(|(_, since)| since.elapsed() < DENIED).map(|(verb, _)| verb)
    }

    fn put_off(&self, verb: Verb) -> Arc<str> {
        let rule = verb.rule(&self.settings.namespace);
        format!("we may not {} {}; this rule is missing: {rule}", verb.as_str(), self.settings).into()
    }

    async fn settle(&mut self, requests: &Requests, claims: &[Claim]) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; claims.len()];
        let mut pending = Pending::all(claims);
        let begin = Instant::now();
        while !pending.is_empty() {
            let round = {
                let view = self.shared.known().view.clone();
                plan(&view, pending, &|owner, address, ticket| {
                    self.shared.known().is_stale(owner, address, ticket)
                })
            };
            let idle = round.drafts.is_empty() && round.settled.is_empty();
            for (place, outcome) in round.settled {
                outcomes[place] = Some(outcome);
            }
            let mut denied = self.denied_now();
            let mut failed = BTreeSet::new();
            if denied.is_some() {
                failed.extend(round.drafts.keys().copied());
            } else {
                for (number, end) in self.write(requests, round.drafts).await {
                    match end {
                        Written::Stored => continue,
                        Written::Conflict => {}
                        Written::Denied(verb) => {
                            denied = Some(verb);
                            self.denied = Some((verb, Instant::now()));
                            self.shared.lacks(verb);
                        }
                        Written::Failed(error) => {
                            let (name, what) = (self.settings.to_string(), error.to_string());
                            return Err(StoreError::Commit { name, what });
                        }
                    }
                    failed.insert(number);
                }
            }
            pending = Vec::new();
            for (mut one, shards) in round.pending {
                if shards.is_disjoint(&failed) {
                    one.advance();
                } else {
                    one.stay();
                }
                pending.push(one);
            }
            let give_up = match denied {
                Some(verb) => Some(self.put_off(verb)),
                None if begin.elapsed() > PATIENCE => Some("other replicas hold it up".into()),
                None => None,
            };
            if let Some(reason) = give_up {
                for one in pending.drain(..) {
                    outcomes[one.place] = Some(Outcome::Deferred(Arc::clone(&reason)));
                }
            }
            if idle && !pending.is_empty() {
                sleep(PACE).await;
                for number in round.awaited {
                    let now = requests.now(number).await.map_err(|error| self.failed(&error))?;
                    self.shared.hear(|known| match &now {
                        Some(object) => known.hear(number, object),
                        None => known.missing(number),
                    });
                }
            }
        }
        Ok(outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or(Outcome::Deferred("nothing".into())))
            .collect())
    }
}

impl Store for ConfigMapStore {
    fn slices(&self) -> NonZeroU32 {
        self.settings.shards
    }

    async fn load(&mut self) -> Result<Vec<(HostKey, Row)>, StoreError> {
        self.followers.clear();
        let requests = self.connect().await?;
        let missing = requests.missing().await.map_err(|error| self.failed(&error))?;
        self.shared.health(|health| health.missing = missing.into_iter().collect());
        let Found { objects, version, layout, .. } = self.begin(&requests).await?;
        *self.shared.known() = Known::new(&self.settings, layout);
        if !objects.is_empty() {
            self.shared.hear(|known| known.hear_all(&objects, 0));
        }
        let follow = follow::follow(requests.clone(), Arc::clone(&self.shared), version);
        let review = follow::review(requests, Arc::clone(&self.shared));
        self.followers = vec![Follower(tokio::spawn(follow)), Follower(tokio::spawn(review))];
        Ok(self.shared.known().tell_all())
    }

    async fn commit(&mut self, claims: Arc<[Claim]>) -> Result<Vec<Outcome>, StoreError> {
        let requests = self.connect().await?;
        if !self.begun && self.denied_now().is_none() {
            let asked = self.shared.known().now();
            let Found { objects, layout, .. } = self.begin(&requests).await?;
            self.shared.hear(|known| known.hear_begun(&layout, &objects, asked));
        }
        let outcomes = self.settle(&requests, &claims).await?;
        self.shared.known().tell(&claims, &outcomes);
        Ok(outcomes)
    }

    async fn changes(&mut self) -> Vec<Settled> {
        loop {
            let news = self.shared.known().tell_news();
            if !news.is_empty() {
                return news;
            }
            self.shared.heard.notified().await;
        }
    }
}

/// What a look at the ConfigMaps of replicas found.
#[derive(Debug, Default)]
pub struct RememberedInMaps {
    /// The rows of all shards that can be used.
    pub rows: Vec<(HostKey, Row)>,
    /// Why others cannot.
    pub unusable: Vec<Arc<str>>,
}

/// What ConfigMaps have, without changing them.
pub async fn remembered_in(settings: &ConfigMapSettings) -> Result<RememberedInMaps, StoreError> {
    let failed = |what: String| StoreError::Shared { ledger: settings.to_string(), what };
    let server = ApiServer::find(&settings.api).await.map_err(|error| failed(error.to_string()))?;
    let found = begin(&Requests::new(server, settings), settings, false).await;
    let Found { objects, layout, .. } = found.map_err(|obstacle| match obstacle {
        Obstacle::Api(error) => failed(error.to_string()),
        Obstacle::Told(told) => failed(told),
    })?;
    if objects.is_empty() {
        return Ok(RememberedInMaps::default());
    }
    let mut known = Known::new(settings, layout);
    known.hear_all(&objects, 0);
    Ok(RememberedInMaps { rows: known.tell_all(), unusable: known.unusable_shards() })
}

#[cfg(test)]
mod tests;
