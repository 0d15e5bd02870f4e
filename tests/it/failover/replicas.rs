//! Replicas of meshdns with the same data, and a CoreDNS in front of them.

use std::net::SocketAddr;
use std::process::Command;

use crate::support::coredns::CoreDns;
use crate::support::process::{Meshdns, Ports, free_address, written};

use super::load::objects;

/// A server that can be started again where it was.
pub(super) struct Replica {
    ports: Ports,
    settings: String,
    pub(super) server: Meshdns,
}

impl Replica {
    /// One that has begun to start, with further settings in YAML.
    pub(super) fn begin(more: &str) -> Self {
        let manifests = written("load.yaml", objects());
        let settings = format!(
            "zones: [internal]\nsources:\n  manifests: [\"{}\"]\n{}",
            manifests.display(),
            more.trim_start_matches('\n')
        );
        let ports = Ports::free();
        let server = server(ports, &settings);
        Self { ports, settings, server }
    }

    /// That many that are ready.
    pub(super) fn several(count: usize, more: &str) -> Vec<Self> {
        let mut replicas: Vec<_> = (0..count).map(|_| Self::begin(more)).collect();
        for replica in &mut replicas {
            replica.server.wait_until_ready();
        }
        replicas
    }

    /// Where CoreDNS asks.
    pub(super) fn grpc(&self) -> SocketAddr {
        self.ports.grpc
    }

    /// Where it tells how it is.
    pub(super) fn admin(&self) -> SocketAddr {
        self.ports.admin
    }

    /// Ends it with this signal, and starts it at the same place again.
    pub(super) fn restart(&mut self, signal: &str) {
        self.end(signal);
        self.start();
    }

    /// Ends it with this signal.
    pub(super) fn end(&mut self, signal: &str) {
        self.server.signal(signal);
        let status = self.server.wait_for_end();
        assert_eq!(status.code(), (signal == "TERM").then_some(0), "{status}");
    }

    /// Starts it again, and waits until it is ready.
    pub(super) fn start(&mut self) {
        self.server = server(self.ports, &self.settings);
        self.server.wait_until_ready();
    }
}

fn server(ports: Ports, settings: &str) -> Meshdns {
    Meshdns::begin_on(ports, &mut Command::new(env!("CARGO_BIN_EXE_meshdns")), settings, &[])
}

/// A CoreDNS whose grpc plugin names these upstreams, without a cache.
pub(super) struct Front {
    pub(super) dns: SocketAddr,
    _coredns: CoreDns,
}

impl Front {
    /// With more in its server block, and more inside the braces of `grpc`.
    pub(super) fn start(upstreams: &[SocketAddr], plugins: &str, options: &str) -> Self {
        let upstreams: Vec<_> = upstreams.iter().map(ToString::to_string).collect();
        let block = format!("grpc . {} {{\n{options}\n}}\n{plugins}", upstreams.join(" "));
        Self::serving(|dns| format!(".:{} {{\nbind {}\n{block}\n}}", dns.port(), dns.ip()))
    }

    /// With the Corefile that serves at a free address.
    pub(super) fn serving(corefile: impl FnOnce(SocketAddr) -> String) -> Self {
        let dns = free_address();
        Self { dns, _coredns: CoreDns::start(&corefile(dns)) }
    }

    /// The same in front of these replicas, one upstream each.
    pub(super) fn before(replicas: &[Replica], plugins: &str, options: &str) -> Self {
        let upstreams: Vec<_> = replicas.iter().map(Replica::grpc).collect();
        Self::start(&upstreams, plugins, options)
    }
}
