//! The ledger as people see it.

use super::{Conflict, Ledger};
use crate::allocate::{Assigned, HostKey, Origin};
use crate::model::{Defect, Key, Kind, ObjectName};

/// Something that people should know when it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Two entries wanted one address.
    Conflict(Conflict),
    /// A host gets no address of a family.
    Exhausted {
        /// The ranges of that family.
        ranges: String,
        /// The first of the hosts.
        host: HostKey,
        /// How many hosts wait.
        waiting: usize,
    },
}

/// Counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Hosts with addresses in use.
    pub in_use: u64,
    /// Hosts that went and whose addresses are kept for them.
    pub cooling: u64,
    /// Hosts that wait for an address of some family.
    pub waiting: u64,
    /// Conflicts since the start.
    pub conflicts: u64,
    /// Every range.
    pub ranges: Vec<RangeStats>,
}

/// How full a range is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeStats {
    /// The range.
    pub range: String,
    /// Addresses that can be given.
    pub capacity: u64,
    /// Those of them that are in use, cooling, or literal in an entry.
    pub used: u64,
}

/// Everything that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Every host, by namespace and name.
    pub hosts: Vec<Listed>,
    /// The last conflicts, oldest first.
    pub conflicts: Vec<Conflict>,
    /// What is wrong with entries, for reports.
    pub defects: Vec<Defect>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The host.
    pub key: HostKey,
    /// Its addresses.
    pub addresses: Assigned,
    /// Who gave them; none while there are none.
    pub origin: Option<Origin>,
    /// When they were given, in Unix seconds.
    pub since: Option<u64>,
    /// What they are used for.
    pub state: State,
    /// The conflict that the host had to give way in, if there was one.
    pub moved: Option<Conflict>,
}

/// What addresses are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They are answered.
    InUse,
    /// They are not stored yet.
    Storing,
    /// The host is gone; until then (Unix seconds) they are kept for it.
    Cooling {
        /// Until when.
        until: u64,
    },
    /// There are none: every address is taken.
    Waiting,
}

impl Ledger {
    pub(super) fn count(&self) -> Stats {
        let ranges = self.space.ranges().iter().map(|range| RangeStats {
            range: range.cidr().to_string(),
            capacity: range.capacity(),
            used: range.taken(),
        });
        Stats {
            in_use: self.in_use,
            cooling: self.at_rest,
            waiting: self.queues.iter().map(|queue| queue.len() as u64).max().unwrap_or(0),
            conflicts: self.conflicts_total,
            ranges: ranges.collect(),
        }
    }

    pub(super) fn list(&self) -> Listing {
        let mut listing =
            Listing { conflicts: self.conflicts.iter().cloned().collect(), ..Listing::default() };
        for (key, holding) in &self.holdings {
            let waits = holding.turns.iter().any(Option::is_some);
            let state = match holding.row {
                Some(row) => match row.freed {
                    Some(freed) => State::Cooling { until: freed.saturating_add(self.rules.cooling) },
                    None if holding.published() == row.addresses => State::InUse,
                    None => State::Storing,
                },
                None if waits => State::Waiting,
                None => continue,
            };
            if let Some((_, entry)) = holding.owner() {
                let defect = |message: String| Defect {
                    object: Some(Key { kind: Kind::ServiceEntry, name: ObjectName::clone(entry) }),
                    ..Defect::of_field("spec.hosts", message)
                };
                let families = super::Family::BOTH.into_iter().zip(&holding.turns);
                listing.defects.extend(families.filter(|(_, turn)| turn.is_some()).map(|(family, _)| {
                    let (ranges, host) = (self.space.named(family), key.host());
                    defect(format!("`{host}` gets no address: every one of {ranges} is taken"))
                }));
                let put_off = holding.deferred.iter().filter(|_| holding.published().is_empty());
                listing.defects.extend(put_off.map(|reason| {
                    defect(format!("`{}` waits until its address can be stored: {reason}", key.host()))
                }));
                let moved = holding.moved.iter().map(|conflict| defect(conflict.to_string()));
                listing.defects.extend(moved);
            }
            listing.hosts.push(Listed {
                key: HostKey::clone(key),
                addresses: holding.row.map(|row| row.addresses).unwrap_or_default(),
                origin: holding.row.map(|row| row.origin),
                since: holding.row.map(|row| row.since),
                state,
                moved: holding.moved.clone(),
            });
        }
        listing
    }
}
