//! The one writer: folds changes into the inventory and publishes the units they touch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::allocate::ledger::{Listing, Notice, Stats};
use crate::allocate::{Allocator, Claim, NoAllocator, Outcome, Settled};
use crate::catalog::{Catalog, Seen, TtlPolicy, compile};
use crate::inventory::{Inventory, UnitKey};
use crate::model::{Change, Defect, Key, Object, Ttl};

/// Owns the inventory; the only one that publishes to its catalog.
pub struct Keeper {
    inventory: Inventory,
    allocator: Box<dyn Allocator>,
    catalog: Arc<Catalog>,
    /// How many changes each source has sent.
    revisions: BTreeMap<u8, u64>,
    /// Sources that have said how things stood: what they say now happens now.
    listed: BTreeSet<u8>,
}

/// Some of the objects of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects, in the order of their keys.
    pub objects: Vec<Object>,
    /// How many changes of the source were taken in before. What is seen at two equal revisions is equal.
    pub revision: u64,
}

/// TTLs ask for labels of objects, which are dropped because nothing asked for them before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "ttl.rules: labels of objects are not kept, because no setting asked for them at the start: restart to use `selector`"
)]
pub struct NoLabels;

impl Keeper {
    /// Starts with nothing known, and nothing that gives addresses to hosts.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self::with_allocator(catalog, Box::new(NoAllocator))
    }

    /// Starts with nothing known.
    pub fn with_allocator(catalog: Arc<Catalog>, allocator: Box<dyn Allocator>) -> Self {
        let inventory = Inventory::keeping(catalog.policy.fields());
        Self { inventory, allocator, catalog, revisions: BTreeMap::new(), listed: BTreeSet::new() }
    }

    /// Takes one change of one source in; when it returns, every reader sees it. Says how many units it touched.
    pub fn apply(&mut self, source: u8, change: Change) -> usize {
        self.apply_all([(source, change)])
    }

    /// Takes changes in, in their order; units that several of them touch are compiled once.
    pub fn apply_all(&mut self, changes: impl IntoIterator<Item = (u8, Change)>) -> usize {
        let (mut touched, mut seen) = (BTreeSet::new(), Seen::Live);
        for (source, change) in changes {
            if !self.listed.contains(&source) {
                seen = Seen::AtFirst;
            }
            *self.revisions.entry(source).or_default() += 1;
            touched.append(&mut self.inventory.apply(source, change));
        }
        touched.append(&mut self.allocator.update(&self.inventory, &touched));
        self.publish(&touched, seen);
        touched.len()
    }

    /// A source has said how things stand: what it says from now on happens then.
    pub fn listed(&mut self, source: u8) {
        self.listed.insert(source);
    }

    /// Tells the allocator what time it is, in Unix seconds.
    pub fn tell_time(&mut self, now: u64) {
        let moved = self.allocator.tell_time(now);
        self.publish(&moved, Seen::Live);
    }

    /// Tells the allocator that every source has said everything.
    pub fn settle(&mut self) {
        let moved = self.allocator.settle();
        self.publish(&moved, Seen::Live);
    }

    /// Puts other TTLs in force; when it returns, every reader sees them. Refused when they ask for labels that were not kept.
    pub fn replace_ttls(&mut self, policy: TtlPolicy) -> Result<(), NoLabels> {
        if policy.asks_for_labels() && !self.inventory.keeps_labels() {
            return Err(NoLabels);
        }
        let ttls = &self.catalog.policy.ttl;
        if ttls.replace(policy) {
            self.publish(&self.inventory.units(), Seen::Live);
            ttls.settle();
        }
        Ok(())
    }

    /// Annotations that ask for a TTL out of bounds, which count as left out.
    pub fn refused_ttls(&self) -> Vec<Defect> {
        let ttls = self.catalog.policy.ttl.load();
        let Some(bounds) = ttls.current().annotations else { return Vec::new() };
        let refused = self.inventory.with_ttl().filter(|(_, ttl)| !bounds.contains(*ttl));
        let defect = |(key, ttl): (Key, Ttl)| {
            let (ttl, min, max) = (ttl.seconds(), bounds.min.seconds(), bounds.max.seconds());
            let message = format!("{ttl} is outside ttl.annotations: seconds from {min} to {max}");
            let field = format!("metadata.annotations[{}]", Ttl::ANNOTATION);
            Defect { object: Some(key), ..Defect::of_field(field, message) }
        };
        refused.map(defect).collect()
    }

    /// What has to be stored before its addresses are published; each claim is handed out once.
    pub fn claims(&mut self) -> Vec<Claim> {
        self.allocator.claims()
    }

    /// What became of claims: when it returns, every reader sees the addresses that are stored.
    pub fn stored(&mut self, settled: Vec<Settled>) {
        let moved = self.allocator.stored(settled);
        self.publish(&moved, Seen::Live);
    }

    /// Takes every claim as stored: for those who only look.
    pub fn store_nowhere(&mut self) {
        let settled = |claim| Settled { claim, outcome: Outcome::Stored };
        let claims = self.claims();
        self.stored(claims.into_iter().map(settled).collect());
    }

    /// What happened to addresses that people should know.
    pub fn notices(&mut self) -> Vec<Notice> {
        self.allocator.notices()
    }

    /// Counts of an allocator that remembers.
    pub fn stats(&self) -> Option<Stats> {
        self.allocator.stats()
    }

    /// Everything that the allocator remembers.
    pub fn listing(&self) -> Listing {
        self.allocator.listing()
    }

    /// The next objects of a source behind a key, at most `count`.
    pub fn page(&self, source: u8, after: Option<&Key>, count: usize) -> Page {
        let revision = self.revisions.get(&source).copied().unwrap_or_default();
        Page { objects: self.inventory.page(source, after, count), revision }
    }

    fn publish(&self, touched: &BTreeSet<UnitKey>, seen: Seen) {
        for key in touched {
            let unit = compile(&self.inventory, &*self.allocator, key, &self.catalog.policy);
            self.catalog.publish(key.clone(), unit, seen);
        }
    }

    /// What is known.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }
}

/// So many updates that wait for the keeper are taken in together: under load a unit that changes again and again is
/// compiled when there is time for it.
#[cfg(feature = "server")]
const TOGETHER: usize = 64;

/// Who is told what the keeper has done.
#[cfg(feature = "server")]
pub trait Observer: Send {
    /// Everything that a source knows is answered.
    fn listed(&mut self, source: crate::source::SourceId);

    /// What changed then is answered.
    fn published(&mut self, moment: crate::source::Moment);
}

#[cfg(feature = "server")]
impl<F: FnMut(crate::source::SourceId) + Send> Observer for F {
    fn listed(&mut self, source: crate::source::SourceId) {
        self(source);
    }

    fn published(&mut self, _: crate::source::Moment) {}
}

/// Something that others ask the keeper. Who asked may be gone when it answers.
#[cfg(feature = "server")]
#[derive(Debug)]
pub enum Question {
    /// To put other TTLs in force.
    Ttls(TtlPolicy, tokio::sync::oneshot::Sender<Result<(), NoLabels>>),
    /// Annotations that ask for a TTL out of bounds.
    RefusedTtls(tokio::sync::oneshot::Sender<Vec<Defect>>),
    /// Everything that the ledger has.
    Ledger(tokio::sync::oneshot::Sender<Listing>),
    /// The next objects of a source behind a key. Updates wait while they are copied, so ask for few.
    Page {
        /// The source.
        source: crate::source::SourceId,
        /// The last key that is known; none to begin.
        after: Option<Key>,
        /// How many objects to give at most.
        count: usize,
        /// Where they go.
        answer: tokio::sync::oneshot::Sender<Page>,
    },
}

/// Asks the keeper.
#[cfg(feature = "server")]
pub type Questions = tokio::sync::mpsc::Sender<Question>;

/// What comes in for the keeper.
#[cfg(feature = "server")]
#[derive(Debug)]
pub struct Inbox {
    /// What the sources say.
    pub updates: tokio::sync::mpsc::Receiver<crate::source::Update>,
    /// What it is asked.
    pub questions: tokio::sync::mpsc::Receiver<Question>,
}

#[cfg(feature = "server")]
impl Inbox {
    /// Questions that wait for the keeper.
    const WAITING_QUESTIONS: usize = 16;

    /// One that takes these updates, and how to ask.
    pub fn new(updates: tokio::sync::mpsc::Receiver<crate::source::Update>) -> (Self, Questions) {
        let (ask, questions) = tokio::sync::mpsc::channel(Self::WAITING_QUESTIONS);
        (Self { updates, questions }, ask)
    }
}

#[cfg(feature = "server")]
impl Keeper {
    /// Takes updates in, all of them together.
    fn take(
        &mut self,
        updates: &mut Vec<crate::source::Update>,
        journal: &mut crate::store::Journal,
        untold: &mut Untold,
    ) {
        journal.tell_time(self);
        let count = updates.len();
        let complete: Vec<_> = updates.iter().filter(|update| update.complete).map(|u| u.source).collect();
        updates.iter_mut().for_each(|update| untold.moments.append(&mut update.moments));
        let units = self.apply_all(updates.drain(..).map(|update| (update.source.0, update.change)));
        tracing::debug!(updates = count, units, "published");
        for source in complete {
            self.listed(source.0);
            journal.listed(self, source);
            untold.complete.push(source);
        }
    }

    fn answer(&mut self, question: Question) {
        match question {
            Question::Ttls(policy, answer) => drop(answer.send(self.replace_ttls(policy))),
            Question::RefusedTtls(answer) => drop(answer.send(self.refused_ttls())),
            Question::Ledger(answer) => drop(answer.send(self.listing())),
            Question::Page { source, after, count, answer } => {
                drop(answer.send(self.page(source.0, after.as_ref(), count)));
            }
        }
    }
}

/// What the observer is still to be told.
#[cfg(feature = "server")]
#[derive(Default)]
struct Untold {
    complete: Vec<crate::source::SourceId>,
    moments: Vec<crate::source::Moment>,
}

/// Applies updates until every source is gone. The observer is told when what they say is answered.
///
/// An answer takes in everything that was sent before it was asked for.
///
/// What the allocator claims is handed to the journal, one batch while the next one grows; nothing here waits for a disk.
#[cfg(feature = "server")]
pub async fn keep(
    mut inbox: Inbox,
    mut keeper: Keeper,
    mut journal: crate::store::Journal,
    mut observer: impl Observer,
) {
    use crate::store::Event;

    let (mut waiting, mut untold) = (Vec::new(), Untold::default());
    loop {
        journal.begin(&mut keeper);
        if journal.is_idle() {
            untold.moments.drain(..).for_each(|moment| observer.published(moment));
            untold.complete.drain(..).for_each(|source| observer.listed(source));
        }
        tokio::select! {
            count = inbox.updates.recv_many(&mut waiting, TOGETHER) => {
                if count == 0 {
                    return;
                }
                keeper.take(&mut waiting, &mut journal, &mut untold);
            }
            event = journal.next() => match event {
                Event::Settled(settled) => keeper.stored(settled),
                Event::Passed => {
                    journal.tell_time(&mut keeper);
                    // A store that fails holds up addresses, not answers.
                    untold.moments.clear();
                    untold.complete.drain(..).for_each(|source| observer.listed(source));
                }
            },
            Some(question) = inbox.questions.recv() => {
                let sent = inbox.updates.len();
                waiting.extend(std::iter::from_fn(|| inbox.updates.try_recv().ok()).take(sent));
                keeper.take(&mut waiting, &mut journal, &mut untold);
                keeper.answer(question);
            }
        }
    }
}
