//! The two servers that watch the API server: meshdns and CoreDNS with its kubernetes plugin.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::asking::{asked, connected, contains, until};
use crate::cluster::{self, Cluster};
use crate::fixture::coredns;
use crate::fixture::process::{self, Meshdns, Process, free_address, written};

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Meshdns,
    CoreDns,
}

/// One that runs.
pub(crate) struct Server {
    process: Started,
    begun: Instant,
    pub(crate) dns: SocketAddr,
    ready: (SocketAddr, &'static str),
}

enum Started {
    Meshdns(Meshdns),
    CoreDns(Process),
}

/// What a start takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Seconds until it is ready and answers rightly.
    pub(crate) seconds: f64,
    /// CPU seconds until then.
    pub(crate) cpu: f64,
    /// The largest resident memory until then, in MiB.
    pub(crate) peak: f64,
}

/// Memory in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident.
    pub(crate) resident: f64,
    /// The part of it that is no copy of a file: what was allocated.
    pub(crate) anonymous: f64,
    /// The largest that was resident since the start or the last [`Server::forget_peak`].
    pub(crate) peak: f64,
}

impl Server {
    /// Starts it, watching the API server of this kubeconfig.
    pub(crate) fn begin(program: Program, kubeconfig: &Path) -> Self {
        let begun = Instant::now();
        match program {
            Program::Meshdns => {
                let settings = format!(
                    "zones: [cluster.local, 10.0.0.0/8]\nsources: {{kubernetes: {{kubeconfig: \"{}\"}}}}\n",
                    kubeconfig.display()
                );
                let mut command = Command::new(env!("CARGO_BIN_EXE_meshdns"));
                let server = Meshdns::begin(&mut command, &settings, &[]);
                let (dns, admin) = (server.dns, server.admin);
                Self { process: Started::Meshdns(server), begun, dns, ready: (admin, "/readyz") }
            }
            Program::CoreDns => {
                let (dns, ready) = (free_address(), free_address());
                let corefile = format!(
                    ".:{} {{\n bind {}\n errors\n ready {ready}\n kubernetes cluster.local 10.in-addr.arpa {{\n  \
                     kubeconfig {}\n }}\n}}\n",
                    dns.port(),
                    dns.ip(),
                    kubeconfig.display()
                );
                let mut command = Command::new(coredns::executable());
                let process = Process::start(command.arg("-conf").arg(written("Corefile", &corefile)));
                Self { process: Started::CoreDns(process), begun, dns, ready: (ready, "/ready") }
            }
        }
    }

    /// Waits until it says that it is ready and answers for the first and the last services.
    pub(crate) fn started(&self, cluster: Cluster) -> Start {
        let (address, path) = self.ready;
        until("ready", || process::page(address, path).starts_with("200 "));
        for index in cluster.telling() {
            let right = cluster::answer(index);
            until("right answers", || {
                right.iter().all(|address| self.has(&cluster::dns_name(index), *address))
            });
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        Start { seconds, cpu: self.cpu(), peak: self.memory().peak }
    }

    /// Whether the answer for a name has an address now.
    pub(crate) fn has(&self, name: &str, address: Ipv4Addr) -> bool {
        asked(&connected(self.dns), name).is_some_and(|reply| contains(&reply, address))
    }

    fn id(&self) -> u32 {
        match &self.process {
            Started::Meshdns(server) => server.id(),
            Started::CoreDns(process) => process.id(),
        }
    }

    /// CPU seconds of all its threads.
    pub(crate) fn cpu(&self) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let spent = tasks.map(|task| {
            let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(spent.sum()).as_secs_f64()
    }

    pub(crate) fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
        };
        Memory { resident: figure("VmRSS:"), anonymous: figure("RssAnon:"), peak: figure("VmHWM:") }
    }

    /// From now on the peak of memory counts anew.
    pub(crate) fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.id()), "5").unwrap();
    }

    /// How many changes of slices it has answered so far within these seconds, by its own count.
    pub(crate) fn own_part(&self) -> Vec<(f64, u64)> {
        let Started::Meshdns(server) = &self.process else { return Vec::new() };
        let metrics = server.page("/metrics");
        let lines = metrics.lines().filter_map(|line| {
            let rest = line.strip_prefix("meshdns_propagation_duration_seconds_bucket{")?;
            let (labels, count) = rest.split_once("} ")?;
            let wanted = labels.contains("kind=\"EndpointSlice\"") && labels.contains("since=\"received\"");
            let bound = labels.split("le=\"").nth(1)?.split('"').next()?;
            wanted.then(|| (bound.parse().unwrap_or(f64::INFINITY), count.parse().unwrap()))
        });
        lines.collect()
    }
}
