//! The one writer: folds changes into the inventory and publishes the units they touch.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::allocate::ledger::{Listing, Notice, Stats};
use crate::allocate::{Allocator, Claim, NoAllocator, Outcome, Settled};
use crate::catalog::{Catalog, compile};
use crate::inventory::{Inventory, UnitKey};
use crate::model::Change;

/// Owns the inventory; the only one that publishes to its catalog.
pub struct Keeper {
    inventory: Inventory,
    allocator: Box<dyn Allocator>,
    catalog: Arc<Catalog>,
}

impl Keeper {
    /// Starts with nothing known, and nothing that gives addresses to hosts.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self::with_allocator(catalog, Box::new(NoAllocator))
    }

    /// Starts with nothing known.
    pub fn with_allocator(catalog: Arc<Catalog>, allocator: Box<dyn Allocator>) -> Self {
        Self { inventory: Inventory::default(), allocator, catalog }
    }

    /// Takes one change of one source in; when it returns, every reader sees it. Says how many units it touched.
    pub fn apply(&mut self, source: u8, change: Change) -> usize {
        self.apply_all([(source, change)])
    }

    /// Takes changes in, in their order; units that several of them touch are compiled once.
    pub fn apply_all(&mut self, changes: impl IntoIterator<Item = (u8, Change)>) -> usize {
        let mut touched = BTreeSet::new();
        for (source, change) in changes {
            touched.append(&mut self.inventory.apply(source, change));
        }
        touched.append(&mut self.allocator.update(&self.inventory, &touched));
        self.publish(&touched);
        touched.len()
    }

    /// Tells the allocator what time it is, in Unix seconds.
    pub fn tell_time(&mut self, now: u64) {
        let moved = self.allocator.tell_time(now);
        self.publish(&moved);
    }

    /// Tells the allocator that every source has said everything.
    pub fn settle(&mut self) {
        let moved = self.allocator.settle();
        self.publish(&moved);
    }

    /// What has to be stored before its addresses are published; each claim is handed out once.
    pub fn claims(&mut self) -> Vec<Claim> {
        self.allocator.claims()
    }

    /// What became of claims: when it returns, every reader sees the addresses that are stored.
    pub fn stored(&mut self, settled: Vec<Settled>) {
        let moved = self.allocator.stored(settled);
        self.publish(&moved);
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

    fn publish(&self, touched: &BTreeSet<UnitKey>) {
        for key in touched {
            let unit = compile(&self.inventory, &*self.allocator, key, &self.catalog.policy.compile);
            self.catalog.publish(key.clone(), unit);
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

/// Applies updates until every source is gone. The observer is told when what they say is answered.
///
/// What the allocator claims is handed to the journal, one batch while the next one grows; nothing here waits for a disk.
#[cfg(feature = "server")]
pub async fn keep(
    mut updates: tokio::sync::mpsc::Receiver<crate::source::Update>,
    mut keeper: Keeper,
    mut journal: crate::store::Journal,
    mut observer: impl Observer,
) {
    use crate::store::Event;

    let (mut waiting, mut complete, mut moments) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        journal.begin(&mut keeper);
        if journal.is_idle() {
            moments.drain(..).for_each(|moment| observer.published(moment));
            complete.drain(..).for_each(|source| observer.listed(source));
        }
        tokio::select! {
            count = updates.recv_many(&mut waiting, TOGETHER) => {
                if count == 0 {
                    return;
                }
                journal.tell_time(&mut keeper);
                let sources: Vec<_> = waiting.iter().filter(|update| update.complete).map(|u| u.source).collect();
                waiting.iter_mut().for_each(|update| moments.append(&mut update.moments));
                let changes = waiting.drain(..).map(|update| (update.source.0, update.change));
                let units = keeper.apply_all(changes);
                tracing::debug!(updates = count, units, "published");
                for source in sources {
                    journal.listed(&mut keeper, source);
                    complete.push(source);
                }
            }
            event = journal.next() => match event {
                Event::Settled(settled) => keeper.stored(settled),
                Event::Passed => {
                    journal.tell_time(&mut keeper);
                    // A store that fails holds up addresses, not answers.
                    moments.clear();
                    complete.drain(..).for_each(|source| observer.listed(source));
                }
                Event::Asked(asked) => {
                    // Who asked may be gone.
                    let _ = asked.send(keeper.listing());
                }
            },
        }
    }
}
