//! The manifest files below the given paths, and how to tell that one changed.
//!
//! Files that end in `.yaml`, `.yml` or `.json` count, in directories of any depth; a path that is given itself
//! counts whatever it is called. Names that begin with a dot are passed over, but links are followed: in a mounted
//! ConfigMap `a.yaml` links to `..data/a.yaml`, and `..data` to the directory of the day. What is reached in several
//! ways counts once, so that links in a circle end.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Largest file that is read.
const MAX_SIZE: u64 = 64 << 20;

/// What one look at the tree found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The files, each with its fingerprint.
    pub(super) files: BTreeMap<PathBuf, Stamp>,
    /// What cannot be looked at, and why.
    pub(super) problems: BTreeMap<PathBuf, String>,
    /// Files and directories that are there, but cannot be looked at: what they held may be there still.
    pub(super) hidden: BTreeSet<PathBuf>,
    /// When a directory was last changed.
    pub(super) directories_changed: Option<SystemTime>,
    /// Canonical paths of all that was visited.
    visited: HashSet<PathBuf>,
}

/// What changes when a file does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    canonical: PathBuf,
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds of the last change to the content.
    modified: (i64, i64),
    /// The same of the last change to the inode, which no tool can set back.
    changed: (i64, i64),
}

impl Stamp {
    fn new(canonical: PathBuf, metadata: &Metadata) -> Self {
        Self {
            canonical,
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// When the file was last changed, by either clock.
    pub(super) fn changed(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.modified.max(self.changed);
        let since =
            std::time::Duration::new(seconds.try_into().unwrap_or(0), nanoseconds.try_into().unwrap_or(0));
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// Looks at everything below `roots`.
pub(super) fn list(roots: &[PathBuf]) -> Listing {
    let mut listing = Listing::default();
    for root in roots {
        match (fs::metadata(root), fs::canonicalize(root)) {
            (Ok(metadata), Ok(canonical)) => {
                if !metadata.is_dir() && !metadata.is_file() {
                    listing.problems.insert(root.clone(), "is neither a file nor a directory".to_owned());
                } else {
                    listing.visit(root.clone(), canonical, &metadata);
                }
            }
            (Err(error), _) | (_, Err(error)) => {
                let vanished = error.kind() == ErrorKind::NotFound && fs::symlink_metadata(root).is_err();
                if vanished {
                    listing.problems.insert(root.clone(), reason(&error));
                } else {
                    listing.hide(root.clone(), &error);
                }
            }
        }
    }
    listing
}

/// Reads a whole file, unless it is too large.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(reason(&error)),
        Ok(_) if bytes.len() as u64 > MAX_SIZE => Err("the file is larger than 64 MiB".to_owned()),
        Ok(_) => Ok(bytes),
    }
}

/// The words for an error, without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

impl Listing {
    fn visit(&mut self, path: PathBuf, canonical: PathBuf, metadata: &Metadata) {
        if !self.visited.insert(canonical.clone()) {
            return;
        }
        if metadata.is_file() {
            self.files.insert(path, Stamp::new(canonical, metadata));
            return;
        }
        self.directories_changed = self.directories_changed.max(metadata.modified().ok());
        let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        match entries {
            Err(error) => self.hide(path, &error),
            Ok(mut entries) => {
                entries.sort_by_key(fs::DirEntry::file_name);
                for entry in &entries {
                    self.entry(entry, &canonical);
                }
            }
        }
    }

    /// One entry of the directory `parent`.
    fn entry(&mut self, entry: &fs::DirEntry, parent: &Path) {
        let (name, path) = (entry.file_name(), entry.path());
        if name.as_encoded_bytes().starts_with(b".") {
            return;
        }
        let kind = entry.file_type();
        let is_manifest = is_manifest(&path);
        if !is_manifest && kind.as_ref().is_ok_and(fs::FileType::is_file) {
            return;
        }
        let is_link = !kind.is_ok_and(|kind| !kind.is_symlink());
        let canonical = if is_link { fs::canonicalize(&path) } else { Ok(parent.join(&name)) };
        match (fs::metadata(&path), canonical) {
            (Ok(metadata), Ok(canonical)) if metadata.is_dir() || (metadata.is_file() && is_manifest) => {
                self.visit(path, canonical, &metadata);
            }
            (Ok(_), Ok(_)) => {}
            (Err(error), _) | (_, Err(error)) => {
                // Gone since the directory was read, or a link to nowhere?
                if error.kind() != ErrorKind::NotFound || fs::symlink_metadata(&path).is_ok() {
                    self.hide(path, &error);
                }
            }
        }
    }

    fn hide(&mut self, path: PathBuf, error: &io::Error) {
        self.problems.insert(path.clone(), reason(error));
        self.hidden.insert(path);
    }
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| matches!(extension, "yaml" | "yml" | "json"))
}
