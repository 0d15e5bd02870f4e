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
    /// How long it took to look, without reading what changed.
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
        let changed = self.read(&listing);
        self.problems = listing.problems;
        upserts(self.held.apply(changed))
    }

    /// Looks for changes, and reads what changed.
    pub(super) fn look(&mut self) -> Look {
        let begun = Instant::now();
        let listing = files::list(&self.paths);
        let took = begun.elapsed();
        let mut look = Look { changes: Vec::new(), reported: false, took };
        if self.is_unsettled(&listing) {
            return look;
        }
        let changed = self.read(&listing);
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

    /// Whether the changes that a listing shows are so new that more may follow.
    fn is_unsettled(&mut self, listing: &Listing) -> bool {
        let renewed = listing.files.iter().filter(|(path, stamp)| {
            self.known.get(path.as_path()).is_none_or(|known| known.stamp != **stamp)
        });
        let mut newest = renewed.map(|(_, stamp)| stamp.changed()).max();
        if newest.is_some() || self.gone(listing).next().is_some() {
            newest = newest.max(listing.directories_changed);
        }
        let age = newest.and_then(|newest| SystemTime::now().duration_since(newest).ok());
        if age.is_none_or(|age| age >= SETTLE) {
            self.unsettled = None;
            return false;
        }
        let since = *self.unsettled.get_or_insert_with(Instant::now);
        if since.elapsed() < PATIENCE {
            return true;
        }
        self.unsettled = None;
        false
    }

    /// Known files that are there no more.
    fn gone<'m>(&'m self, listing: &'m Listing) -> impl Iterator<Item = &'m Arc<Path>> {
        self.known.keys().filter(|path| {
            !listing.files.contains_key(&***path)
                && (listing.hidden.is_empty()
                    || !path.ancestors().any(|above| listing.hidden.contains(above)))
        })
    }

    /// The contents of all files whose content changed; nothing for those that are gone.
    fn read(&mut self, listing: &Listing) -> Vec<(Arc<Path>, Option<Contents>)> {
        let mut changed = Vec::new();
        for path in self.gone(listing).cloned().collect::<Vec<_>>() {
            self.known.remove(&path);
            changed.push((path, None));
        }
        for (path, stamp) in &listing.files {
            let known = self.known.get(path.as_path());
            if known.is_some_and(|known| known.stamp == *stamp && !known.doubtful) {
                continue;
            }
            let read = files::read(path);
            let content = FixedState::default().hash_one(&read);
            let age = SystemTime::now().duration_since(stamp.changed());
            let doubtful = read.is_err() || age.is_ok_and(|age| age < CLOCK_STEP);
            let is_same = known.is_some_and(|known| known.content == content);
            let path: Arc<Path> = path.as_path().into();
            self.known.insert(path.clone(), Known { stamp: stamp.clone(), content, doubtful });
            if !is_same {
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
        Change::Remove(_) | Change::Replace(_) | Change::Batch(_) => None,
    };
    changes.into_iter().filter_map(object).collect()
}
