//! The contract of sources: they know a protocol and say, in our nouns, what changed.
//!
//! A source never touches the catalog. It sends [`Update`]s to the keeper, the only writer, and publishes a
//! [`Report`] of what it could not use. A (re)start is one [`Change::Replace`].
//!
//! [`Change::Replace`]: crate::model::Change::Replace

mod backoff;
pub mod istiod;
pub mod kubernetes;
pub mod manifests;
pub mod objects;

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use crate::model::{Change, Defect, Kind};

/// Which source: also its precedence, the lowest number wins where two know the same object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u8);

impl SourceId {
    /// Manifest files.
    pub const MANIFESTS: SourceId = SourceId(0);
    /// The API server of Kubernetes.
    pub const KUBERNETES: SourceId = SourceId(1);
    /// The name table of istiod.
    pub const ISTIOD: SourceId = SourceId(crate::inventory::TABLE);
}

/// One step that a source reports.
#[derive(Debug)]
pub struct Update {
    /// Who reports.
    pub source: SourceId,
    /// What changed.
    pub change: Change,
    /// Whether the source has said everything with this.
    pub complete: bool,
    /// When the objects in it changed, as far as that is known.
    pub moments: Vec<Moment>,
}

impl Update {
    /// One step among others. A replacement is everything.
    pub fn new(source: SourceId, change: Change) -> Self {
        let complete = matches!(change, Change::Replace(_));
        Self { source, change, complete, moments: Vec::new() }
    }

    /// Nothing more than that the source has said everything.
    pub fn complete(source: SourceId) -> Self {
        Self { source, change: Change::Batch(Vec::new()), complete: true, moments: Vec::new() }
    }
}

/// When an object changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Its kind.
    pub kind: Kind,
    /// Since then.
    pub since: Since,
}

/// What is known about when something changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Since {
    /// Whoever changed it says when, by the clock of another machine.
    Trigger(SystemTime),
    /// We heard of it then.
    Received(Instant),
}

/// What a source holds and what it could not use, replaced as a whole whenever it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects in use, by kind.
    pub objects: BTreeMap<Kind, u64>,
    /// Objects of kinds that DNS has no use for, by `apiVersion/kind`.
    pub skipped: BTreeMap<String, u64>,
    /// Everything that is wrong, in the order of its place.
    pub defects: Vec<Defect>,
    /// How often the source was read anew.
    pub reloads: u64,
}

impl Report {
    /// What several sources hold together.
    pub fn joined<'r>(reports: impl IntoIterator<Item = &'r Report>) -> Report {
        let mut all = Report::default();
        for report in reports {
            for (kind, count) in &report.objects {
                *all.objects.entry(*kind).or_default() += count;
            }
            for (kind, count) in &report.skipped {
                *all.skipped.entry(kind.clone()).or_default() += count;
            }
            all.defects.extend_from_slice(&report.defects);
            all.reloads += report.reloads;
        }
        all
    }
}
