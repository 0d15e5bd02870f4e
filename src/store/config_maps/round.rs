//! What has to be written for claims, one round after the other.
//!
//! Rules: what is written to a shard follows from the state that this write replaces, and from what other shards are known
//! to have had: reservations and fences that are there stay, or what they say stays true. Whoever writes has no other means than
//! replacing one shard as a whole, if nobody did so since. A host's row takes an address of another slice only after it is
//! reserved there; a reservation goes only when its ticket is in no row and behind the fence. So, at every moment and
//! wherever writers stop, no address is in the rows of two hosts with a reservation that confirms both.
//!
//! Claims of one batch that wait for each other in a circle let go of what they leave first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use super::shard::{Held, Reservation, Shard, narrowed};
use super::view::{Service, View};
use crate::allocate::{Claim, HostKey, Outcome, Row};

/// A ConfigMap of more than this would soon be more than an API server takes (1 MiB, Kubernetes `MaxSecretSize` and
/// `ValidateConfigMap`).
pub(super) const LARGEST: usize = 900 << 10;

/// A claim that is not settled.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Its place in the batch.
    pub(super) place: usize,
    pub(super) claim: Claim,
    /// What the store has to have for it.
    pub(super) was: Option<Row>,
    /// That, if what this round writes succeeds.
    next_was: Option<Option<Row>>,
}

impl Pending {
    pub(super) fn all(claims: &[Claim]) -> Vec<Self> {
        let pending = |(place, claim): (usize, &Claim)| Self {
            place,
            claim: claim.clone(),
            was: claim.was,
            next_was: None,
        };
        let mut all: Vec<Self> = claims.iter().enumerate().map(pending).collect();
        // What comes free goes first: another claim may be for it.
        let kept = |pending: &Self| pending.claim.row.map_or(0, |row| row.addresses.iter().count());
        all.sort_by_key(kept);
        all
    }

    /// What was written for it is stored, if it is a part of what is claimed.
    pub(super) fn advance(&mut self) {
        if let Some(was) = self.next_was.take() {
            self.was = was;
        }
    }

    /// Nothing of it is stored.
    pub(super) fn stay(&mut self) {
        self.next_was = None;
    }
}

/// What to do next.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The shards to write, each in place of the one in the view.
    pub(super) drafts: BTreeMap<usize, Shard>,
    /// Claims that are settled, by their place in the batch.
    pub(super) settled: Vec<(usize, Outcome)>,
    /// Claims that are not, with the shards that what was drafted for them is in.
    pub(super) pending: Vec<(Pending, BTreeSet<usize>)>,
    /// Shards that may change by themselves soon.
    pub(super) awaited: BTreeSet<usize>,
}

/// How a claim stands.
enum Step {
    Settled(Outcome),
    /// Something for it stands in these drafts.
    Drafted(BTreeSet<usize>),
    /// Another writer is about to use or to leave an address of it.
    Awaits(usize),
    /// Another claim of the batch has to leave an address first.
    Blocked,
}

/// Whether an address can be had.
enum Chance {
    Free,
    No(Step),
}

struct Planner<'a> {
    view: &'a View,
    drafts: BTreeMap<usize, Shard>,
    /// What the hosts of claims are to have.
    wanted: HashMap<Arc<HostKey>, Option<Row>>,
    /// Whether a reservation has been open for so long that its writer must be gone.
    stale: &'a dyn Fn(usize, IpAddr, u64) -> bool,
}

/// Plans the next round by what is known.
pub(super) fn plan(view: &View, pending: Vec<Pending>, stale: &dyn Fn(usize, IpAddr, u64) -> bool) -> Round {
    let wanted = pending.iter().map(|one| (Arc::clone(&one.claim.key), one.claim.row)).collect();
    let mut planner = Planner { view, drafts: BTreeMap::new(), wanted, stale };
    let mut round = Round::default();
    let mut blocked = Vec::new();
    for one in pending {
        match planner.step(&one) {
            Step::Settled(outcome) => round.settled.push((one.place, outcome)),
            Step::Drafted(shards) => round.pending.push((one, shards)),
            Step::Awaits(shard) => {
                round.awaited.insert(shard);
                round.pending.push((one, BTreeSet::new()));
            }
            Step::Blocked => blocked.push(one),
        }
    }
    let stuck = planner.drafts.is_empty() && round.settled.is_empty() && round.awaited.is_empty();
    for mut one in blocked {
        let shards = if stuck { planner.let_go(&mut one) } else { BTreeSet::new() };
        round.pending.push((one, shards));
    }
    for (number, mut draft) in planner.drafts {
        finish(view, number, &mut draft);
        round.drafts.insert(number, draft);
    }
    round
}

impl Planner<'_> {
    /// A shard as it will be.
    fn state(&self, number: usize) -> Result<&Shard, Step> {
        match (self.drafts.get(&number), self.view.shard(number)) {
            (Some(draft), _) => Ok(draft),
            (None, Ok(shard)) => Ok(shard),
            (None, Err(reason)) => Err(Step::Settled(Outcome::Deferred(Arc::clone(reason)))),
        }
    }

    fn draft(&mut self, number: usize) -> Option<&mut Shard> {
        if !self.drafts.contains_key(&number) {
            let shard = Shard::clone(self.view.shard(number).ok()?);
            self.drafts.insert(number, shard);
        }
        self.drafts.get_mut(&number)
    }

    fn step(&mut self, pending: &Pending) -> Step {
        self.try_step(pending).unwrap_or_else(|step| step)
    }

    fn try_step(&mut self, pending: &Pending) -> Result<Step, Step> {
        let Claim { key, row, .. } = &pending.claim;
        let home = self.view.layout.home(key);
        let committed = self.view.shard(home);
        let committed = committed.map_err(|reason| Step::Settled(Outcome::Deferred(Arc::clone(reason))))?;
        let current = self.view.row_in(committed, key);
        if current == *row {
            return Ok(Step::Settled(Outcome::Stored));
        }
        if current != pending.was {
            return Ok(Step::Settled(Outcome::Holds(current)));
        }
        let held = committed.rows().get(key).copied();
        let mut tickets = [0; 2];
        let mut reserve = Vec::new();
        for address in row.iter().flat_map(|row| row.addresses.iter()) {
            let owner = self.view.layout.owner(address).unwrap_or(home);
            let has = current.is_some_and(|row| row.addresses.has(address));
            let ticket = match held {
                Some(held) if has => Some(held.ticket(address)),
                _ => self.ticket(key, home, owner, address)?,
            };
            match ticket {
                Some(ticket) => tickets[usize::from(address.is_ipv6())] = ticket,
                None => reserve.push((owner, address)),
            }
        }
        if reserve.is_empty() {
            let next = row.map(|row| Held { row, tickets });
            return Ok(self.bind(key, home, held, next));
        }
        let mut shards = BTreeSet::new();
        for (owner, address) in reserve {
            if let Some(draft) = self.draft(owner) {
                draft.reserved.insert(address, Reservation { key: Arc::clone(key), ticket: 0 });
                shards.insert(owner);
            }
        }
        Ok(Step::Drafted(shards))
    }

    /// The ticket by which a host can take an address now; none when it has to be reserved first.
    fn ticket(
        &mut self,
        key: &Arc<HostKey>,
        home: usize,
        owner: usize,
        address: IpAddr,
    ) -> Result<Option<u64>, Step> {
        if owner == home {
            return match self.chance(key, owner, address)? {
                Chance::Free => Ok(Some(0)),
                Chance::No(step) => Err(step),
            };
        }
        let reservation = self.state(owner)?.reserved.get(&address).cloned();
        if let Some(found) = reservation.filter(|found| found.key == *key) {
            let fence = self.view.shard(home).map_or(0, |shard| shard.fence(owner));
            return match found.ticket {
                // A draft is no reservation yet.
                0 => Err(Step::Drafted(BTreeSet::from([owner]))),
                dead if dead <= fence => Ok(None),
                ticket if ticket > self.state(home)?.fence(owner) => Ok(Some(ticket)),
                // It dies with what is drafted.
                _ => Err(Step::Drafted(BTreeSet::from([home]))),
            };
        }
        match self.chance(key, owner, address)? {
            Chance::Free => Ok(None),
            Chance::No(step) => Err(step),
        }
    }

    /// Whether the shard that owns an address lets this host take it.
    fn chance(&mut self, key: &Arc<HostKey>, owner: usize, address: IpAddr) -> Result<Chance, Step> {
        let state = self.state(owner)?;
        if let Some(holder) = state.holder(address).filter(|holder| *holder != key).cloned() {
            return Ok(Chance::No(self.held_by(&holder, address)));
        }
        let Some(found) = state.reserved.get(&address).filter(|found| found.key != *key).cloned() else {
            return Ok(Chance::Free);
        };
        if found.ticket == 0 {
            // Of another claim of this batch.
            return Ok(Chance::No(Step::Blocked));
        }
        let home = self.view.layout.home(&found.key);
        match self.view.service(owner, address, &found) {
            Service::Used => Ok(Chance::No(self.held_by(&found.key, address))),
            Service::Dead => Ok(Chance::Free),
            Service::Unknown => {
                let reason = self.view.shard(home).err().cloned().unwrap_or_default();
                Ok(Chance::No(Step::Settled(Outcome::Deferred(reason))))
            }
            Service::Open if self.wants(&found.key, address) => Ok(Chance::No(Step::Blocked)),
            Service::Open if (self.stale)(owner, address, found.ticket) => {
                if let Some(draft) = self.draft(home) {
                    draft.raise_fence(owner, found.ticket);
                }
                Ok(Chance::No(Step::Drafted(BTreeSet::from([home]))))
            }
            Service::Open => Ok(Chance::No(Step::Awaits(home))),
        }
    }

    fn wants(&self, key: &HostKey, address: IpAddr) -> bool {
        self.wanted.get(key).is_some_and(|row| row.is_some_and(|row| row.addresses.has(address)))
    }

    fn held_by(&self, holder: &Arc<HostKey>, address: IpAddr) -> Step {
        let leaves = self.wanted.contains_key(holder) && !self.wants(holder, address);
        match self.view.row(holder) {
            _ if leaves => Step::Blocked,
            Some(row) => Step::Settled(Outcome::Taken(Arc::clone(holder), row)),
            // It has just come by what another shard has, which is not known yet.
            None => Step::Awaits(self.view.layout.home(holder)),
        }
    }

    /// Drafts the row of a host, for which everything is reserved.
    fn bind(&mut self, key: &Arc<HostKey>, home: usize, old: Option<Held>, next: Option<Held>) -> Step {
        let owner_of = |address| self.view.layout.owner(address).unwrap_or(home);
        let kept =
            |foreign: &(IpAddr, u64)| next.is_some_and(|next| next.foreign().any(|own| own == *foreign));
        let left: Vec<_> = old.iter().flat_map(Held::foreign).filter(|foreign| !kept(foreign)).collect();
        let left: Vec<_> = left.into_iter().map(|(address, ticket)| (owner_of(address), ticket)).collect();
        let Some(draft) = self.draft(home) else { return Step::Blocked };
        match next {
            Some(_) if old.is_none() && draft.octets() > LARGEST => {
                let reason = format!("shard {home} of the ledger is full: a ConfigMap takes no more");
                return Step::Settled(Outcome::Deferred(reason.into()));
            }
            // Another claim of this batch drafted the address for its host.
            Some(next) if !draft.put(key, next) => return Step::Blocked,
            Some(_) => {}
            None => draft.remove(key),
        }
        for (owner, ticket) in left {
            draft.raise_fence(owner, ticket);
        }
        Step::Drafted(BTreeSet::from([home]))
    }

    /// Lets a host leave what its claim leaves, and take what it takes later.
    fn let_go(&mut self, pending: &mut Pending) -> BTreeSet<usize> {
        let Claim { key, row, .. } = pending.claim.clone();
        let home = self.view.layout.home(&key);
        let Some(old) = self.view.shard(home).ok().and_then(|shard| shard.rows().get(&key).copied()) else {
            return BTreeSet::new();
        };
        let kept = old.row.addresses.common(row.map(|row| row.addresses).unwrap_or_default());
        if kept == old.row.addresses {
            return BTreeSet::new();
        }
        let rest = narrowed(old.row, kept);
        match self.bind(&key, home, Some(old), rest.map(|row| Held { row, tickets: old.tickets })) {
            Step::Drafted(shards) => {
                pending.next_was = Some(rest);
                shards
            }
            _ => BTreeSet::new(),
        }
    }
}

/// Raises the revision, gives new reservations their tickets, and leaves out dead ones.
fn finish(view: &View, number: usize, draft: &mut Shard) {
    let fence = |key: &HostKey| view.shard(view.layout.home(key)).map_or(0, |home| home.fence(number));
    let new = draft.reserved.values().filter(|reservation| reservation.ticket == 0);
    // A shard that was begun anew counts from the start, but no ticket may be behind a fence.
    let fences = new.map(|reservation| fence(&reservation.key)).max().unwrap_or(0);
    draft.revision = draft.revision.max(fences) + 1;
    for reservation in draft.reserved.values_mut().filter(|reservation| reservation.ticket == 0) {
        reservation.ticket = draft.revision;
    }
    draft.reserved.retain(|address, reservation| {
        reservation.ticket == draft.revision || view.service(number, *address, reservation) != Service::Dead
    });
    let layout = &view.layout;
    if draft.ranges.len() < layout.ranges().len() {
        draft.ranges = layout.ranges().to_vec();
    }
}
