//! What running takes from the settings, and the limits that are no settings.
//!
//! Rules: limits are constants chosen to hold for everybody; they stand together so that tests can make them small.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::address::GrpcAddress;
use crate::config;
use crate::serve::chase::{ChaseLimits, Upstreams};
use crate::serve::grpc::GrpcLimits;
use crate::serve::tcp::TcpLimits;
use crate::serve::{Hello, PulseLimits};

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What the server needs to know.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// gRPC listeners.
    pub grpc: Vec<GrpcAddress>,
    /// Plain DNS listeners, UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// Admin HTTP.
    pub admin: Option<SocketAddr>,
    /// Who may see its pages that show names and objects.
    pub inspect: config::Inspect,
    /// Who looks up names outside our zones.
    pub upstreams: Upstreams,
    /// Threads that answer queries.
    pub workers: NonZeroUsize,
    /// How long everything goes on once we are told to stop, so that who sends us clients hears of it first.
    pub lameduck: Duration,
    /// Where to write the addresses that were bound.
    pub ports_file: Option<PathBuf>,
    /// What connections and lookups may take.
    pub limits: Limits,
}

/// What connections, lookups and the end may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How soon a client of gRPC or admin must say something.
    pub hello: Duration,
    /// Connections to all gRPC listeners together.
    pub grpc_connections: usize,
    /// What one of them may do.
    pub grpc: GrpcLimits,
    /// Connections to all plain DNS listeners together.
    pub tcp_connections: usize,
    /// Connections of one address to them.
    pub tcp_connections_per_source: usize,
    /// What one of them may do.
    pub tcp: TcpLimits,
    /// Connections to the admin listener.
    pub admin_connections: usize,
    /// Lookups at upstreams.
    pub chase: ChaseLimits,
    /// How long calls under way may take once we stop.
    pub drain: Duration,
    /// When a worker is stuck.
    pub pulse: PulseLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello: Hello::HTTP2.within,
            grpc_connections: 4096,
            grpc: GrpcLimits::default(),
            tcp_connections: 1024,
            tcp_connections_per_source: 128,
            tcp: TcpLimits::default(),
            admin_connections: 64,
            chase: ChaseLimits::default(),
            drain: Duration::from_secs(10),
            pulse: PulseLimits::default(),
        }
    }
}

impl RunSettings {
    /// Nothing listens; every core works.
    pub fn new() -> Self {
        Self {
            grpc: Vec::new(),
            dns: Vec::new(),
            admin: None,
            inspect: config::Inspect::default(),
            upstreams: Upstreams::ResolvConf(RESOLV_CONF.into()),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            lameduck: Duration::ZERO,
            ports_file: None,
            limits: Limits::default(),
        }
    }
}

impl Default for RunSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&config::Settings> for RunSettings {
    fn from(settings: &config::Settings) -> Self {
        let grpc = settings.listen.grpc.iter().map(|address| match address {
            config::GrpcAddress::Tcp(address) => GrpcAddress::Tcp(*address),
            config::GrpcAddress::Unix(path) => GrpcAddress::Unix(path.clone()),
        });
        let upstreams = match &settings.upstreams {
            config::Upstreams::ResolvConf => Upstreams::ResolvConf(RESOLV_CONF.into()),
            config::Upstreams::Servers(servers) => Upstreams::Servers(servers.clone()),
        };
        let mut limits = Limits::default();
        limits.grpc.age = settings.listen.grpc_max_connection_age;
        Self {
            grpc: grpc.collect(),
            dns: settings.listen.dns.clone(),
            admin: settings.listen.admin,
            inspect: settings.listen.inspect,
            upstreams,
            lameduck: settings.listen.lameduck,
            limits,
            ..Self::new()
        }
    }
}
