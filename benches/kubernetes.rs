//! A whole server beside CoreDNS's kubernetes plugin, on the same objects of a real API server: time until ready, memory,
//! memory while everything is listed anew, and how long a change takes to be answered.
//!
//! `cargo bench --bench kubernetes -- 1000 10000` names the sizes in services.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

#[path = "kubernetes/api.rs"]
mod api;
#[path = "kubernetes/asking.rs"]
mod asking;
#[path = "kubernetes/changes.rs"]
mod changes;
#[path = "kubernetes/cluster.rs"]
mod cluster;
#[path = "kubernetes/filled.rs"]
mod filled;
/// The control plane and the programs of the tests.
#[path = "../tests/it/support"]
#[allow(dead_code, unused_imports, reason = "tests use the rest of it")]
mod fixture {
    pub(crate) mod coredns;
    pub(crate) mod kube;
    pub(crate) mod peer;
    pub(crate) mod process;
    pub(crate) mod tethered;
}
#[path = "kubernetes/server.rs"]
mod server;
mod support;
#[path = "kubernetes/table.rs"]
mod table;

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use changes::{Changes, Times};
use cluster::Cluster;
use fixture::coredns;
use fixture::kube::{ADMIN, ControlPlane, programs};
use server::{Memory, Program, Server, Start};

/// How long nothing happens before memory counts as steady.
const QUIET: Duration = Duration::from_secs(10);
/// Starts of each server before the one that is watched on; of clusters above some size only one.
const STARTS: usize = 2;
const LARGE: usize = 50_000;

/// Everything that is measured of one server.
#[derive(Debug)]
struct Figures {
    starts: Vec<Start>,
    steady: Memory,
    relist: Memory,
    relist_cpu: f64,
    changes: Times,
    changes_cpu: f64,
    own_part: Vec<(f64, u64)>,
    after_changes: Memory,
}

fn main() {
    // Cargo adds flags of its own.
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000] } else { sizes };
    let api_version = version(programs::api_server_executable(), "--version");
    let coredns_version = version(coredns::executable(), "-version");
    println!("{api_version}; {coredns_version}.\n");
    for services in sizes {
        let cluster = Cluster { services };
        eprintln!("==> {services} services");
        let mut plane = filled::filled(cluster, &api_version);
        let kubeconfig = plane.kubeconfig(&ADMIN);
        let mut starts = [Vec::new(), Vec::new()];
        for _ in 0..if services > LARGE { 1 } else { STARTS } {
            for (program, starts) in [Program::Meshdns, Program::CoreDns].into_iter().zip(&mut starts) {
                starts.push(Server::begin(program, &kubeconfig).started(cluster));
            }
        }
        let mut changes = Changes::new(cluster);
        let [ours, theirs] = starts;
        let ours = watched(Program::Meshdns, ours, &mut plane, &kubeconfig, &mut changes);
        let theirs = watched(Program::CoreDns, theirs, &mut plane, &kubeconfig, &mut changes);
        table::print(cluster, &ours, &theirs);
    }
}

/// Starts a server once more, and follows it through a list and through changes.
fn watched(
    program: Program,
    mut starts: Vec<Start>,
    plane: &mut ControlPlane,
    kubeconfig: &Path,
    changes: &mut Changes,
) -> Figures {
    let server = Server::begin(program, kubeconfig);
    starts.push(server.started(changes.cluster));
    eprintln!("    {program:?} is ready: {starts:?}");
    sleep(QUIET);
    let steady = server.memory();
    server.forget_peak();
    let cpu = server.cpu();
    plane.restart_without_history();
    changes.make_one_of_each(kubeconfig, server.dns);
    let relist_cpu = server.cpu() - cpu;
    sleep(QUIET);
    let relist = server.memory();
    eprintln!("    {program:?} has listed anew: {steady:?}, {relist:?}");
    let (cpu, before) = (server.cpu(), server.own_part());
    let times = changes.make(kubeconfig, server.dns);
    let changes_cpu = (server.cpu() - cpu) / times.acknowledged.len() as f64;
    let own_part = server.own_part();
    let known = |bound: f64| before.iter().find(|(known, _)| *known == bound).map_or(0, |(_, count)| *count);
    let own_part = own_part.into_iter().map(|(bound, count)| (bound, count - known(bound))).collect();
    sleep(QUIET);
    let after_changes = server.memory();
    Figures { starts, steady, relist, relist_cpu, changes: times, changes_cpu, own_part, after_changes }
}

/// The first line that a program says of its version.
fn version(program: &Path, flag: &str) -> String {
    let output = Command::new(program).arg(flag).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().next().unwrap_or_default().to_owned()
}
