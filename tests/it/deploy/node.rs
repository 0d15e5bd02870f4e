//! A node: what its pods share of its file system.

use std::path::PathBuf;

use crate::support::process::written;

/// A directory that stands for its root.
pub(super) struct Node(PathBuf);

impl Node {
    pub(super) fn new() -> Self {
        Self(written("node", "").parent().unwrap().to_owned())
    }

    /// A directory of it, made as the kubelet makes those that are missing: its own, and for nobody else to write to.
    pub(super) fn directory(&self, path: &str) -> PathBuf {
        let directory = self.0.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }
}
