//! Whatever the API server does, no name is lost and no change is missed for longer than is said here.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Served, witness::Witness};
use crate::support::faults::{Asked, Fault, FaultyProxy, Kind, Requests};
use crate::support::kube::{ADMIN, Api, ControlPlane, Namespace, SERVICES, Setup, until};

/// Names that must be answered all the time.
const STEADY: usize = 40;
/// When everything is well again, a change is answered after the longest pause between two attempts (10 s) and a complete
/// list at the latest. The rest is for a busy machine.
const BOUND: Duration = Duration::from_secs(25);

fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n---\n"
    )
}

fn address(api: &Api, name: &str) -> String {
    api.get(SERVICES, name).unwrap()["spec"]["clusterIP"].as_str().unwrap().to_owned()
}

/// Services that stay, and somebody who asks for them.
fn steady(api: &Api, namespace: &str, server: &Served) -> Witness {
    let names: Vec<String> = (0..STEADY).map(|n| format!("steady{n}")).collect();
    let mut expected: Vec<(String, IpAddr)> = Vec::new();
    for name in names {
        let address = address(api, &name);
        expected.push((format!("{name}.{namespace}.svc.cluster.local"), address.parse().unwrap()));
    }
    let (last, address) = expected.last().unwrap();
    server.becomes(last, "A", "NOERROR", &[&address.to_string()]);
    Witness::of(server.meshdns.dns, expected)
}

fn create_steady(api: &Api) {
    api.apply(&(0..STEADY).map(|n| service(&format!("steady{n}"))).collect::<String>());
}

/// A meshdns that watches through a proxy, a namespace with services that stay, and somebody who asks for them.
fn watched(name: &str, source: &str) -> (Namespace<'static>, FaultyProxy, Served, Witness) {
    let plane = ControlPlane::shared();
    let space = plane.namespace(name);
    create_steady(&space);
    let proxy = FaultyProxy::before(plane);
    let kubeconfig = plane.kubeconfig_to(&proxy.url(), &ADMIN);
    let mut server = Served::with_kubeconfig(&kubeconfig, source, "");
    server.meshdns.wait_until_ready();
    let witness = steady(&space, &space.name, &server);
    (space, proxy, server, witness)
}

/// One service comes and one goes while `fault` is there; after `heal` that is answered within the bound.
fn survives(
    server: &Served,
    api: &Api,
    namespace: &str,
    what: &str,
    mut fault: impl FnMut(),
    seen: impl FnOnce(),
    mut heal: impl FnMut(),
) {
    let (going, coming) = (format!("{what}-going"), format!("{what}-coming"));
    let full = |name: &str| format!("{name}.{namespace}.svc.cluster.local");
    api.apply(&service(&going));
    server.becomes(&full(&going), "A", "NOERROR", &[&address(api, &going)]);
    fault();
    api.apply(&service(&coming));
    api.delete(SERVICES, &going);
    seen();
    heal();
    let begin = Instant::now();
    server.becomes(&full(&coming), "A", "NOERROR", &[&address(api, &coming)]);
    server.becomes(&full(&going), "A", "NXDOMAIN", &[]);
    let took = begin.elapsed();
    assert!(took < BOUND, "{what}: {took:?}");
}

#[test]
fn no_fault_of_requests_loses_a_name_or_a_change() {
    let (space, proxy, server, witness) = watched("faults", "watchSilence: 5, istio: false");
    let survives = |what: &str, fault: &mut dyn FnMut(), seen: &mut dyn FnMut(), heal: &mut dyn FnMut()| {
        survives(&server, &space, &space.name, what, fault, seen, heal);
    };
    let services = Requests::to("services");
    let tried_again = |times: usize| {
        let before = proxy.asked(services).len();
        until("tried again", || (proxy.asked(services).len() >= before + times).then_some(()));
    };

    survives(
        "partition",
        &mut || proxy.part(),
        &mut || {
            until("noticed", || failures(&server, "unreachable").then_some(()));
        },
        &mut || proxy.rejoin(),
    );

    for (what, code, retry_after) in [
        ("error", 500, None),
        ("busy", 429, Some(1)),
        ("away", 503, None),
        ("gone", 410, None),
        ("who", 401, None),
    ] {
        let answer = Fault::Answer { code, retry_after };
        survives(
            what,
            &mut || {
                proxy.inflict(services, Fault::HangUp);
                proxy.inflict(services, answer.clone());
            },
            &mut || tried_again(2),
            &mut || proxy.heal(services),
        );
    }

    survives(
        "html",
        &mut || {
            proxy.inflict(services, Fault::HangUp);
            proxy.inflict(services, Fault::Page(502));
        },
        &mut || tried_again(2),
        &mut || proxy.heal(services),
    );

    survives(
        "expired",
        &mut || proxy.inflict(Requests::WATCHES, Fault::ErrorEvent { code: 410 }),
        &mut || {
            tried_again(1);
        },
        &mut || proxy.heal(Requests::WATCHES),
    );

    let lists = services.of(&[Kind::StreamedList, Kind::List, Kind::NextPage]);
    let watches = services.of(&[Kind::Watch]);
    survives(
        "cut",
        &mut || {
            proxy.inflict(lists, Fault::Cut { after: 6000 });
            proxy.inflict(services, Fault::ErrorEvent { code: 410 });
            proxy.heal(services);
            proxy.inflict(watches, Fault::ErrorEvent { code: 410 });
        },
        &mut || until("a list cut", || (cut(&proxy, lists) >= 1).then_some(())),
        &mut || {
            proxy.heal(lists);
            proxy.heal(watches);
        },
    );

    survives(
        "slow",
        &mut || {
            proxy.inflict(services, Fault::HangUp);
            proxy.inflict(services, Fault::Trickle { octets: 2000, every: Duration::from_millis(20) });
        },
        &mut || tried_again(1),
        &mut || proxy.heal(services),
    );

    survives(
        "late",
        &mut || {
            proxy.inflict(services, Fault::HangUp);
            proxy.inflict(services, Fault::Delay(Duration::from_secs(2)));
        },
        &mut || tried_again(1),
        &mut || proxy.heal(services),
    );

    for fault in [Fault::Duplicate, Fault::Reorder, Fault::Lose("BOOKMARK")] {
        survives(
            &format!("{fault:?}").to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), ""),
            &mut || {
                proxy.inflict(watches, fault.clone());
            },
            &mut || {},
            &mut || {},
        );
        proxy.heal(watches);
    }
    let wrong = witness.wrong();
    assert!(wrong.is_empty(), "{} wrong answers: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
}

/// Lists that are over.
fn cut(proxy: &FaultyProxy, lists: Requests) -> usize {
    proxy.asked(lists).iter().filter(|asked: &&Asked| asked.over).count()
}

/// Whether the metrics know of failures of this kind.
fn failures(server: &Served, reason: &str) -> bool {
    let name = format!("meshdns_kubernetes_failures_total{{kind=\"services\",reason=\"{reason}\"}}");
    server.meshdns.page("/metrics").contains(&name)
}

#[test]
fn a_frozen_watch_is_noticed_and_healed_while_it_is_frozen() {
    let (space, proxy, server, witness) = watched("frozen", "watchSilence: 5, istio: false");
    // What begins as a list is a watch later: only a new one may pass.
    proxy.inflict(Requests::WATCHES, Fault::HangUp);
    proxy.heal(Requests::WATCHES);
    until("watching by watches", || (proxy.running(Requests::ALL.of(&[Kind::Watch])) >= 3).then_some(()));
    proxy.inflict(Requests::ALL.of(&[Kind::Watch]), Fault::Freeze);
    space.apply(&service("coming"));
    let begin = Instant::now();
    let name = format!("coming.{}.svc.cluster.local", space.name);
    server.becomes(&name, "A", "NOERROR", &[&address(&space, "coming")]);
    assert!(begin.elapsed() < BOUND, "{:?}", begin.elapsed());
    assert!(failures(&server, "silent"), "{}", server.meshdns.page("/metrics"));
    assert_eq!(witness.wrong(), Vec::<String>::new());
}

#[test]
fn an_api_server_may_die_hang_and_forget() {
    let mut plane = Setup::default().without_controllers().start();
    let space = "default";
    let api = plane.api().within(space);
    create_steady(&api);
    let mut server = Served::with_kubeconfig(&plane.kubeconfig(&ADMIN), "watchSilence: 5, istio: false", "");
    server.meshdns.wait_until_ready();
    let witness = steady(&api, space, &server);
    let name = |service: &str| format!("{service}.{space}.svc.cluster.local");

    plane.kill_api_server();
    until("noticed", || failures(&server, "unreachable").then_some(()));
    plane.start_api_server();
    let begin = Instant::now();
    api.apply(&service("after-death"));
    server.becomes(&name("after-death"), "A", "NOERROR", &[&address(&api, "after-death")]);
    assert!(begin.elapsed() < BOUND, "{:?}", begin.elapsed());

    plane.freeze_api_server();
    until("noticed", || failures(&server, "silent").then_some(()));
    plane.thaw_api_server();
    let begin = Instant::now();
    api.apply(&service("after-freeze"));
    server.becomes(&name("after-freeze"), "A", "NOERROR", &[&address(&api, "after-freeze")]);
    assert!(begin.elapsed() < BOUND, "{:?}", begin.elapsed());

    // With nothing in its hands: that is doubted, and what comes back is taken at once.
    plane.wipe();
    until("doubt", || {
        let doubted = server.metrics("meshdns_kubernetes_doubted_objects{kind=\"services\"}");
        (doubted.first()? > &0.0).then_some(())
    });
    api.apply("{apiVersion: v1, kind: Service, metadata: {name: after-death}, spec: {ports: [{port: 80}], clusterIP: 10.96.200.1}}");
    server.becomes(&name("after-death"), "A", "NOERROR", &["10.96.200.1"]);
    let wrong = witness.wrong();
    assert_eq!(wrong, Vec::<String>::new(), "the others are still answered");
    // In the end it is believed.
    server.becomes(&name("steady7"), "A", "NXDOMAIN", &[]);
    server.becomes(&name("after-death"), "A", "NOERROR", &["10.96.200.1"]);
    assert_eq!(json!(api.list(SERVICES).len()), json!(2), "kubernetes and after-death");
}

#[test]
fn lists_under_load_end_with_what_there_is() {
    let (space, proxy, server, witness) = watched("load", "istio: false");
    let services = Requests::to("services").of(&[Kind::Watch, Kind::StreamedList]);
    let lists = || proxy.asked(Requests::to("services").of(&[Kind::StreamedList])).len();
    for round in 0..12 {
        for n in 0..10 {
            space.apply(&service(&format!("n{n}")));
        }
        if round % 2 == 0 {
            let before = lists();
            proxy.inflict(services, Fault::ErrorEvent { code: 410 });
            for n in 0..10 {
                space.delete(SERVICES, &format!("n{n}"));
            }
            until("listed anew", || (lists() > before).then_some(()));
            proxy.heal(services);
        }
    }
    for n in 0..10 {
        let name = format!("n{n}");
        let full = format!("{name}.{}.svc.cluster.local", space.name);
        server.becomes(&full, "A", "NOERROR", &[&address(&space, &name)]);
    }
    assert_eq!(witness.wrong(), Vec::<String>::new());
}
