//! Flags that several commands share. Each has an environment variable, and both replace what the settings file says.

use std::path::PathBuf;

use clap::Args;
use meshdns::config::{Overrides, Problems, Settings};

/// Where settings come from, and those that decide about answers.
#[derive(Args, Debug)]
pub(super) struct AnswerFlags {
    /// Settings file, YAML or JSON
    #[arg(long, value_name = "FILE", env = "MESHDNS_CONFIG", hide_env_values = true)]
    pub(super) config: Option<PathBuf>,
    /// File or directory with manifests; repeatable [setting: sources.manifests]
    #[arg(
        long,
        value_name = "PATH",
        env = "MESHDNS_MANIFESTS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    manifests: Vec<PathBuf>,
    /// Read the API server of Kubernetes: in a pod with its service account, elsewhere by kubeconfig [setting: sources.kubernetes]
    #[arg(
        long,
        value_name = "BOOLEAN",
        env = "MESHDNS_KUBERNETES",
        hide_env_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        hide_default_value = true,
        action = clap::ArgAction::Set
    )]
    kubernetes: bool,
    /// Kubeconfig file of the API server to read [setting: sources.kubernetes.kubeconfig]
    #[arg(long, value_name = "FILE", env = "MESHDNS_KUBECONFIG", hide_env_values = true)]
    kubeconfig: Option<PathBuf>,
    /// Zone to answer for, a name or a CIDR; repeatable [setting: zones]
    #[arg(
        long = "zone",
        value_name = "ZONE",
        env = "MESHDNS_ZONE",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(super) zones: Vec<String>,
    /// File that remembers the addresses given to ServiceEntry hosts [setting: serviceEntries.ledger.file]
    #[arg(long, value_name = "FILE", env = "MESHDNS_LEDGER_FILE", hide_env_values = true)]
    ledger_file: Option<PathBuf>,
    /// Whether names outside the zones get NXDOMAIN instead of REFUSED [setting: catchAll]
    #[arg(
        long,
        value_name = "BOOLEAN",
        env = "MESHDNS_CATCH_ALL",
        hide_env_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    catch_all: Option<bool>,
}

/// Where the server listens, and whom it asks.
#[derive(Args, Debug)]
pub(super) struct ServerFlags {
    /// Where CoreDNS asks: address:port or unix:///path; repeatable [setting: listen.grpc]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "MESHDNS_GRPC_LISTEN",
        hide_env_values = true,
        value_delimiter = ','
    )]
    grpc_listen: Vec<String>,
    /// Where gRPC may be asked without TLS: local or anywhere [setting: listen.grpcPlaintext]
    #[arg(long, value_name = "WHERE", env = "MESHDNS_GRPC_PLAINTEXT", hide_env_values = true)]
    grpc_plaintext: Option<String>,
    /// Plain DNS over UDP and TCP: address:port; repeatable [setting: listen.dns]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "MESHDNS_DNS_LISTEN",
        hide_env_values = true,
        value_delimiter = ','
    )]
    dns_listen: Vec<String>,
    /// Health, metrics and explanations over HTTP: address:port or off [setting: listen.admin]
    #[arg(long, value_name = "ADDRESS", env = "MESHDNS_ADMIN_LISTEN", hide_env_values = true)]
    admin_listen: Option<String>,
    /// istiod, for its name table: host:port [setting: sources.istiod.address]
    #[arg(long, value_name = "ADDRESS", env = "MESHDNS_ISTIOD", hide_env_values = true)]
    istiod: Option<String>,
    /// Server that resolves targets outside the zones; repeatable [setting: upstreams]
    #[arg(
        long = "upstream",
        value_name = "ADDRESS",
        env = "MESHDNS_UPSTREAM",
        hide_env_values = true,
        value_delimiter = ','
    )]
    upstreams: Vec<String>,
}

impl AnswerFlags {
    /// The settings that file, flags and environment give together.
    pub(super) fn settings(self, server: Option<ServerFlags>) -> Result<Settings, Problems> {
        let config = self.config.clone();
        Settings::load(config.as_deref(), &self.overrides(server))
    }

    /// What the flags replace.
    pub(super) fn overrides(self, server: Option<ServerFlags>) -> Overrides {
        let mut overrides = Overrides {
            manifests: self.manifests,
            kubernetes: self.kubernetes,
            kubeconfig: self.kubeconfig,
            zones: self.zones,
            catch_all: self.catch_all,
            ledger_file: self.ledger_file,
            ..Overrides::default()
        };
        if let Some(server) = server {
            overrides.grpc_listen = server.grpc_listen;
            overrides.grpc_plaintext = server.grpc_plaintext;
            overrides.dns_listen = server.dns_listen;
            overrides.admin_listen = server.admin_listen;
            overrides.istiod = server.istiod;
            overrides.upstreams = server.upstreams;
        }
        overrides
    }
}
