//! `sources`: where objects come from.
//!
//! Paths are taken as they are: relative ones start from the working directory. The live cluster and istiod are
//! known by their keys and not supported yet.

use std::path::PathBuf;

use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;

const EMPTY_PATH: &str = "the path is empty: a file or directory is expected";

/// Where objects come from, as used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files and directories of manifests. Default: none.
    pub manifests: Vec<PathBuf>,
}

impl Sources {
    /// Reads `sources` of the root section.
    pub(super) fn read(report: &Report, root: &mut Section<'_>, overrides: &Overrides) -> Self {
        let written = root.section("sources", |section| {
            section.section("kubernetes", |kubernetes| {
                planned(kubernetes, &["kubeconfig", "context", "namespaces"]);
            });
            section.section("istiod", |istiod| planned(istiod, &["address", "tls", "token", "node"]));
            section.take("manifests").and_then(|field| field.list("a path", path))
        });
        let flags = overrides.manifests.clone();
        if flags.iter().any(|path| path.as_os_str().is_empty()) {
            report.add_flag("--manifests", EMPTY_PATH);
        }
        let written = written.into_iter().flatten().map(|placed| placed.value);
        Self { manifests: if flags.is_empty() { written.collect() } else { flags } }
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err(EMPTY_PATH.to_owned()) } else { Ok(PathBuf::from(text)) }
}

/// Refuses every key of a source that is known and not there yet.
fn planned(section: &mut Section<'_>, keys: &[&'static str]) {
    for key in keys {
        section.take(key).and_then(|field| field.unsupported::<()>());
    }
}
