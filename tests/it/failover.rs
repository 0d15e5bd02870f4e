//! Replicas come and go, hang and come back behind a real CoreDNS, and its clients are not to notice.

mod balancer;
mod hung;
pub(crate) mod load;
mod replicas;

use std::time::{Duration, Instant};

use crate::support::process::{Meshdns, free_address};
use balancer::{Balancer, Turns};
use load::{Load, Report, undisturbed};
use replicas::{Front, Replica};

/// Between two queries.
const EVERY: Duration = Duration::from_millis(8);
/// Queries between two events, so that every state is asked.
const SOME: usize = 100;

/// Waits until CoreDNS asks this replica again. grpc-go tries an upstream that was away again after a second or more
/// (`backoff.DefaultConfig`), so a rollout has to give each replica that time (`minReadySeconds`).
fn is_asked(server: &mut Meshdns) {
    let before = server.metrics().answered();
    server.wait_until("asked again", |metrics| metrics.answered() > before);
}

/// A Service in front of them.
fn service(replicas: &[Replica], turns: Turns) -> Balancer {
    Balancer::start(replicas.iter().map(|replica| (replica.grpc(), replica.admin())).collect(), turns)
}

/// Restarts one after the other under load.
fn restarted_in_turn(signal: &str) -> Report {
    let mut replicas = Replica::several(3, "");
    let front = Front::before(&replicas, "", "");
    let load = Load::start(front.dns, EVERY);
    for replica in &mut replicas {
        is_asked(&mut replica.server);
        load.send_more(SOME);
        replica.restart(signal);
        is_asked(&mut replica.server);
    }
    load.send_more(SOME);
    load.stop()
}

#[test]
fn restarts_in_turn_cost_no_query() {
    undisturbed(|| restarted_in_turn("TERM")).all_answered(4 * SOME);
}

/// Calls in flight break off, and the grpc plugin asks its next upstream.
#[test]
fn kills_in_turn_cost_no_query() {
    undisturbed(|| restarted_in_turn("KILL")).all_answered(4 * SOME);
}

/// CoreDNS knows one address only, so there is never another upstream to ask.
fn restarted_behind_a_service() -> Report {
    let mut replicas = Replica::several(3, "listen: {lameduck: 2}");
    // The worst case: without the lame duck, CoreDNS would be sent back to the replica that is leaving.
    let service = service(&replicas, Turns::Kept);
    let front = Front::start(&[service.address], "", "");
    let load = Load::start(front.dns, EVERY);
    load.send_more(SOME);
    for round in 0..replicas.len() {
        // The one that has the connection, which is the only one that matters.
        let asked = service.dealt().pop().unwrap();
        let replica = replicas.iter_mut().find(|replica| replica.grpc() == asked).unwrap();
        replica.restart("TERM");
        load.send_more(SOME);
        assert!(service.dealt().len() > round + 1, "the connection has not moved");
    }
    load.stop()
}

#[test]
fn restarts_behind_a_service_cost_no_query() {
    undisturbed(restarted_behind_a_service).all_answered(4 * SOME);
}

fn asked_while_one_is_not_ready() -> Report {
    let istiod = free_address();
    let mut unready = Replica::begin(&format!("  istiod: {{address: \"{istiod}\"}}\n"));
    let ready = Replica::several(1, "").remove(0);
    let front = Front::start(&[unready.grpc(), ready.grpc()], "", "policy sequential");
    // All but istiod is there.
    unready
        .server
        .wait_until("manifests", |metrics| metrics.sample("meshdns_objects{kind=\"ServiceEntry\"}") == 1);
    let load = Load::start(front.dns, EVERY);
    unready.server.wait_until("asked", |metrics| metrics.queries("grpc", "status") > 0);
    load.send_more(SOME);
    let page = unready.server.page("/readyz");
    assert!(page.starts_with("503 istiod"), "{page}");
    assert_eq!(unready.server.metrics().answered(), 0);
    load.stop()
}

#[test]
fn a_replica_that_is_not_ready_is_passed_over() {
    undisturbed(asked_while_one_is_not_ready).all_answered(SOME);
}

fn spread_after_a_replica_came_back() -> Report {
    const AGE: Duration = Duration::from_secs(1);
    let mut replicas = Replica::several(3, "listen: {grpcMaxConnectionAge: 1, lameduck: 2}");
    let service = service(&replicas, Turns::Taken);
    let front = Front::start(&[service.address; 3], "", "");
    let load = Load::start(front.dns, EVERY);
    load.send_more(SOME);
    replicas[0].restart("TERM");
    let back = Instant::now();
    // Three connections take turns, and each of them is new after its age and a tenth of it.
    replicas[0].server.wait_until("connected", |metrics| metrics.connections() > 0);
    let took = back.elapsed();
    assert!(took < AGE.mul_f64(1.1) + 2 * AGE, "{took:?}");
    // And in one of the next rounds each replica has one.
    let bound = Instant::now() + 20 * AGE;
    while replicas.iter().any(|replica| replica.server.metrics().connections() == 0) {
        assert!(Instant::now() < bound, "{:?}", service.dealt());
    }
    load.stop()
}

#[test]
fn connections_spread_over_a_replica_that_came_back() {
    undisturbed(spread_after_a_replica_came_back).all_answered(2 * SOME);
}
