//! The executables of programs that the tests talk to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A program of `tests/peers`.
pub(crate) struct Peer {
    name: &'static str,
    variable: &'static str,
    path: OnceLock<PathBuf>,
}

impl Peer {
    /// The one in this directory, unless the environment variable names an executable.
    pub(crate) const fn new(name: &'static str, variable: &'static str) -> Self {
        Self { name, variable, path: OnceLock::new() }
    }

    /// The executable, built if need be.
    pub(crate) fn path(&self) -> &Path {
        self.path.get_or_init(|| match std::env::var_os(self.variable) {
            Some(path) => path.into(),
            None => {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/peer");
                let output = Command::new(script).arg(self.name).stderr(Stdio::inherit()).output();
                let output = output.expect("scripts/peer is part of the project");
                assert!(output.status.success(), "scripts/peer {} failed", self.name);
                String::from_utf8(output.stdout).unwrap().trim().into()
            }
        })
    }
}
