//! What the ledger knows of one host.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::Conflict;
use super::space::Family;
use crate::allocate::{Assigned, Row};
use crate::model::ObjectName;

/// When a host's turn comes: the oldest entry first, then by namespace and name, then the place in its host list.
pub(super) type Turn = (i64, ObjectName, usize);

/// One host of one namespace.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// The eligible entries that name it, oldest first, with its place in each.
    pub(super) entries: BTreeMap<(i64, ObjectName), usize>,
    /// What it has, stored or not.
    pub(super) row: Option<Row>,
    /// What the store has.
    pub(super) stored: Option<Row>,
    /// Whether it was answered when another writer set it free: it goes on being answered while we claim it back.
    pub(super) bridged: bool,
    /// Why the store does not take its row now.
    pub(super) deferred: Option<Arc<str>>,
    /// Where it stands in the queue of each family, if it waits for an address.
    pub(super) turns: [Option<Turn>; 2],
    /// The last conflict that it had to give way in.
    pub(super) moved: Option<Conflict>,
}

impl Holding {
    /// The oldest entry that names it: the one that Istio would ask about.
    pub(super) fn owner(&self) -> Option<&(i64, ObjectName)> {
        Some(self.entries.first_key_value()?.0)
    }

    /// When its turn comes.
    pub(super) fn turn(&self) -> Option<Turn> {
        let ((created, entry), place) = self.entries.first_key_value()?;
        Some((*created, entry.clone(), *place))
    }

    /// The addresses it has and uses.
    pub(super) fn addresses(&self) -> Assigned {
        self.row.filter(|row| row.freed.is_none()).map_or(Assigned::default(), |row| row.addresses)
    }

    /// Those of them that are stored, and so may be published. While the store has them as free they may go to others.
    pub(super) fn published(&self) -> Assigned {
        let stored = self.stored.filter(|row| row.freed.is_none() || self.bridged);
        self.addresses().common(stored.map_or(Assigned::default(), |row| row.addresses))
    }

    /// Whether it has an address of that family.
    pub(super) fn has(&self, family: Family) -> bool {
        match family {
            Family::V4 => self.addresses().v4.is_some(),
            Family::V6 => self.addresses().v6.is_some(),
        }
    }

    /// Whether the store too has the address as one that the host does not use.
    pub(super) fn let_go(&self, address: IpAddr) -> bool {
        self.stored.is_none_or(|row| row.freed.is_some() || !row.addresses.has(address))
    }

    /// Whether nothing is left to know.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.row.is_none() && self.stored.is_none()
    }
}
