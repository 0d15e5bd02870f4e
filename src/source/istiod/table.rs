//! A name table as it was taken, and what two of them differ in.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::model::{Change, Key, Kind, Object, ObjectName, TableRow};

/// A name table, without the rows that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The rows, by their host as istiod writes it.
    pub rows: BTreeMap<Box<str>, TableRow>,
    /// What istiod calls this state of the table.
    pub version: String,
    /// When it came.
    pub received: SystemTime,
}

impl Table {
    /// All of it, for those who know nothing yet.
    pub fn replacement(&self) -> Change {
        Change::Replace(self.rows.values().cloned().map(Object::TableRow).collect())
    }

    /// What makes this table of an older one, by host; nothing when they are the same.
    pub fn changes_since(&self, old: &Table) -> Vec<Change> {
        let gone = old.rows.keys().filter(|host| !self.rows.contains_key(*host));
        let removed = gone.map(|host| {
            let name = ObjectName::new("", host.clone());
            Change::Remove(Key { kind: Kind::TableRow, name })
        });
        let new = self.rows.iter().filter(|(host, row)| old.rows.get(*host) != Some(row));
        removed.chain(new.map(|(_, row)| Change::Upsert(Object::TableRow(row.clone())))).collect()
    }
}
