//! The clock is set while meshdns watches: nothing it does is timed by it.

use std::process::Command;

use super::{Served, witness::Witness};
use crate::support::clock::Clock;
use crate::support::dig::dig;
use crate::support::faults::FaultyProxy;
use crate::support::kube::{ADMIN, ControlPlane, SERVICES, until};

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
    let clock = Clock::right();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshdns"));
    clock.give(command.env("MESHDNS_LOG", "info,meshdns::keeper=debug"));
    let mut server = Served::begin_by(&mut command, &plane.kubeconfig(&ADMIN), "istio: false", "");
    server.meshdns.wait_until_ready();
    let witness = Witness::of(server.meshdns.dns, vec![(full("steady"), address("steady").parse().unwrap())]);
    let lists = |server: &Served| server.metrics("meshdns_kubernetes_lists_total{kind=\"services\"}");
    let before = lists(&server);
    for (step, to) in ["+3d", "-30d", "+0"].into_iter().enumerate() {
        clock.set(to);
        let name = format!("after{step}");
        shop.apply(&service(&name));
        server.becomes(&full(&name), "A", "NOERROR", &[&address(&name)]);
        // Every change is logged with its time.
        server.meshdns.wait_for_log(&date(to));
        let asked = witness.asked();
        until("asked on", || (witness.asked() > asked + 20).then_some(()));
        ages_are_sane(&server);
    }
    assert_eq!(lists(&server), before, "the watch stands");
    assert_eq!(witness.wrong(), Vec::<String>::new());
}

/// Nothing looks older than the test, and nothing younger than nothing.
fn ages_are_sane(server: &Served) {
    assert_eq!(
        [server.metrics("meshdns_stale "), server.metrics("meshdns_stale_age_seconds")],
        [[0.0], [0.0]]
    );
    for age in ["meshdns_kubernetes_silence_seconds", "meshdns_propagation_duration_seconds_sum"] {
        let ages = server.metrics(age);
        assert!(!ages.is_empty() && ages.iter().all(|age| (0.0..600.0).contains(age)), "{age}: {ages:?}");
    }
}

/// The API server is away, and the clock is set: answers count as stale after half a minute, as they would without that.
#[test]
fn a_clock_that_jumps_makes_nothing_stale_before_its_time_or_after() {
    let plane = ControlPlane::shared();
    let shop = plane.namespace("shop");
    shop.apply("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}");
    let proxy = FaultyProxy::before(plane);
    let kubeconfig = plane.kubeconfig_to(&proxy.url(), &ADMIN);
    let clock = Clock::right();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshdns"));
        let mut server = Served::begin_by(clock.give(&mut command), &kubeconfig, "istio: false", "");
        server.meshdns.wait_until_ready();
        server
    };
    let server = start();
    let name = format!("web.{}.svc.cluster.local", shop.name);
    let failed = |server: &Served| server.metrics("meshdns_kubernetes_failures_total").iter().sum::<f64>();
    proxy.part();
    clock.set("+3d");
    let before = failed(&server);
    // More than one attempt of each watch, which takes a moment.
    until("tried again", || (failed(&server) > before + 6.0).then_some(()));
    assert_eq!(server.metrics("meshdns_stale "), [0.0]);
    clock.set("-30d");
    let text = until("stale", || {
        let text = dig(server.meshdns.dns, [name.as_str(), "A"]).text;
        text.contains("EDE: 3 (Stale Answer)").then_some(text)
    });
    assert_eq!(server.metrics("meshdns_stale "), [1.0], "{text}");
    let age = server.metrics("meshdns_stale_age_seconds");
    assert!((30.0..90.0).contains(&age[0]), "{age:?}");
    proxy.rejoin();
    until("fresh", || (server.metrics("meshdns_stale ") == [0.0]).then_some(()));
}

/// The date so far from now, as it is logged.
fn date(offset: &str) -> String {
    let days = offset.trim_end_matches('d');
    let output =
        Command::new("date").args(["-u", "-d", &format!("{days} days"), "+%Y-%m-%d"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
