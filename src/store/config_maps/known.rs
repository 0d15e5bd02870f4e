//! What is known of the shards, and what of it the allocator was told.
//!
//! News come from our own writes, from reading a shard after a conflict, from lists and from the watch, in any order.
//! Versions are compared as the numbers that they are (Kubernetes KEP-5504); after a restore of the API server they may
//! go back, which a list finds out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;

use super::layout::Layout;
use super::object::{self, Refused, Stored};
use super::settings::ConfigMapSettings;
use super::view::{Slot, View};
use crate::allocate::{Claim, HostKey, Outcome, Row, Settled};

/// How long a reservation may be open before its writer counts as gone.
const OPEN: Duration = Duration::from_secs(2);

/// The shards, as far as is known.
#[derive(Debug)]
pub(super) struct Known {
    settings: ConfigMapSettings,
    pub(super) view: View,
    /// The version of each; none: it does not exist.
    versions: Vec<Option<String>>,
    /// When each was heard of last, by `clock`.
    heard: Vec<u64>,
    clock: u64,
    /// Shards that may differ from what was told.
    news: BTreeSet<usize>,
    /// What the allocator was told, by home.
    told: Vec<BTreeMap<Arc<HostKey>, Row>>,
    /// Reservations that were seen open, and since when.
    open: HashMap<(usize, IpAddr, u64), Instant>,
}

impl Known {
    /// Nothing is known.
    pub(super) fn new(settings: &ConfigMapSettings, layout: Layout) -> Self {
        let count = layout.shards();
        let slots = vec![Slot::Unusable("the ledger was not begun yet".into()); count];
        Self {
            settings: settings.clone(),
            view: View { layout, slots },
            versions: vec![None; count],
            heard: vec![0; count],
            clock: 0,
            news: BTreeSet::new(),
            told: vec![BTreeMap::new(); count],
            open: HashMap::new(),
        }
    }

    /// A moment that later news are compared with.
    pub(super) fn now(&self) -> u64 {
        self.clock
    }

    /// The version that a write of a shard replaces; none: it creates it.
    pub(super) fn version(&self, number: usize) -> Option<&str> {
        self.versions[number].as_deref()
    }

    /// A shard is this now, or was lately.
    pub(super) fn hear(&mut self, number: usize, object: &ConfigMap) {
        let stored = object::read(object, self.settings.shards.get());
        if self.is_news(number, &stored.version) {
            self.take(number, stored);
        }
    }

    fn is_news(&self, number: usize, version: &str) -> bool {
        let known = self.versions[number].as_deref().map(str::parse::<u64>);
        match (known, version.parse::<u64>()) {
            (Some(Ok(known)), Ok(version)) => version > known,
            _ => true,
        }
    }

    /// A shard was written by us and is this now.
    pub(super) fn wrote(&mut self, number: usize, stored: Stored) {
        if self.is_news(number, &stored.version) {
            self.take(number, stored);
        }
    }

    fn take(&mut self, number: usize, stored: Stored) {
        let slot = match stored.content {
            Ok(shard) => match self.view.layout.add(&shard.ranges) {
                Ok(()) => Slot::Good(Arc::new(shard)),
                Err(told) => self.unusable(number, &told),
            },
            Err(Refused::Damaged(told)) => self.unusable(
                number,
                &format!("{told}; nothing is written to it: restore it, or annotate it with meshdns.io/begin-anew=yes"),
            ),
            Err(Refused::Foreign(told)) => self.unusable(number, &told),
        };
        self.put(number, slot, Some(stored.version));
    }

    /// A shard was deleted, after it was this.
    pub(super) fn hear_deleted(&mut self, number: usize, object: &ConfigMap) {
        let version = object.metadata.resource_version.as_deref().unwrap_or_default();
        if self.versions[number].is_some() && self.is_news(number, version) {
            self.missing(number);
        }
    }

    /// A shard does not exist any more.
    pub(super) fn missing(&mut self, number: usize) {
        let slot = self.unusable(
            number,
            "it was deleted; restore it, or create it empty with the label of the others and the annotation \
             meshdns.io/begin-anew=yes",
        );
        self.put(number, slot, None);
    }

    fn unusable(&self, number: usize, why: &str) -> Slot {
        let ConfigMapSettings { namespace, name, .. } = &self.settings;
        Slot::Unusable(format!("ConfigMap {namespace}/{name}-{number}: {why}").into())
    }

    fn put(&mut self, number: usize, slot: Slot, version: Option<String>) {
        self.clock += 1;
        self.view.slots[number] = slot;
        self.versions[number] = version;
        self.heard[number] = self.clock;
        self.news.insert(number);
        self.view.restore();
    }

    /// Everything is this, by a list that was asked for at `asked`.
    pub(super) fn hear_all(&mut self, objects: &[ConfigMap], asked: u64) {
        let ConfigMapSettings { name, shards, .. } = self.settings.clone();
        let mut found = BTreeSet::new();
        for object in objects {
            let Some(number) = object::number(object, &name, shards.get()) else { continue };
            found.insert(number);
            let stored = object::read(object, shards.get());
            let same = self.versions[number].as_deref() == Some(&*stored.version);
            // What was heard in the meantime may be newer than the list.
            if !same && (self.heard[number] <= asked || self.is_news(number, &stored.version)) {
                self.take(number, stored);
            }
        }
        for number in (0..self.versions.len()).filter(|number| !found.contains(number)) {
            let known = self.versions[number].is_some() || self.heard[number] == 0;
            if known && self.heard[number] <= asked {
                self.missing(number);
            }
        }
    }

    /// The same after a ledger was begun or got further ranges.
    pub(super) fn hear_begun(&mut self, layout: &Layout, objects: &[ConfigMap], asked: u64) {
        // It was made of all ranges that are known, so it fits.
        if self.view.layout.add(layout.ranges()).is_ok() && !objects.is_empty() {
            self.hear_all(objects, asked);
        }
    }

    /// Whether a reservation has been open for so long that its writer must be gone.
    pub(super) fn is_stale(&mut self, owner: usize, address: IpAddr, ticket: u64) -> bool {
        let now = Instant::now();
        self.open.retain(|_, since| now - *since < OPEN * 30);
        now - *self.open.entry((owner, address, ticket)).or_insert(now) >= OPEN
    }

    /// Why shards cannot be used.
    pub(super) fn unusable_shards(&self) -> Vec<Arc<str>> {
        (0..self.view.slots.len()).filter_map(|number| self.view.shard(number).err().cloned()).collect()
    }

    /// Everything, which the allocator is told with that.
    pub(super) fn tell_all(&mut self) -> Vec<(HostKey, Row)> {
        self.news.clear();
        self.told.iter_mut().for_each(BTreeMap::clear);
        let rows: Vec<_> = self.view.rows().collect();
        for (key, row) in &rows {
            self.told[self.view.layout.home(key)].insert(Arc::clone(key), *row);
        }
        rows.into_iter().map(|(key, row)| (HostKey::clone(&key), row)).collect()
    }

    /// What the allocator is told with the outcome of claims.
    pub(super) fn tell(&mut self, claims: &[Claim], outcomes: &[Outcome]) {
        for (claim, outcome) in claims.iter().zip(outcomes) {
            match outcome {
                Outcome::Stored => self.set_told(&claim.key, claim.row),
                Outcome::Holds(row) => self.set_told(&claim.key, *row),
                Outcome::Taken(holder, row) => self.set_told(holder, Some(*row)),
                Outcome::Deferred(_) => {}
            }
        }
    }

    fn set_told(&mut self, key: &Arc<HostKey>, row: Option<Row>) {
        let told = &mut self.told[self.view.layout.home(key)];
        match row {
            Some(row) => told.insert(Arc::clone(key), row),
            None => told.remove(key),
        };
    }

    /// What the allocator does not know yet; it is told with that.
    pub(super) fn tell_news(&mut self) -> Vec<Settled> {
        let mut changed: BTreeMap<Arc<HostKey>, Option<Row>> = BTreeMap::new();
        for number in std::mem::take(&mut self.news) {
            let Ok(shard) = self.view.shard(number) else { continue };
            let reserved = shard.reserved.values().map(|reservation| &reservation.key);
            for key in shard.rows().keys().chain(self.told[number].keys()).chain(reserved) {
                let home = self.view.layout.home(key);
                let Ok(home_shard) = self.view.shard(home) else { continue };
                let row = self.view.row_in(home_shard, key);
                if row.as_ref() != self.told[home].get(key) {
                    changed.insert(Arc::clone(key), row);
                }
            }
        }
        // What comes free goes first: another host may have it now.
        let (gone, there): (Vec<_>, Vec<_>) = changed.into_iter().partition(|(_, row)| row.is_none());
        let mut news = Vec::new();
        for (key, row) in gone.into_iter().chain(there) {
            self.set_told(&key, row);
            let claim = Claim { key, was: None, row: None };
            news.push(Settled { claim, outcome: Outcome::Holds(row) });
        }
        news
    }
}
