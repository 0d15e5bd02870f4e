//! The clock is set while meshdns watches: nothing it does is timed by it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Served, witness::Witness};
use crate::support::kube::{ADMIN, ControlPlane, SERVICES, until};
use crate::support::process::written;

/// Where Debian puts libfaketime.
fn library() -> PathBuf {
    let directories = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut files = directories.map(|directory| directory.join("faketime/libfaketime.so.1"));
    files.find(|file| file.exists()).expect("libfaketime comes with scripts/setup")
}

/// Sets the clock of a process, in the words of libfaketime.
fn set(clock: &Path, to: &str) {
    let new = clock.with_extension("new");
    std::fs::write(&new, to).unwrap();
    std::fs::rename(new, clock).unwrap();
}

#[test]
fn a_clock_that_jumps_costs_nothing() {
    let plane = ControlPlane::shared();
    let shop = plane.namespace("shop");
    let service = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{ports: [{{port: 80}}]}}}}"
        )
    };
    let address =
        |name: &str| shop.get(SERVICES, name).unwrap()["spec"]["clusterIP"].as_str().unwrap().to_owned();
    let full = |name: &str| format!("{name}.{}.svc.cluster.local", shop.name);
    shop.apply(&service("steady"));
    let clock = written("clock", "+0");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshdns"));
    command
        .env("MESHDNS_LOG", "info,meshdns::keeper=debug")
        .env("LD_PRELOAD", library())
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        // What the kernel keeps when a clock is set.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut server = Served::begin_by(&mut command, &plane.kubeconfig(&ADMIN), "istio: false", "");
    server.meshdns.wait_until_ready();
    let witness = Witness::of(server.meshdns.dns, vec![(full("steady"), address("steady").parse().unwrap())]);
    let lists = |server: &Served| server.metrics("meshdns_kubernetes_lists_total{kind=\"services\"}");
    let before = lists(&server);
    for (step, to) in ["+3d", "-30d", "+0"].into_iter().enumerate() {
        set(&clock, to);
        let name = format!("after{step}");
        shop.apply(&service(&name));
        server.becomes(&full(&name), "A", "NOERROR", &[&address(&name)]);
        // Every change is logged with its time.
        server.meshdns.wait_for_log(&date(to));
        let asked = witness.asked();
        until("asked on", || (witness.asked() > asked + 20).then_some(()));
    }
    assert_eq!(lists(&server), before, "the watch stands");
    assert_eq!(witness.wrong(), Vec::<String>::new());
}

/// The date so far from now, as it is logged.
fn date(offset: &str) -> String {
    let days = offset.trim_end_matches('d');
    let output =
        Command::new("date").args(["-u", "-d", &format!("{days} days"), "+%Y-%m-%d"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
