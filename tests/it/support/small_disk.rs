//! A file system of a given size, which can be full.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{is_root, written};

/// A file system in memory that one program has mounted and nobody else, at a directory of its own.
pub(crate) struct SmallDisk(PathBuf);

/// What takes all the room.
const FILLER: &str = "filler";

impl SmallDisk {
    pub(crate) fn new() -> Self {
        Self(written("disk", "").with_file_name("mounted"))
    }

    /// Where the program has a file of it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A program that has it, with so many octets of room.
    pub(crate) fn give(&self, program: &str, octets: u32) -> Command {
        std::fs::create_dir(&self.0).unwrap();
        let mount = format!("mount -t tmpfs -o size={octets} tmpfs \"$0\" && exec \"$@\"");
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "sh", "-c", &mount]).arg(&self.0).arg(program);
        command
    }

    /// The same files, seen from outside of the program.
    fn outside(&self, program: u32) -> PathBuf {
        let inside = self.0.strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{program}/root")).join(inside)
    }

    /// What is on it, in alphabetical order.
    pub(crate) fn listed(&self, program: u32) -> Vec<String> {
        let entries = std::fs::read_dir(self.outside(program)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != FILLER);
        names.sort_unstable();
        names
    }

    /// What a file of it has in it.
    pub(crate) fn read(&self, program: u32, name: &str) -> Vec<u8> {
        std::fs::read(self.outside(program).join(name)).unwrap_or_default()
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self, program: u32) {
        let mut filler = std::fs::File::create(self.outside(program).join(FILLER)).unwrap();
        let full = loop {
            if let Err(error) = filler.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    }

    /// Gives it back.
    pub(crate) fn make_room(&self, program: u32) {
        std::fs::remove_file(self.outside(program).join(FILLER)).unwrap();
    }
}
