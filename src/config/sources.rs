//! `sources`: where objects come from.
//!
//! Paths are taken as they are: relative ones start from the working directory.

use std::path::PathBuf;

use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;
use super::{SnapshotSettings, api_server, istiod};
use crate::source::istiod::IstiodSettings;
use crate::source::kubernetes::KubernetesSource;

const EMPTY_PATH: &str = "the path is empty: a file or directory is expected";

/// Where objects come from, as used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files and directories of manifests. Default: none.
    pub manifests: Vec<PathBuf>,
    /// The API server of Kubernetes. Default: none.
    pub kubernetes: Option<KubernetesSource>,
    /// Where what the API server said is kept for restarts. Default: nowhere.
    pub snapshot: Option<SnapshotSettings>,
    /// istiod, for its name table. Default: none.
    pub istiod: Option<IstiodSettings>,
}

impl Sources {
    /// Reads `sources` of the root section. The API server waits for what other sections say.
    pub(super) fn read(
        report: &Report,
        root: &mut Section<'_>,
        overrides: &Overrides,
    ) -> (Self, Option<api_server::Written>) {
        let (manifests, kubernetes, istiod) = root.section("sources", |section| {
            let kubernetes = api_server::read(report, section, overrides);
            let istiod = section.section("istiod", |section| istiod::read(report, section, overrides));
            (section.take("manifests").and_then(|field| field.list("a path", path)), kubernetes, istiod)
        });
        let flags = overrides.manifests.clone();
        if flags.iter().any(|path| path.as_os_str().is_empty()) {
            report.add_flag("--manifests", EMPTY_PATH);
        }
        let written = manifests.into_iter().flatten().map(|placed| placed.value);
        let manifests = if flags.is_empty() { written.collect() } else { flags };
        let snapshot = kubernetes.as_ref().and_then(|written| written.snapshot.clone());
        (Self { manifests, kubernetes: None, snapshot, istiod }, kubernetes)
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err(EMPTY_PATH.to_owned()) } else { Ok(PathBuf::from(text)) }
}
