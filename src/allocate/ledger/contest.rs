//! Addresses that objects bring along, and what happens when somebody else has them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::entries::Changed;
use super::{Conflict, Family, Ledger, Notice, Owner, SHOWN_CONFLICTS, Why};
use crate::allocate::{Assigned, HostKey, Origin};
use crate::model::ObjectName;

/// Who has an address that a status brings along.
enum Holder {
    Nobody,
    /// It is literal in this entry.
    Literal(ObjectName),
    /// The host, for the sake of this entry if any names it.
    Host(Arc<HostKey>, Option<(i64, ObjectName)>),
    /// The host that went.
    Cooling(Arc<HostKey>),
}

impl Ledger {
    /// Literal addresses win against everybody.
    pub(super) fn contest_literals(&mut self, changed: &[Changed]) {
        let mut added: BTreeMap<IpAddr, ObjectName> = BTreeMap::new();
        for entry in changed {
            for address in entry.new.literals.difference(&entry.old.literals) {
                if self.space.has(*address) {
                    self.space.add_literal(*address, &entry.name);
                    added.entry(*address).or_insert_with(|| entry.name.clone());
                }
            }
        }
        for entry in changed {
            for address in entry.old.literals.difference(&entry.new.literals) {
                self.space.remove_literal(*address, &entry.name);
            }
        }
        for (address, entry) in added {
            match self.space.owner(address).cloned() {
                None => {}
                Some(Owner::Cooling(key, _)) => {
                    self.space.disown(address);
                    self.strip(&key, address);
                }
                Some(Owner::Using(key)) => self.give_way(&key, address, entry, Why::Literal),
            }
        }
    }

    /// Addresses in the status of new and changed entries, oldest entry first.
    pub(super) fn contest_status(&mut self, changed: &[Changed]) {
        let mut claimants: Vec<(i64, &ObjectName, &Changed)> = changed
            .iter()
            .filter(|entry| !entry.new.status.is_empty())
            .map(|entry| (entry.new.created, &entry.name, entry))
            .collect();
        claimants.sort_by_key(|(created, name, _)| (*created, *name));
        for (created, name, entry) in claimants {
            let mut wanted: BTreeMap<&Arc<HostKey>, Assigned> = BTreeMap::new();
            for (key, address) in &entry.new.status {
                if self.space.has(*address) {
                    wanted.entry(key).or_default().set(*address);
                }
            }
            self.claim_all(&(created, name.clone()), &wanted);
        }
    }

    /// Takes what the status of one entry gives to its hosts: all of it, or after a lost conflict none.
    fn claim_all(&mut self, claimant: &(i64, ObjectName), wanted: &BTreeMap<&Arc<HostKey>, Assigned>) {
        let mut taken: Vec<(&Arc<HostKey>, IpAddr)> = Vec::new();
        for (key, addresses) in wanted {
            for address in addresses.iter() {
                if self.holdings.get(*key).is_some_and(|holding| holding.has(Family::of(address))) {
                    continue;
                }
                let lost = match self.holder(address) {
                    Holder::Nobody => None,
                    Holder::Literal(entry) => Some((entry, Why::Literal)),
                    Holder::Host(_, Some(owner)) if owner == *claimant => continue,
                    Holder::Host(_, Some((created, entry)))
                        if (created, &entry) < (claimant.0, &claimant.1) =>
                    {
                        Some((entry, Why::Older))
                    }
                    Holder::Host(holder, Some(_)) => {
                        self.give_way(&holder, address, claimant.1.clone(), Why::Older);
                        None
                    }
                    Holder::Host(holder, None) => {
                        Some((ObjectName::new(holder.namespace.clone(), holder.host()), Why::Remembered))
                    }
                    Holder::Cooling(holder) => {
                        self.space.disown(address);
                        self.strip(&holder, address);
                        None
                    }
                };
                if let Some((kept, why)) = lost {
                    let conflict = self.conflict(address, kept, why, claimant.1.clone());
                    for key in wanted.keys() {
                        if let Some(holding) = self.holdings.get_mut(*key) {
                            holding.moved = Some(conflict.clone());
                        }
                    }
                    for (key, address) in taken {
                        self.give_back(key, address);
                    }
                    return;
                }
                self.space.own(address, key);
                self.add_address(key, address, Origin::Status);
                taken.push((key, address));
            }
        }
    }

    fn holder(&self, address: IpAddr) -> Holder {
        if let Some(entry) = self.space.literal(address) {
            return Holder::Literal(entry.clone());
        }
        match self.space.owner(address) {
            None => Holder::Nobody,
            Some(Owner::Cooling(key, _)) => Holder::Cooling(Arc::clone(key)),
            Some(Owner::Using(key)) => {
                let owner = self.holdings.get(key).and_then(|holding| holding.owner().cloned());
                Holder::Host(Arc::clone(key), owner)
            }
        }
    }

    /// The host loses the address to `winner`, and so all hosts of its entry get new ones.
    fn give_way(&mut self, key: &Arc<HostKey>, address: IpAddr, winner: ObjectName, why: Why) {
        let owner = self.holdings.get(key).and_then(|holding| holding.owner().cloned());
        let Some(owner) = owner else {
            // Nobody names the host yet: what else it has is kept for it.
            self.give_back(key, address);
            return;
        };
        let conflict = self.conflict(address, winner, why, owner.1.clone());
        let known = self.entries.get(&owner.1);
        let keys = known.map(|known| known.keys.clone()).unwrap_or_default();
        for key in &keys {
            let Some(holding) = self.holdings.get_mut(key) else { continue };
            if holding.owner() != Some(&owner) {
                continue;
            }
            holding.moved = Some(conflict.clone());
            let addresses = holding.addresses();
            for old in addresses.iter() {
                if old == address {
                    self.space.disown(old);
                } else {
                    self.space.cool(old, key, self.now);
                }
            }
            if !addresses.is_empty() {
                self.set_row(key, None);
            }
        }
        self.queue(&keys);
    }

    /// Takes one address from a host that keeps the rest.
    pub(super) fn give_back(&mut self, key: &Arc<HostKey>, address: IpAddr) {
        self.space.disown(address);
        let Some(mut row) = self.holdings.get(key).and_then(|holding| holding.row) else { return };
        row.addresses.remove(address);
        self.set_row(key, Some(row).filter(|row| !row.addresses.is_empty()));
        self.queue(&BTreeSet::from([Arc::clone(key)]));
    }

    fn conflict(&mut self, address: IpAddr, kept: ObjectName, why: Why, moved: ObjectName) -> Conflict {
        let conflict = Conflict { address, kept, why, moved, at: self.now };
        self.conflicts_total += 1;
        if self.conflicts.len() == SHOWN_CONFLICTS {
            self.conflicts.pop_front();
        }
        self.conflicts.push_back(conflict.clone());
        self.notices.push(Notice::Conflict(conflict.clone()));
        conflict
    }
}
