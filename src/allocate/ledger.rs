//! Addresses that we give ourselves, by the rules of Istio's status allocator, and remember.
//!
//! Rules (Istio `pilot/pkg/controllers/ipallocate/ipallocate.go`): the next address of each family upwards from a
//! pointer, which wraps once; nothing is skipped but the prefix's own address; addresses in `spec.addresses` and
//! `status.addresses` are respected. Where two entries want one address, a literal one wins, then the older entry, and
//! the others get new addresses for all their hosts.
//!
//! Unlike Istio: a host has one address per namespace, also when several entries name it; what a host had is kept for
//! it for some time after the last entry went, and not given to others before that unless nothing else is left; hosts
//! that got none are served as soon as there is one; a host that has an address keeps it whatever a status says later; and
//! a status that loses a conflict costs its entry no address that it already has.
//!
//! Equal events give equal ledgers: order within a batch never matters.

mod adopt;
mod assign;
mod conflict;
mod contest;
mod entries;
mod holding;
mod listing;
mod range;
mod space;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;

pub use conflict::{Conflict, Why};
pub use listing::{Listed, Listing, Notice, RangeStats, State, Stats};

use super::{Allocation, Allocator, Claim, HostKey, Row, Settled, Slices};
use crate::inventory::{Inventory, UnitKey};
use crate::model::{Cidr, Host};
use entries::Entries;
use holding::Holding;
use space::{Family, Owner, Queue, Space};

/// How many conflicts are remembered to be shown.
const SHOWN_CONFLICTS: usize = 128;
/// Why a host gets nothing.
const EXHAUSTED: &str = "every automatic address is taken (serviceEntries.ranges)";

/// Where addresses come from, and how long they rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The ranges, in order; those of a family are used one after the other.
    pub ranges: Vec<Cidr>,
    /// How long the address of a host that went is kept for it, in seconds.
    pub cooling: u64,
    /// How many parts each range is cut into. A host's address comes from the part that its key stands for while that has
    /// any, so that writers of different parts do not get into each other's way.
    pub slices: NonZeroU32,
    /// Whether other writers share the ledger. What they gave is kept though it lies outside our ranges, what comes free
    /// rests a minute even when nothing else is left, and rows of hosts that only others name are left alone.
    pub shared: bool,
}

/// All addresses that were given.
#[derive(Debug)]
pub struct Ledger {
    rules: Rules,
    now: u64,
    space: Space,
    entries: Entries,
    holdings: BTreeMap<Arc<HostKey>, Holding>,
    /// Who waits for an address, by family.
    queues: [Queue; 2],
    /// Hosts whose row may differ from what is stored.
    unstored: BTreeSet<Arc<HostKey>>,
    /// Those of them that the store had to put off, until somebody tells the time.
    deferred: BTreeSet<Arc<HostKey>>,
    /// Whether every source has said everything.
    settled: bool,
    /// Units whose answer changed since somebody asked.
    moved: BTreeSet<UnitKey>,
    conflicts: VecDeque<Conflict>,
    conflicts_total: u64,
    notices: Vec<Notice>,
    in_use: u64,
    at_rest: u64,
}

impl Ledger {
    /// Starts with what a store has. Addresses outside the ranges are forgotten, and of two hosts with one address the one
    /// that has it longer keeps it.
    pub fn new(rules: Rules, now: u64, mut rows: Vec<(HostKey, Row)>) -> Self {
        let space = Space::new(&rules.ranges, Slices::new(rules.slices));
        let mut ledger = Self {
            rules,
            now,
            space,
            entries: Entries::default(),
            holdings: BTreeMap::new(),
            queues: Default::default(),
            unstored: BTreeSet::new(),
            deferred: BTreeSet::new(),
            settled: false,
            moved: BTreeSet::new(),
            conflicts: VecDeque::new(),
            conflicts_total: 0,
            notices: Vec::new(),
            in_use: 0,
            at_rest: 0,
        };
        rows.sort_by(|(a, this), (b, that)| {
            (this.freed.is_some(), this.since, a).cmp(&(that.freed.is_some(), that.since, b))
        });
        for (key, row) in rows {
            ledger.remember(&Arc::new(key), row);
        }
        ledger.expire();
        ledger
    }

    fn remember(&mut self, key: &Arc<HostKey>, stored: Row) {
        let mut row = stored;
        for address in stored.addresses.iter() {
            let usable = self.rules.shared || self.space.has(address);
            if !usable || self.space.owner(address).is_some() {
                row.addresses.remove(address);
                continue;
            }
            match row.freed {
                None => self.space.own(address, key),
                Some(freed) => self.space.cool(address, key, freed),
            }
        }
        self.holdings.entry(Arc::clone(key)).or_default().stored = Some(stored);
        self.set_row(key, Some(row).filter(|row| !row.addresses.is_empty()));
    }

    /// What a host has from now on. The only place that changes a row.
    fn set_row(&mut self, key: &Arc<HostKey>, row: Option<Row>) {
        let holding = self.holdings.entry(Arc::clone(key)).or_default();
        let old = std::mem::replace(&mut holding.row, row);
        if holding.stored != row {
            self.unstored.insert(Arc::clone(key));
        }
        if !holding.entries.is_empty() {
            self.moved.insert(key.unit());
        }
        let count = |row: &Option<Row>, cooling: bool| {
            u64::from(row.is_some_and(|row| row.freed.is_some() == cooling))
        };
        self.in_use = self.in_use + count(&row, false) - count(&old, false);
        self.at_rest = self.at_rest + count(&row, true) - count(&old, true);
        if self.holdings.get(key).is_some_and(Holding::is_empty) {
            self.holdings.remove(key);
        }
    }

    /// A host that somebody names uses what it has or had; one that nobody names lets go of it.
    fn come_or_go(&mut self, key: &Arc<HostKey>) {
        let Some(holding) = self.holdings.get_mut(key) else { return };
        let wanted = !holding.entries.is_empty();
        if !wanted {
            holding.moved = None;
            holding.bridged = false;
        }
        let Some(mut row) = holding.row else { return };
        if row.freed.is_none() == wanted {
            return;
        }
        row.freed = (!wanted).then_some(self.now);
        for address in row.addresses.iter() {
            match row.freed {
                None => self.space.own(address, key),
                Some(freed) => self.space.cool(address, key, freed),
            }
        }
        self.set_row(key, Some(row));
    }

    /// Frees what has rested long enough.
    fn expire(&mut self) {
        // By another clock it may look as if hosts had rested enough that are named as soon as somebody has a say.
        if self.rules.shared && !self.settled {
            return;
        }
        let Some(until) = self.now.checked_sub(self.rules.cooling) else { return };
        let (shared, holdings) = (self.rules.shared, &self.holdings);
        // Others who name the host must have had the time to say so.
        let may = |address, key: &HostKey| {
            !shared || holdings.get(key).is_none_or(|holding| holding.let_go(address))
        };
        for (address, key) in self.space.expire(until, may) {
            self.strip(&key, address);
        }
    }

    /// A host that went no longer gets this address back.
    fn strip(&mut self, key: &Arc<HostKey>, address: std::net::IpAddr) {
        let row = self.holdings.get(key).and_then(|holding| holding.row);
        let Some(mut row) = row.filter(|row| row.freed.is_some() && row.addresses.has(address)) else {
            return;
        };
        row.addresses.remove(address);
        self.set_row(key, Some(row).filter(|row| !row.addresses.is_empty()));
    }

    fn take_moved(&mut self) -> BTreeSet<UnitKey> {
        std::mem::take(&mut self.moved)
    }
}

impl Allocator for Ledger {
    fn update(&mut self, inventory: &Inventory, touched: &BTreeSet<UnitKey>) -> BTreeSet<UnitKey> {
        let changed = self.entries.refresh(inventory, touched);
        let mut affected = BTreeSet::new();
        for entry in &changed {
            for key in &entry.old.keys {
                let holding = self.holdings.entry(Arc::clone(key)).or_default();
                holding.entries.remove(&(entry.old.created, entry.name.clone()));
                affected.insert(Arc::clone(key));
            }
            for (place, key) in entry.new.keys.iter().enumerate() {
                let holding = self.holdings.entry(Arc::clone(key)).or_default();
                holding.entries.insert((entry.new.created, entry.name.clone()), place);
                affected.insert(Arc::clone(key));
            }
        }
        for key in &affected {
            self.come_or_go(key);
        }
        self.contest_literals(&changed);
        self.contest_status(&changed);
        self.queue(&affected);
        self.serve();
        self.report_waiting(&affected);
        for key in &affected {
            if self.holdings.get(key).is_some_and(Holding::is_empty) {
                self.holdings.remove(key);
            }
        }
        self.take_moved()
    }

    fn allocation(&self, namespace: &str, host: &Host) -> Allocation {
        let Some(holding) = self.holdings.get(&HostKey::new(namespace, host)) else {
            return Allocation::Waiting;
        };
        let published = holding.published();
        if !published.is_empty() {
            Allocation::Given(published)
        } else if holding.row.is_none() && holding.turns.iter().any(Option::is_some) {
            Allocation::Refused(EXHAUSTED)
        } else {
            Allocation::Waiting
        }
    }

    fn tell_time(&mut self, now: u64) -> BTreeSet<UnitKey> {
        self.now = self.now.max(now);
        self.unstored.append(&mut self.deferred);
        self.expire();
        self.serve();
        self.take_moved()
    }

    fn settle(&mut self) -> BTreeSet<UnitKey> {
        self.settled = true;
        let unnamed: Vec<_> = self
            .holdings
            .iter()
            .filter(|(_, holding)| holding.entries.is_empty() && holding.row.is_some())
            .map(|(key, _)| Arc::clone(key))
            .collect();
        for key in unnamed {
            self.come_or_go(&key);
        }
        self.serve();
        self.take_moved()
    }

    fn claims(&mut self) -> Vec<Claim> {
        let keys = std::mem::take(&mut self.unstored);
        let claim = |key: Arc<HostKey>| {
            let holding = self.holdings.get(&key)?;
            (holding.row != holding.stored).then_some(Claim { was: holding.stored, row: holding.row, key })
        };
        keys.into_iter().filter_map(claim).collect()
    }

    fn stored(&mut self, settled: Vec<Settled>) -> BTreeSet<UnitKey> {
        self.learn(settled);
        self.serve();
        self.take_moved()
    }

    fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn stats(&self) -> Option<Stats> {
        Some(self.count())
    }

    fn listing(&self) -> Listing {
        self.list()
    }
}

#[cfg(test)]
mod tests;
