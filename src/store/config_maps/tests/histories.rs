//! Several writers with old and new knowledge, whose writes interleave, fail and stop anywhere: at every moment no address
//! has two hosts, and nobody's row changes but by a claim that knows it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::allocate::{Claim, Outcome};
use crate::store::config_maps::round::{Pending, plan};

/// Numbers that look random (SplitMix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(super) fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }
}

/// A replica in the middle of a batch, or between batches.
struct Replica {
    view: View,
    pending: Vec<(Pending, BTreeSet<usize>)>,
    /// What is still to be written in this round, and what it replaces.
    writes: Vec<(usize, u64, Shard)>,
    failed: BTreeSet<usize>,
    /// When the batch began.
    began: usize,
}

struct World {
    numbers: Numbers,
    server: View,
    replicas: Vec<Replica>,
    hosts: Vec<Arc<HostKey>>,
    addresses: Vec<IpAddr>,
    /// Every row that each host had, with the step from which on it had it.
    past: HashMap<Arc<HostKey>, Vec<(usize, Option<Row>)>>,
    step: usize,
    stored: usize,
    across: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let shards = 1 + u32::try_from(numbers.below(4)).unwrap();
        let server = view(shards, &["192.0.2.0/29", "2001:db8::/126"]);
        let replicas = 2 + numbers.index(2);
        let replica = || Replica {
            view: server.clone(),
            pending: Vec::new(),
            writes: Vec::new(),
            failed: BTreeSet::new(),
            began: 0,
        };
        let hosts = (0..5).map(|host| key(&format!("h{host}.example"))).collect();
        let v4 = (1..8u8).map(|last| IpAddr::from([192, 0, 2, last]));
        let v6 = (1..4u16).map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
        Self {
            numbers,
            replicas: (0..replicas).map(|_| replica()).collect(),
            server,
            hosts,
            addresses: v4.chain(v6).collect(),
            past: HashMap::new(),
            step: 0,
            stored: 0,
            across: 0,
        }
    }

    /// Claims for some hosts, for addresses anywhere, each wanted once.
    fn claims(&mut self, replica: usize) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        let mut free = self.addresses.clone();
        for _ in 0..=self.numbers.index(3) {
            let key = Arc::clone(&self.hosts[self.numbers.index(self.hosts.len())]);
            if claims.iter().any(|claim| claim.key == key) {
                continue;
            }
            let was = self.replicas[replica].view.row(&key);
            let mut addresses = Vec::new();
            for _ in 0..self.numbers.below(4) {
                let address = free.swap_remove(self.numbers.index(free.len()));
                addresses.push(address);
            }
            let row = (!addresses.is_empty()).then(|| row(&addresses, self.numbers.below(3)));
            claims.push(Claim { key, was, row });
        }
        claims
    }

    fn act(&mut self) {
        self.step += 1;
        let at = self.numbers.index(self.replicas.len());
        match self.numbers.below(20) {
            // It is killed, and reads everything anew.
            0 => {
                let replica = &mut self.replicas[at];
                (replica.pending, replica.writes) = (Vec::new(), Vec::new());
                replica.view = self.server.clone();
            }
            // A watch says what a shard is now.
            1..5 => {
                let shard = self.numbers.index(self.server.slots.len());
                self.replicas[at].view.slots[shard] = self.server.slots[shard].clone();
            }
            _ if !self.replicas[at].writes.is_empty() => self.write(at),
            _ if !self.replicas[at].pending.is_empty() => self.round(at),
            _ => {
                let claims = self.claims(at);
                let pending = Pending::all(&claims).into_iter().map(|one| (one, BTreeSet::new()));
                self.replicas[at].pending = pending.collect();
                self.replicas[at].began = self.step;
            }
        }
    }

    /// One write arrives.
    fn write(&mut self, at: usize) {
        let (number, replaces, shard) = self.replicas[at].writes.remove(0);
        let now = Arc::clone(self.server.shard(number).unwrap());
        if now.revision != replaces {
            self.replicas[at].failed.insert(number);
            self.replicas[at].view.slots[number] = Slot::Good(now);
            return;
        }
        assert!(shard.revision > now.revision);
        let before: BTreeMap<_, _> = self.server.rows().collect();
        let slot = Slot::Good(Arc::new(shard));
        self.server.slots[number] = slot.clone();
        // Whether it hears of it is another matter.
        if self.numbers.below(10) == 0 {
            self.replicas[at].failed.insert(number);
        } else {
            self.replicas[at].view.slots[number] = slot;
        }
        let after: BTreeMap<_, _> = self.server.rows().collect();
        self.across +=
            after.values().filter(|row| row.addresses.v4.is_some() && row.addresses.v6.is_some()).count();
        let mut owners: BTreeMap<IpAddr, &HostKey> = BTreeMap::new();
        for (key, row) in &after {
            for address in row.addresses.iter() {
                let other = owners.insert(address, key);
                assert!(other.is_none(), "{address} has the hosts {key} and {other:?}");
            }
        }
        for key in self.hosts.clone() {
            let (old, new) = (before.get(&key).copied(), after.get(&key).copied());
            if old == new {
                continue;
            }
            let by = self.replicas[at].pending.iter().find(|(one, _)| one.claim.key == key);
            let (by, _) =
                by.unwrap_or_else(|| panic!("{key} went from {old:?} to {new:?} by nobody's claim"));
            assert_eq!(old, by.was, "{key} went to {new:?} by a claim that did not know it");
            let (wanted, had) = (by.claim.row, old.map(|row| row.addresses).unwrap_or_default());
            let rest = had.common(wanted.map(|row| row.addresses).unwrap_or_default());
            let left = new.map(|row| row.addresses).unwrap_or_default();
            assert!(new == wanted || left == rest, "{key} went to {new:?} instead of {wanted:?}");
            self.past.entry(key).or_default().push((self.step, new));
        }
    }

    /// The round is over: what of it arrived counts, and the next one begins.
    fn round(&mut self, at: usize) {
        let stale = self.numbers.below(2) == 0;
        let replica = &mut self.replicas[at];
        let failed = std::mem::take(&mut replica.failed);
        let mut pending = Vec::new();
        for (mut one, shards) in std::mem::take(&mut replica.pending) {
            if shards.is_disjoint(&failed) {
                one.advance();
            } else {
                one.stay();
            }
            pending.push(one);
        }
        let claims: BTreeMap<usize, Claim> =
            pending.iter().map(|one| (one.place, one.claim.clone())).collect();
        let round = plan(&replica.view, pending, &|_, _, _| stale);
        let began = replica.began;
        for (number, draft) in round.drafts {
            let replaces = replica.view.shard(number).unwrap().revision;
            replica.writes.push((number, replaces, draft));
        }
        let nothing = replica.writes.is_empty() && round.settled.is_empty() && round.awaited.is_empty();
        replica.pending = if nothing { Vec::new() } else { round.pending };
        for (place, outcome) in round.settled {
            self.settled(&claims[&place], &outcome, began);
        }
    }

    fn settled(&mut self, claim: &Claim, outcome: &Outcome, began: usize) {
        let none = vec![];
        let past = |key: &Arc<HostKey>| self.past.get(key).unwrap_or(&none);
        let had = |key: &Arc<HostKey>, row: &Row| {
            let had =
                |address| past(key).iter().any(|(_, row)| row.is_some_and(|row| row.addresses.has(address)));
            row.addresses.iter().all(had)
        };
        match outcome {
            Outcome::Stored => {
                self.stored += 1;
                // It was so at some time: the row before it was replaced after the batch began, or is still there.
                let past = past(&claim.key);
                let found = past.iter().any(|(_, row)| *row == claim.row) || claim.row.is_none();
                assert!(found, "{} is not what the ledger ever had since step {began}", claim.key);
            }
            Outcome::Holds(Some(row)) => assert!(had(&claim.key, row), "{} never had {row:?}", claim.key),
            Outcome::Taken(holder, row) => {
                assert!(had(holder, row), "{holder} never had {row:?}");
                let wanted = claim.row.unwrap().addresses;
                assert!(row.addresses.iter().any(|address| wanted.has(address)) && *holder != claim.key);
            }
            Outcome::Holds(None) => {}
            Outcome::Deferred(reason) => panic!("{} is put off: {reason}", claim.key),
        }
    }
}

#[test]
fn no_history_gives_an_address_twice_or_moves_one() {
    let (first, count) = match std::env::var("MESHDNS_SEED") {
        Ok(seed) => (seed.parse().unwrap(), 1),
        Err(_) => (1, 500),
    };
    let (mut stored, mut across) = (0, 0);
    for seed in first..first + count {
        let told = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..250 {
                world.act();
            }
            (world.stored, world.across)
        });
        let (more, wide) = told.unwrap_or_else(|_| panic!("MESHDNS_SEED={seed} shows it"));
        stored += more;
        across += wide;
    }
    assert!(
        count == 1 || stored > 5_000 && across > 5_000,
        "{stored} stored, {across} across: too little is shown"
    );
}
