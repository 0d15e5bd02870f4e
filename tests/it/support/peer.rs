//! The executables of programs that the tests talk to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A program of `tests/peers`.
pub(crate) struct Peer {
    name: &'static str,
    tool: Option<&'static str>,
    variable: &'static str,
    path: OnceLock<PathBuf>,
}

impl Peer {
    /// The one in this directory, unless the environment variable names an executable.
    pub(crate) const fn new(name: &'static str, variable: &'static str) -> Self {
        Self { name, tool: None, variable, path: OnceLock::new() }
    }

    /// A tool that the `go.mod` in this directory names, unless the environment variable names an executable.
    pub(crate) const fn tool(name: &'static str, tool: &'static str, variable: &'static str) -> Self {
        Self { name, tool: Some(tool), variable, path: OnceLock::new() }
    }

    /// The executable, built if need be.
    pub(crate) fn path(&self) -> &Path {
        self.path.get_or_init(|| match std::env::var_os(self.variable) {
            Some(path) => path.into(),
            None => printed_by(
                Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/peer"))
                    .arg(self.name)
                    .args(self.tool),
            ),
        })
    }
}

/// The definitions of custom resources that `scripts/crds` collects, or those that `MESHDNS_CRDS` names.
pub(crate) fn crds() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| match std::env::var_os("MESHDNS_CRDS") {
        Some(path) => path.into(),
        None => printed_by(&mut Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/crds"))),
    })
}

/// Where prometheus and promtool are.
pub(crate) fn prometheus() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| match std::env::var_os("MESHDNS_PROMETHEUS") {
        Some(path) => path.into(),
        None => printed_by(&mut Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/prometheus"))),
    })
}

/// The path that a script of the project prints.
fn printed_by(script: &mut Command) -> PathBuf {
    let output = script.stderr(Stdio::inherit()).output().expect("the script is part of the project");
    assert!(output.status.success(), "{script:?} failed");
    String::from_utf8(output.stdout).unwrap().trim().into()
}
