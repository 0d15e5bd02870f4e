//! A clock that is set while a program runs, by libfaketime.

use std::path::PathBuf;
use std::process::Command;

use super::process::written;

/// The clock of one program: that of the machine, and so much more or less. What passes is not touched, as when a clock is really set.
pub(crate) struct Clock(PathBuf);

impl Clock {
    /// Right.
    pub(crate) fn right() -> Self {
        Self(written("clock", "+0"))
    }

    /// Gives it to a program.
    pub(crate) fn give<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", &self.0);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }

    /// Sets it, in the words of libfaketime: `+3d`, `-30d`, `+0`.
    pub(crate) fn set(&self, to: &str) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, to).unwrap();
        std::fs::rename(new, &self.0).unwrap();
    }
}

/// Where Debian puts it.
fn library() -> PathBuf {
    let directories = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut files = directories.map(|directory| directory.join("faketime/libfaketime.so.1"));
    files.find(|file| file.exists()).expect("libfaketime comes with scripts/setup")
}
