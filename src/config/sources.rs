//! `sources`: where objects come from.
//!
//! Paths are taken as they are: relative ones start from the working directory. The live cluster is known by its keys
//! and not supported yet.

use std::path::PathBuf;

use super::istiod;
use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;
use crate::source::istiod::IstiodSettings;

const EMPTY_PATH: &str = "the path is empty: a file or directory is expected";

/// Where objects come from, as used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files and directories of manifests. Default: none.
    pub manifests: Vec<PathBuf>,
    /// istiod, for its name table. Default: none.
    pub istiod: Option<IstiodSettings>,
}

impl Sources {
    /// Reads `sources` of the root section.
    pub(super) fn read(report: &Report, root: &mut Section<'_>, overrides: &Overrides) -> Self {
        let (manifests, istiod) = root.section("sources", |section| {
            section.section("kubernetes", |kubernetes| {
                planned(kubernetes, &["kubeconfig", "context", "namespaces"]);
            });
            let istiod = section.section("istiod", |section| istiod::read(report, section, overrides));
            (section.take("manifests").and_then(|field| field.list("a path", path)), istiod)
        });
        let flags = overrides.manifests.clone();
        if flags.iter().any(|path| path.as_os_str().is_empty()) {
            report.add_flag("--manifests", EMPTY_PATH);
        }
        let written = manifests.into_iter().flatten().map(|placed| placed.value);
        Self { manifests: if flags.is_empty() { written.collect() } else { flags }, istiod }
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err(EMPTY_PATH.to_owned()) } else { Ok(PathBuf::from(text)) }
}

/// Refuses every key of a source that is known and not there yet.
fn planned(section: &mut Section<'_>, keys: &[&'static str]) {
    for key in keys {
        section.take(key).and_then(|field| field.unsupported::<()>());
    }
}
