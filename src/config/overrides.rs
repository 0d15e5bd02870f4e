//! What was given besides the settings file.

use std::path::PathBuf;

/// What flags and the environment say. A list that is not empty replaces the one of the file; problems are
/// reported with the flag's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--manifests`, for `sources.manifests`.
    pub manifests: Vec<PathBuf>,
    /// `--kubernetes`, which turns on `sources.kubernetes`.
    pub kubernetes: bool,
    /// `--kubeconfig`, for `sources.kubernetes.kubeconfig`, which it turns on.
    pub kubeconfig: Option<PathBuf>,
    /// `--istiod`, for `sources.istiod.address`.
    pub istiod: Option<String>,
    /// `--grpc-listen`, for `listen.grpc`.
    pub grpc_listen: Vec<String>,
    /// `--grpc-plaintext`, for `listen.grpcPlaintext`.
    pub grpc_plaintext: Option<String>,
    /// `--dns-listen`, for `listen.dns`.
    pub dns_listen: Vec<String>,
    /// `--admin-listen`, for `listen.admin`; `off` turns it off.
    pub admin_listen: Option<String>,
    /// `--zone`, for `zones`.
    pub zones: Vec<String>,
    /// `--upstream`, for `upstreams`.
    pub upstreams: Vec<String>,
    /// `--ledger-file`, for `serviceEntries.ledger.file`.
    pub ledger_file: Option<PathBuf>,
    /// `--catch-all`, for `catchAll`.
    pub catch_all: Option<bool>,
}
