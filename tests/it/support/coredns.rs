//! A real CoreDNS, and the Corefiles that we ship.

use super::peer::Peer;
use super::process::{Process, free_address, written};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// The pinned version, or what `MESHDNS_COREDNS` names.
static EXECUTABLE: Peer = Peer::new("coredns", "MESHDNS_COREDNS");

/// The executable.
#[allow(dead_code, reason = "for benches")]
pub(crate) fn executable() -> &'static Path {
    EXECUTABLE.path()
}

/// A running CoreDNS; it ends with the value.
pub(crate) struct CoreDns {
    process: Process,
}

impl CoreDns {
    /// Starts it with this Corefile and waits until it listens.
    pub(crate) fn start(corefile: &str) -> Self {
        let mut process =
            Process::start(Command::new(EXECUTABLE.path()).arg("-conf").arg(written("Corefile", corefile)));
        // Printed when all listeners are open.
        process.wait_for_line("CoreDNS-");
        Self { process }
    }

    /// Starts it by a command that says everything.
    pub(crate) fn started(command: &mut Command) -> Self {
        let mut process = Process::start(command);
        process.wait_for_line("CoreDNS-");
        Self { process }
    }

    /// Sends it this signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// One that stands for the resolvers of a node: every name has the address 192.0.2.53, and no IPv6 address;
    /// every address has the name `resolver.example`.
    pub(crate) fn resolver(address: SocketAddr) -> Self {
        Self::start(&format!(
            r#".:{port} {{
                bind {ip}
                template IN A . {{
                    answer "{{{{ .Name }}}} 300 IN A 192.0.2.53"
                }}
                template IN PTR . {{
                    answer "{{{{ .Name }}}} 300 IN PTR resolver.example."
                }}
                template IN ANY . {{
                    rcode NOERROR
                    authority ". 300 IN SOA resolver.example. hostmaster.example. 1 7200 1800 86400 60"
                }}
            }}"#,
            port = address.port(),
            ip = address.ip(),
        ))
    }
}

/// A Corefile of `coredns-config/`, word for word but for what [`Corefile::with`] puts in its places.
pub(crate) struct Corefile(pub(crate) String);

impl Corefile {
    /// The shipped file of this name.
    pub(crate) fn shipped(name: &str) -> Self {
        let path = format!("{}/coredns-config/{name}.Corefile", env!("CARGO_MANIFEST_DIR"));
        Self(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// Puts `new` wherever `old` stands; `old` must be there.
    pub(crate) fn with(self, old: &str, new: &str) -> Self {
        assert!(self.0.contains(old), "`{old}` is not in this Corefile:\n{}", self.0);
        Self(self.0.replace(old, new))
    }

    /// Serves on this loopback port instead of port 53 of all addresses.
    pub(crate) fn served_on(self, port: u16) -> Self {
        let one = self.with(":53 {", &format!(":{port} {{\n    bind 127.0.0.1"));
        Self(one.0.replace(":53 ", &format!(":{port} ")))
    }

    /// Asks this meshdns, and this resolver in place of the node's.
    pub(crate) fn asking(self, meshdns: SocketAddr, resolver: SocketAddr) -> Self {
        self.with("127.0.0.1:8053", &meshdns.to_string()).with("/etc/resolv.conf", &resolver.to_string())
    }

    /// Asks these replicas, each by an inner block of its own on a free port.
    pub(crate) fn asking_replicas(self, replicas: [SocketAddr; 3]) -> Self {
        replicas.iter().zip(1..).fold(self, |corefile, (replica, number)| {
            corefile
                .with(&format!("10.96.0.5{number}:8053"), &replica.to_string())
                .with(&format!(":530{number}"), &format!(":{}", free_address().port()))
        })
    }

    /// Has its health, readiness and metrics on free ports.
    pub(crate) fn watched_on_free_ports(self) -> Self {
        [":8080", ":8181", ":9153"]
            .into_iter()
            .fold(self, |corefile, port| corefile.with(&format!(" {port}"), &format!(" {}", free_address())))
    }
}
