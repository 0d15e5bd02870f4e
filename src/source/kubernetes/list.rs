//! A complete list that is on its way, and what one event of a watch says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::Resource;
use crate::model::{Change, Defect, Key, ObjectName};
use crate::source::objects::{Origin, key_of_text, read_text};

/// What came of a list so far.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) names: BTreeSet<ObjectName>,
    pub(super) defects: BTreeMap<Key, Vec<Defect>>,
    /// Objects that could not even be told apart.
    pub(super) nameless: u64,
}

/// An object as it was read.
#[derive(Debug)]
pub(super) struct Seen {
    /// What it is called.
    pub(super) key: Key,
    /// What it changes; nothing when it cannot be used: then the last good version stays.
    pub(super) changes: Vec<Change>,
    /// Whether it can be used.
    pub(super) usable: bool,
    /// What is wrong with it.
    pub(super) defects: Vec<Defect>,
}

impl Seen {
    /// Reads an object that is there; `None` if it cannot be told which one it is.
    pub(super) fn of(resource: Resource, raw: &RawValue) -> Option<Self> {
        let reading = read_text(resource.api_kind(), raw.get(), Origin::ApiServer);
        let changes: Vec<Change> = reading.objects.into_iter().flatten().map(Change::Upsert).collect();
        Some(Self { key: reading.key?, usable: !changes.is_empty(), changes, defects: reading.defects })
    }

    /// The key of one that is gone.
    pub(super) fn key_of(resource: Resource, raw: &RawValue) -> Option<Key> {
        key_of_text(resource.api_kind(), raw.get())
    }
}

impl List {
    /// Takes one object in and says what it changes.
    pub(super) fn take(&mut self, resource: Resource, raw: &RawValue) -> Vec<Change> {
        let Some(seen) = Seen::of(resource, raw) else {
            self.nameless += 1;
            return Vec::new();
        };
        if !seen.defects.is_empty() {
            self.defects.insert(seen.key.clone(), seen.defects);
        }
        self.names.insert(seen.key.name);
        seen.changes
    }
}
