//! A file that takes the place of another one when it is whole.
//!
//! Rules: it is written beside that one under a name of its own, and takes its name when the disk has all of it, so that
//! whoever looks sees the old one or the new one. It is locked while it is written: what is not locked was left behind
//! by a process that ended, and is removed by the next one.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;

/// What the names of such files end with.
const SUFFIX: &str = ".part";
/// Names to try before giving up: what others write has names, too.
const TRIES: u32 = 100;

/// A file that is not whole. It is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
    placed: bool,
}

impl Part {
    /// An empty one that is to become `path`; only its owner can read it.
    pub(super) fn beside(path: &Path) -> io::Result<Self> {
        remove_left_behind(path)?;
        let mut number = 0;
        loop {
            let part = named(path, number);
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part) {
                Ok(file) => {
                    // Nobody else has a reason to lock it; where locks do not work, it is merely taken for left behind.
                    let _ = file.try_lock();
                    return Ok(Self { path: part, file, placed: false });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < TRIES => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Lets it take the place of `path`. When this returns, it has it even after a crash.
    pub(super) fn place(mut self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, path)?;
        self.placed = true;
        File::open(directory(path))?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.placed {
            // It is found by the next one if this fails.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The directory that a file is in.
pub(super) fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn named(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}-{number}{SUFFIX}", process::id()));
    PathBuf::from(name)
}

fn remove_left_behind(path: &Path) -> io::Result<()> {
    let Some(name) = path.file_name() else { return Ok(()) };
    for entry in std::fs::read_dir(directory(path))? {
        let entry = entry?;
        if is_part_of(&entry.file_name(), name)
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            // Somebody else may be faster.
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Whether a file is called NAME.PROCESS-NUMBER.part.
fn is_part_of(file: &OsString, name: &OsStr) -> bool {
    let Some(rest) = file.as_bytes().strip_prefix(name.as_bytes()) else { return false };
    let Some(middle) = rest.strip_prefix(b".").and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes())) else {
        return false;
    };
    let mut numbers = middle.split(|octet| *octet == b'-');
    let is_number = |text: Option<&[u8]>| {
        text.is_some_and(|text| !text.is_empty() && text.iter().all(u8::is_ascii_digit))
    };
    is_number(numbers.next()) && is_number(numbers.next()) && numbers.next().is_none()
}
