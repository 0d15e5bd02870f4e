//! A replica hangs (SIGSTOP): its connections stand, and nothing comes over them. What `docs/failover.md` says of that is
//! measured here.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::support::coredns::Corefile;
use crate::support::process::{Metrics, free_address};

use super::balancer::Turns;
use super::load::{Load, Report, undisturbed};
use super::replicas::{Front, Replica};
use super::service;

/// Between two queries.
const EVERY: Duration = Duration::from_millis(10);
/// How long `replicas.Corefile` waits for a replica.
const GRANTED: Duration = Duration::from_secs(1);

/// Three replicas of which the first one hangs, behind a CoreDNS that was connected to it.
struct Hung {
    front: Front,
    replicas: Vec<Replica>,
}

impl Hung {
    fn behind(front: impl FnOnce(&[Replica]) -> Front) -> Self {
        let mut replicas = Replica::several(3, "");
        let front = front(&replicas);
        let load = Load::start(front.dns, EVERY);
        replicas[0].server.wait_until("asked", |metrics| asked(&metrics) > 10);
        load.stop().all_answered(10);
        replicas[0].server.signal("STOP");
        Self { front, replicas }
    }

    /// What becomes of that many queries.
    fn asked(&self, queries: usize) -> Report {
        let load = Load::start(self.front.dns, EVERY);
        load.send_more(queries);
        load.stop()
    }
}

/// Answers of every listener.
fn asked(metrics: &Metrics) -> u64 {
    let of = |listener| metrics.queries(listener, "NOERROR");
    of("grpc") + of("udp") + of("tcp")
}

/// How CoreDNS asks the replicas.
type Asking = Box<dyn FnOnce(&[Replica]) -> Front>;

/// `grpc` with all replicas as upstreams.
fn grpc(plugins: &'static str, options: &'static str) -> impl FnOnce(&[Replica]) -> Front {
    move |replicas| Front::before(replicas, plugins, options)
}

/// The shipped Corefile for replicas.
fn shipped(replicas: &[Replica]) -> Front {
    Front::serving(|dns| {
        Corefile::shipped("replicas")
            .served_on(dns.port())
            .with("/etc/resolv.conf", &free_address().to_string())
            .with("cluster.local:", "internal:")
            .watched_on_free_ports()
            .asking_replicas([0, 1, 2].map(|number: usize| replicas[number].grpc()))
            .0
    })
}

/// `forward` to the plain DNS listeners.
fn forward(options: &'static str) -> impl FnOnce(&[Replica]) -> Front {
    move |replicas| {
        let upstreams: Vec<SocketAddr> = replicas.iter().map(|replica| replica.server.dns).collect();
        let upstreams: Vec<_> = upstreams.iter().map(ToString::to_string).collect();
        let block = format!("forward . {} {{\n{options}\n}}", upstreams.join(" "));
        Front::serving(|dns| format!(".:{} {{\nbind {}\n{block}\n}}", dns.port(), dns.ip()))
    }
}

#[test]
fn a_hung_replica_costs_no_query_behind_the_corefile_for_replicas() {
    let report = undisturbed(|| Hung::behind(shipped).asked(100));
    report.all_answered(100);
    // One query of three goes to the hung one first.
    let waited = report.slower_than(GRANTED);
    assert!((10..60).contains(&waited), "{waited} of {} queries waited", report.outcomes.len());
}

#[test]
fn a_hung_replica_is_left_out_behind_the_corefile_for_replicas_until_it_goes_on() {
    let mut hung = Hung::behind(shipped);
    // Until health checks have failed.
    let begin = Instant::now();
    while hung.asked(30).slower_than(GRANTED / 2) > 0 {
        assert!(begin.elapsed() < 30 * GRANTED, "it is still asked");
    }
    // And it is asked again when it goes on. First it answers what had come meanwhile.
    let load = Load::start(hung.front.dns, EVERY);
    hung.replicas[0].server.signal("CONT");
    load.send_more(100);
    let before = asked(&hung.replicas[0].server.metrics());
    hung.replicas[0].server.wait_until("asked again", |metrics| asked(&metrics) > before + 10);
    load.stop().all_answered(100);
}

/// What the grpc plugin does by itself, and why there is a Corefile for replicas: it spends its whole time on the first
/// upstream that it tries.
#[test]
fn a_hung_replica_costs_its_share_of_the_queries_behind_grpc_alone() {
    let plain = || Hung::behind(grpc("cancel 1s", "policy round_robin")).asked(150);
    let report = undisturbed(plain);
    assert!((45..60).contains(&report.failed()), "{report}");
}

/// What a liveness probe does in the end. Queries that wait for the hung replica still have time to ask another.
fn killed_while_it_hangs() -> Report {
    let mut hung = Hung::behind(grpc("", "policy sequential"));
    let load = Load::start(hung.front.dns, EVERY);
    load.send_more(50);
    hung.replicas[0].end("KILL");
    load.send_more(50);
    load.stop()
}

#[test]
fn killing_a_hung_replica_frees_the_queries_that_wait_for_it() {
    undisturbed(killed_while_it_hangs).all_answered(100);
}

/// The first table of `docs/failover.md`.
#[test]
#[ignore = "a measurement"]
fn prints_what_a_kill_costs() {
    println!("| CoreDNS knows | queries | failed | longest |");
    println!("|---|---|---|---|");
    for (name, addresses) in [("each replica", 0), ("one Service", 1), ("one Service, named three times", 3)]
    {
        let mut replicas = Replica::several(3, "");
        let service = service(&replicas, Turns::Taken);
        let front = match addresses {
            0 => Front::before(&replicas, "", ""),
            count => Front::start(&vec![service.address; count], "", ""),
        };
        let load = Load::start(front.dns, EVERY);
        let mut killed = 0;
        while killed < 3 {
            load.send_more(300);
            // One that has a connection.
            let asked = service.dealt().pop().unwrap_or(replicas[killed].grpc());
            let replica = replicas.iter_mut().find(|replica| replica.grpc() == asked).unwrap();
            replica.restart("KILL");
            killed += 1;
        }
        load.send_more(300);
        let report = load.stop();
        let longest = report.quantile(1.0).as_secs_f64() * 1000.0;
        println!("| {name} | {} | {} | {longest:.0} ms |", report.outcomes.len(), report.failed());
    }
}

/// The second table of `docs/failover.md`.
#[test]
#[ignore = "a measurement that takes minutes"]
fn prints_what_a_hung_replica_costs() {
    let rows: [(&str, Asking); 8] = [
        ("`grpc`, `policy random` (stock)", Box::new(grpc("", "policy random"))),
        ("`grpc`, `policy round_robin`", Box::new(grpc("", "policy round_robin"))),
        ("`grpc`, `policy sequential`, the first hangs", Box::new(grpc("", "policy sequential"))),
        ("`grpc`, `cancel 2s`", Box::new(grpc("cancel 2s", ""))),
        ("[replicas.Corefile](../coredns-config/replicas.Corefile)", Box::new(shipped)),
        ("`forward` over UDP", Box::new(forward(""))),
        ("`forward`, `force_tcp`", Box::new(forward("force_tcp"))),
        ("`forward`, `read_timeout 300ms`", Box::new(forward("read_timeout 300ms"))),
    ];
    println!("| CoreDNS asks by | queries | failed | p50 | p99 | longest | over 1 s | late after 10 s |");
    println!("|---|---|---|---|---|---|---|---|");
    for (name, front) in rows {
        let report = Hung::behind(front).asked(2000);
        let share = |count: usize| format!("{:.1} %", 100.0 * count as f64 / report.outcomes.len() as f64);
        let ms = |share| format!("{:.1} ms", report.quantile(share).as_secs_f64() * 1000.0);
        let last = report.late_after(1000);
        println!(
            "| {name} | {} | {} | {} | {} | {} | {} | {:.1} % |",
            report.outcomes.len(),
            share(report.failed()),
            ms(0.5),
            ms(0.99),
            ms(1.0),
            share(report.slower_than(Duration::from_secs(1))),
            100.0 * last,
        );
    }
}
