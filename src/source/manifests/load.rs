//! Manifests as they are on disk now, read once or again and again.
//!
//! Of a tree that was read before only the files that changed are read again: those with another fingerprint, and
//! for a while those that were changed so lately that a further change could have left the fingerprint as it is.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use foldhash::quality::FixedState;

use super::documents::Contents;
use super::files::{self, Listing, Stamp};
use super::held::Held;
use crate::model::{Change, Object};
use crate::source::Report;

/// Changes younger than this wait for the next look: whoever writes may not have finished.
const SETTLE: Duration = Duration::from_millis(100);
/// But not for longer than this, however busy the tree is.
const PATIENCE: Duration = Duration::from_millis(400);
/// How coarse the clock of a file system may be.
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// What manifests hold.
#[derive(Debug)]
pub struct Loaded {
    /// The objects in use, in no particular order, but always the same.
    pub objects: Vec<Object>,
    /// Their number, and what could not be used.
    pub report: Report,
}

/// Reads files and directories once.
pub fn load(paths: &[PathBuf]) -> Loaded {
    let mut manifests = Manifests::new(paths.to_vec());
    let objects = manifests.first();
    Loaded { objects, report: manifests.report() }
}

/// Reads a text as if it were the file `name`; one that ends in `.json` is read as JSON.
pub fn load_text(name: &str, text: &str) -> Loaded {
    let mut held = Held::default();
    let contents = Contents::read(name, text.as_bytes());
    let objects = upserts(held.apply(vec![(Path::new(name).into(), Some(contents))]));
    Loaded { objects, report: held.report(&BTreeMap::new()) }
}

/// Files and directories that are looked at repeatedly.
#[derive(Debug)]
pub(super) struct Manifests {
    paths: Vec<PathBuf>,
    known: BTreeMap<Arc<Path>, Known>,
    held: Held,
    problems: BTreeMap<PathBuf, String>,
    reloads: u64,
    /// Since when there are changes that have not settled.
    unsettled: Option<Instant>,
}

/// What one look found.
#[derive(Debug)]
pub(super) struct Look {
    /// What changed for our readers.
    pub(super) changes: Vec<Change>,
    /// Whether the report changed.
    pub(super) reported: bool,
    /// How long it took to find out, without reading what changed.
    pub(super) took: Duration,
}

/// A file as it was read last.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    /// Hash of the bytes, or of the reason why there are none.
    content: u64,
    /// Whether the stamp says too little and the content must be compared.
    doubtful: bool,
}

/// How a listing differs from what is known.
#[derive(Debug, Default)]
struct Difference<'l> {
    to_read: Vec<(&'l PathBuf, &'l Stamp)>,
    gone: Vec<Arc<Path>>,
    /// When the newest of the changes was made.
    newest: Option<SystemTime>,
}

impl Manifests {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            known: BTreeMap::new(),
            held: Held::default(),
            problems: BTreeMap::new(),
            reloads: 0,
            unsettled: None,
        }
    }

    /// Reads everything for the first time.
    pub(super) fn first(&mut self) -> Vec<Object> {
        let listing = files::list(&self.paths);
        let changed = self.read(self.difference(&listing));
        self.problems = listing.problems;
        upserts(self.held.apply(changed))
    }

    /// Looks for changes, and reads what changed.
    pub(super) fn look(&mut self) -> Look {
        let begun = Instant::now();
        let listing = files::list(&self.paths);
        let difference = self.difference(&listing);
        let mut look = Look { changes: Vec::new(), reported: false, took: begun.elapsed() };
        if self.is_unsettled(difference.newest) {
            return look;
        }
        let changed = self.read(difference);
        look.reported = !changed.is_empty() || self.problems != listing.problems;
        if !changed.is_empty() {
            self.reloads += 1;
            look.changes = self.held.apply(changed);
        }
        self.problems = listing.problems;
        look
    }

    /// What is in use and what is wrong.
    pub(super) fn report(&self) -> Report {
        Report { reloads: self.reloads, ..self.held.report(&self.problems) }
    }

    /// Compares a listing with what is known.
    fn difference<'l>(&self, listing: &'l Listing) -> Difference<'l> {
        let mut difference = Difference::default();
        for (path, stamp) in &listing.files {
            let known = self.known.get(path.as_path());
            let is_new = known.is_none_or(|known| known.stamp != *stamp);
            if is_new {
                difference.newest = difference.newest.max(Some(stamp.changed()));
            }
            if is_new || known.is_some_and(|known| known.doubtful) {
                difference.to_read.push((path, stamp));
            }
        }
        let may_be_there = |path: &Path| path.ancestors().any(|above| listing.hidden.contains(above));
        let gone = self.known.keys().filter(|path| !listing.files.contains_key(&***path));
        difference.gone = gone.filter(|path| !may_be_there(path)).cloned().collect();
        if difference.newest.is_some() || !difference.gone.is_empty() {
            difference.newest = difference.newest.max(listing.directories_changed);
        }
        difference
    }

    /// Whether the newest change is so new that more may follow.
    fn is_unsettled(&mut self, newest: Option<SystemTime>) -> bool {
        let age = newest.and_then(|newest| SystemTime::now().duration_since(newest).ok());
        let is_new = age.is_some_and(|age| age < SETTLE);
        if is_new && self.unsettled.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
            return true;
        }
        self.unsettled = None;
        false
    }

    /// The contents of all files whose content changed; nothing for those that are gone.
    fn read(&mut self, difference: Difference<'_>) -> Vec<(Arc<Path>, Option<Contents>)> {
        let mut changed = Vec::new();
        for path in difference.gone {
            self.known.remove(&path);
            changed.push((path, None));
        }
        for (path, stamp) in difference.to_read {
            let read = files::read(path);
            let content = FixedState::default().hash_one(&read);
            let age = SystemTime::now().duration_since(stamp.changed());
            let doubtful = read.is_err() || age.is_ok_and(|age| age < CLOCK_STEP);
            let path: Arc<Path> = path.as_path().into();
            let known = self.known.insert(path.clone(), Known { stamp: stamp.clone(), content, doubtful });
            if known.is_none_or(|known| known.content != content) {
                let name = path.display().to_string();
                let contents = match read {
                    Ok(bytes) => Contents::read(&name, &bytes),
                    Err(message) => Contents::unreadable(&name, &message),
                };
                changed.push((path, Some(contents)));
            }
        }
        changed
    }
}

/// The objects of changes that only add.
fn upserts(changes: Vec<Change>) -> Vec<Object> {
    let object = |change| match change {
        Change::Upsert(object) => Some(object),
        Change::Remove(_) | Change::Retain { .. } | Change::Replace(_) | Change::Batch(_) => None,
    };
    changes.into_iter().filter_map(object).collect()
}
