//! Why a snapshot cannot be written or is not used.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::Key;

/// What is wrong with a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The system refuses something.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `open it`.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// It is something else.
    #[error("{}: it is no snapshot; nothing is changed in it: correct the name of the snapshot's file, or move this one away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version of meshdns wrote it.
    #[error("{}: the snapshot has format {found}, this version knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The one that we know.
        known: u32,
    },
    /// It ends too early.
    #[error("{}: the snapshot is cut off: it ends after {length} octets, in {within}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How long it is.
        length: u64,
        /// In the middle of what: `block 3`.
        within: String,
    },
    /// It is not what was written.
    #[error("{}: the snapshot is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it: `the checksum of block 3 differs`.
        what: String,
    },
    /// It is one of other objects.
    #[error("{}: the snapshot is that of `{}`, and not of `{}`", path.display(), was.escape_debug(), is.escape_debug())]
    OtherScope {
        /// The file.
        path: PathBuf,
        /// The cluster and scope that it has.
        was: String,
        /// Ours.
        is: String,
    },
    /// Nobody has said for too long that this is how things stand.
    #[error("{}: the snapshot is {} s old, and {} s are allowed", path.display(), age.as_secs(), limit.as_secs())]
    TooOld {
        /// The file.
        path: PathBuf,
        /// How old it is.
        age: Duration,
        /// What is allowed.
        limit: Duration,
    },
    /// It comes from a time that is yet to come, so its age is not known.
    #[error("{}: the snapshot was taken {} s from now: the clock was changed", path.display(), ahead.as_secs())]
    Unborn {
        /// The file.
        path: PathBuf,
        /// How far off that time is.
        ahead: Duration,
    },
    /// An object does not fit into it.
    #[error("{}: {object} takes {octets} octets, and {most} can be written", path.display())]
    LargeObject {
        /// The file.
        path: PathBuf,
        /// The object.
        object: Key,
        /// What it takes.
        octets: usize,
        /// What fits.
        most: usize,
    },
}

impl SnapshotError {
    /// What was tried and failed, for `map_err`.
    pub(super) fn io(path: &std::path::Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }
}
