//! `meshdns corefile`: what it prints is run on a real CoreDNS, and what it says of Corefiles that are there is so.

mod coverage;
mod platforms;
mod refused;
mod watch;

use std::path::{Path, PathBuf};

use crate::commands::{Ran, command, ran};

/// The settings of `examples/`, which find their manifests from the project's directory.
const EXAMPLES: &str = "examples/meshdns.yaml";

/// `meshdns corefile` in the project's directory.
fn corefile(config: &str, arguments: &[&str]) -> Ran {
    ran(command().args(["corefile", "--config", config]).args(arguments))
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corefiles").join(name)
}
