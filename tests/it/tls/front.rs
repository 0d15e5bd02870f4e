//! A directory with certificates, meshdns that reads them, and CoreDNS before it.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::failover::load::objects;
use crate::support::certificates::Pair;
use crate::support::coredns::CoreDns;
use crate::support::process::{Meshdns, free_address, powerless, written};

/// The name in the certificate of meshdns.
pub(super) const NAME: &str = "meshdns.mesh.svc";

/// A directory laid out as somebody does it.
pub(super) struct Place {
    directory: TempDir,
    /// Certificate, key, authorities of clients.
    names: [&'static str; 3],
    /// Whether it is a mounted Secret, whose files change all at once.
    mounted: bool,
    /// How often it was filled.
    filled: AtomicUsize,
}

impl Place {
    /// A Secret of cert-manager, as the kubelet mounts it.
    pub(super) fn cert_manager() -> Self {
        Self::new(["tls.crt", "tls.key", "ca.crt"], true)
    }

    /// What SPIFFE Helper writes.
    pub(super) fn spiffe_helper() -> Self {
        Self::new(["svid.pem", "svid_key.pem", "svid_bundle.pem"], false)
    }

    fn new(names: [&'static str; 3], mounted: bool) -> Self {
        Self { directory: TempDir::new().unwrap(), names, mounted, filled: AtomicUsize::default() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The path of the certificate, the key, the authorities: 0, 1, 2.
    pub(super) fn of(&self, index: usize) -> PathBuf {
        self.path(self.names[index])
    }

    /// Writes or replaces everything.
    pub(super) fn fill(&self, pair: &Pair, authorities: &str) {
        let contents = [&pair.certificate, &pair.key, authorities];
        let named = self.names.into_iter().zip(contents);
        if !self.mounted {
            named.for_each(|(name, content)| std::fs::write(self.path(name), content).unwrap());
            return;
        }
        // kubernetes pkg/volume/util/atomic_writer.go: a directory with a time in its name, and one link that is replaced.
        let number = self.filled.fetch_add(1, Ordering::SeqCst);
        let fresh = format!("..2026_01_01_{number}");
        std::fs::create_dir(self.path(&fresh)).unwrap();
        named.for_each(|(name, content)| std::fs::write(self.path(&fresh).join(name), content).unwrap());
        let before = std::fs::read_link(self.path("..data")).ok();
        symlink(&fresh, self.path("..data_tmp")).unwrap();
        std::fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
        for name in self.names.into_iter().filter(|_| before.is_none()) {
            symlink(Path::new("..data").join(name), self.path(name)).unwrap();
        }
        if let Some(old) = before {
            std::fs::remove_dir_all(self.path(old.to_str().unwrap())).unwrap();
        }
    }

    /// Settings that name the files; `clients` is a list of YAML.
    pub(super) fn settings(&self, clients: &str) -> String {
        let [certificate, key, ca] = [0, 1, 2].map(|index| self.of(index).display().to_string());
        format!("{{certificate: {certificate}, key: {key}, clientCa: {ca}, clientNames: {clients}}}")
    }

    pub(super) fn settings_without_ca(&self) -> String {
        format!("{{certificate: {}, key: {}}}", self.of(0).display(), self.of(1).display())
    }
}

/// meshdns.
pub(super) struct Server {
    pub(super) meshdns: Meshdns,
}

impl Server {
    /// With the files of a place and these clients on the list; waits until it is ready.
    pub(super) fn start(place: &Place, clients: &str) -> Self {
        Self::with(&place.settings(clients))
    }

    /// With this `grpcTls`.
    pub(super) fn with(tls: &str) -> Self {
        let mut server = Self::begin(tls);
        server.meshdns.wait_until_ready();
        server
    }

    /// The same, without waiting, and as somebody who may read what its owner lets it and nothing else.
    pub(super) fn begin(tls: &str) -> Self {
        Self::begin_by(&mut powerless(), tls)
    }

    /// By a command that takes the arguments of meshdns.
    pub(super) fn begin_by(command: &mut Command, tls: &str) -> Self {
        let manifests = written("objects.yaml", objects());
        let settings = format!(
            "zones: [load.internal]\nsources: {{manifests: ['{}']}}\nlisten: {{grpcTls: {tls}}}\n",
            manifests.display()
        );
        Self { meshdns: Meshdns::begin(command, &settings, &[]) }
    }

    /// How many handshakes ended so.
    pub(super) fn handshakes(&self, outcome: &str) -> u64 {
        self.meshdns.metrics().sample(&format!("meshdns_tls_handshakes_total{{outcome=\"{outcome}\"}}"))
    }

    /// Waits until that many handshakes ended so.
    pub(super) fn wait_for_handshakes(&mut self, outcome: &str, count: u64) {
        let sample = format!("meshdns_tls_handshakes_total{{outcome=\"{outcome}\"}}");
        self.meshdns.wait_until(outcome, |metrics| metrics.sample(&sample) >= count);
    }

    /// Waits until certificates were put in force that often.
    pub(super) fn wait_for_reloads(&mut self, count: u64) {
        let sample = "meshdns_tls_reloads_total{outcome=\"applied\"}";
        self.meshdns.wait_until("reloaded", |metrics| metrics.sample(sample) >= count);
    }
}

/// CoreDNS before it.
pub(super) struct Front {
    pub(super) dns: SocketAddr,
    _coredns: CoreDns,
}

impl Front {
    /// With this certificate, and these authorities of the server.
    pub(super) fn start(server: &Server, pair: &Pair, authorities: &str) -> Self {
        let files = [
            written("client.crt", &pair.certificate),
            written("client.key", &pair.key),
            written("server-ca.crt", authorities),
        ];
        Self::of(server, &files.each_ref(), NAME)
    }

    /// With these arguments of `tls`, expecting this name.
    pub(super) fn of(server: &Server, files: &[&PathBuf], name: &str) -> Self {
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        Self::with(server, &format!("tls {}\n        tls_servername {name}", files.join(" ")))
    }

    /// With these lines in the block of `grpc`.
    pub(super) fn with(server: &Server, lines: &str) -> Self {
        let dns = free_address();
        let coredns = CoreDns::start(&format!(
            ".:{} {{\n    bind {}\n    errors\n    grpc . {} {{\n        {lines}\n    }}\n}}\n",
            dns.port(),
            dns.ip(),
            server.meshdns.grpc
        ));
        Self { dns, _coredns: coredns }
    }
}
