//! Who has which slot.
//!
//! istiod lets one service after the other, oldest first, walk to the first slot that is free. The outcome is the one
//! stable matching of services, which prefer slots that come early on their walk, with slots, which prefer older
//! services: nobody finds a slot earlier on its walk that is free or has a younger occupant. A matching can be kept
//! up step by step. A new service takes the slot of a younger one, which walks on; a slot that becomes free goes
//! back to the oldest of those that were turned away at it, which frees another. So each slot remembers them.

use std::collections::HashSet;
use std::mem;

use foldhash::fast::RandomState;

use super::service::Service;
use super::walk::{LIMIT, SLOTS, Walk};
use crate::model::Name;

/// Names a service as long as it is known.
pub(super) type Id = usize;

/// A service and how it fares.
#[derive(Debug)]
pub(super) struct Member {
    /// The service.
    pub(super) service: Service,
    /// The host whose unit it belongs to.
    pub(super) unit: Name,
    /// Where it is.
    pub(super) place: Place,
    /// Where it was before, if that was changed since the last [`Table::settle`].
    before: Option<Place>,
    walk: Walk,
    /// How often it was turned away, at the first slots of its walk.
    turned_away: u32,
}

/// Where a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a slot.
    Slot(u16),
    /// It was turned away everywhere.
    Stranded,
    /// It has not begun to walk: as many services as there are slots are older.
    Late,
    /// It is no more.
    Gone,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    occupant: Option<Id>,
    turned_away: Vec<Id>,
}

/// All services and all slots.
#[derive(Debug)]
pub(super) struct Table {
    members: Vec<Member>,
    gone: Vec<Id>,
    slots: Box<[Slot]>,
    late: HashSet<Id, RandomState>,
    /// Whose place was changed.
    moved: Vec<Id>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            gone: Vec::new(),
            slots: vec![Slot::default(); SLOTS as usize].into(),
            late: HashSet::default(),
            moved: Vec::new(),
        }
    }
}

impl Table {
    /// A service that was added.
    pub(super) fn member(&self, id: Id) -> &Member {
        &self.members[id]
    }

    /// Who has a slot.
    pub(super) fn occupant(&self, slot: u16) -> Option<Id> {
        self.slots[usize::from(slot)].occupant
    }

    /// Adds a service; it has no slot before [`Table::settle`].
    pub(super) fn add(&mut self, service: Service, unit: Name) -> Id {
        let walk = service.walk();
        let member = Member { service, unit, place: Place::Late, before: None, walk, turned_away: 0 };
        let id = match self.gone.pop() {
            Some(id) => {
                self.members[id] = member;
                id
            }
            None => {
                self.members.push(member);
                self.members.len() - 1
            }
        };
        self.late.insert(id);
        id
    }

    /// Takes a service out.
    pub(super) fn remove(&mut self, id: Id) {
        self.late.remove(&id);
        self.leave(id, Place::Gone);
        self.gone.push(id);
    }

    /// Gives slots to those that were added, oldest first, so that a full load displaces nobody. Returns everybody
    /// whose place is another one than the last time.
    pub(super) fn settle(&mut self) -> Vec<Id> {
        let mut joining = self.joining();
        joining.sort_unstable_by(|a, b| self.members[*a].service.cmp(&self.members[*b].service));
        for id in joining {
            self.enter(id);
        }
        let mut moved = mem::take(&mut self.moved);
        moved.retain(|id| {
            let member = &mut self.members[*id];
            member.before.take().is_some_and(|before| before != member.place)
        });
        moved
    }

    /// Who is to begin to walk. Beyond as many services as there are slots only the oldest may.
    fn joining(&mut self) -> Vec<Id> {
        let slots = SLOTS as usize;
        if self.members.len() - self.gone.len() <= slots {
            return mem::take(&mut self.late).into_iter().collect();
        }
        let known = |id: &Id| self.members[*id].place != Place::Gone;
        let mut oldest: Vec<Id> = (0..self.members.len()).filter(known).collect();
        oldest.select_nth_unstable_by(slots, |a, b| self.members[*a].service.cmp(&self.members[*b].service));
        for id in oldest.split_off(slots) {
            if self.late.insert(id) {
                self.leave(id, Place::Late);
            }
        }
        oldest.retain(|id| self.late.remove(id));
        oldest
    }

    fn enter(&mut self, id: Id) {
        let mut walking = Some(id);
        while let Some(id) = walking {
            walking = self.walk(id);
        }
    }

    /// Lets a service go on to the first slot that is free or has a younger occupant, which is returned.
    fn walk(&mut self, id: Id) -> Option<Id> {
        let walk = self.members[id].walk;
        for turn in self.members[id].turned_away..LIMIT {
            let slot = walk.slot(turn);
            let occupant = self.occupant(slot);
            if let Some(other) = occupant
                && self.members[other].service < self.members[id].service
            {
                self.turn_away(id, slot);
                continue;
            }
            self.slots[usize::from(slot)].occupant = Some(id);
            self.place(id, Place::Slot(slot));
            if let Some(other) = occupant {
                self.turn_away(other, slot);
            }
            return occupant;
        }
        self.place(id, Place::Stranded);
        None
    }

    fn leave(&mut self, id: Id, place: Place) {
        let before = self.place(id, place);
        self.forget(id);
        if let Place::Slot(slot) = before {
            self.refill(slot);
        }
    }

    /// Gives a slot that has become free to the oldest of those that were turned away at it, and so on.
    fn refill(&mut self, mut slot: u16) {
        loop {
            let Slot { occupant, turned_away } = &mut self.slots[usize::from(slot)];
            *occupant = turned_away.iter().copied().min_by_key(|id| &self.members[*id].service);
            let Some(id) = *occupant else { return };
            self.forget(id);
            let walk = self.members[id].walk;
            for before in (0..LIMIT).map(|turn| walk.slot(turn)).take_while(|before| *before != slot) {
                self.turn_away(id, before);
            }
            match self.place(id, Place::Slot(slot)) {
                Place::Slot(freed) => slot = freed,
                Place::Stranded | Place::Late | Place::Gone => return,
            }
        }
    }

    /// A walk may come to the same slot again.
    fn turn_away(&mut self, id: Id, slot: u16) {
        let turned_away = &mut self.slots[usize::from(slot)].turned_away;
        if !turned_away.contains(&id) {
            turned_away.push(id);
        }
        self.members[id].turned_away += 1;
    }

    /// Lets every slot forget that it turned somebody away.
    fn forget(&mut self, id: Id) {
        let walk = self.members[id].walk;
        for turn in 0..mem::take(&mut self.members[id].turned_away) {
            let turned_away = &mut self.slots[usize::from(walk.slot(turn))].turned_away;
            if let Some(at) = turned_away.iter().position(|other| *other == id) {
                turned_away.swap_remove(at);
            }
        }
    }

    /// Returns the place before.
    fn place(&mut self, id: Id, place: Place) -> Place {
        let member = &mut self.members[id];
        let before = mem::replace(&mut member.place, place);
        if member.before.is_none() {
            member.before = Some(before);
            self.moved.push(id);
        }
        before
    }
}
