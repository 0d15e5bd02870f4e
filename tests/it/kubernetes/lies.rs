//! What no API server should say: each costs what it concerns and nothing else.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Served;
use crate::support::fake_api::{Events, FakeApi, Reply, bookmark, end_of_list, event, list};
use crate::support::faults::{Asked, Kind, Requests};
use crate::support::kube::until;

const SERVICES: Requests = Requests::to("services");

fn service_at(version: u64, name: &str, address: &str) -> String {
    let metadata =
        json!({"name": name, "namespace": "shop", "resourceVersion": version.to_string(), "uid": name});
    json!({"metadata": metadata, "spec": {"clusterIP": address, "ports": [{"port": 80}]}}).to_string()
}

/// An API server where services are told by the test, one script after the other for each list that is asked for.
fn scripted(lists: Vec<Events>) -> FakeApi {
    scripted_of("services", lists)
}

/// The same for another kind.
fn scripted_of(resource: &'static str, lists: Vec<Events>) -> FakeApi {
    let mut lists = lists.into_iter();
    let next = std::sync::Mutex::new(move || lists.next());
    FakeApi::start(move |asked| match asked.kind {
        Kind::StreamedList if asked.resource == resource => match (next.lock().unwrap())() {
            Some(events) => Reply::events(&events),
            None => Reply::status(500),
        },
        Kind::Watch if asked.resource == resource => Reply::status(410),
        Kind::StreamedList if asked.resource == "services" => {
            Reply::events(&streamed(2, &[service_at(2, "web", "10.0.0.1")]))
        }
        _ => rest(asked),
    })
}

/// A namespace, and nothing else.
fn rest(asked: &Asked) -> Reply {
    if (asked.resource.as_str(), asked.kind) != ("namespaces", Kind::StreamedList) {
        return Reply::quiet(asked);
    }
    Reply::events(&streamed(1, &[namespace_at(1, "shop")]))
}

fn namespace_at(version: u64, name: &str) -> String {
    json!({"metadata": {"name": name, "resourceVersion": version.to_string()}}).to_string()
}

fn streamed(version: u64, services: &[String]) -> Events {
    let events = Events::default();
    services.iter().for_each(|service| events.push(&event("ADDED", service)));
    events.push(&end_of_list(&version.to_string()));
    events
}

fn serve(api: &FakeApi) -> Served {
    let mut server = Served::with_kubeconfig(&api.kubeconfig(), "istio: false", "");
    server.meshdns.wait_until_ready();
    server
}

fn name(service: &str) -> String {
    format!("{service}.shop.svc.cluster.local")
}

#[test]
fn an_object_that_does_not_decode_keeps_its_last_good_version() {
    let events = streamed(3, &[service_at(2, "web", "10.0.0.1"), service_at(3, "api", "10.0.0.2")]);
    let api = scripted(vec![events.clone()]);
    let mut server = serve(&api);
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.1"]);
    let bad = |version: &str| {
        json!({"metadata": {"name": "web", "namespace": "shop", "resourceVersion": version}, "spec": {"ports": 7}}).to_string()
    };
    events.push(&event("MODIFIED", &bad("4")));
    // Later events of the same watch count.
    events.push(&event("MODIFIED", &service_at(5, "api", "10.0.0.3")));
    server.becomes(&name("api"), "A", "NOERROR", &["10.0.0.3"]);
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.1"]);
    server.meshdns.wait_for_log("Service shop/web: spec.ports: ");
    until("counted", || (server.metrics("meshdns_defects ") == [1.0]).then_some(()));
    // Its deletion needs no more than its name.
    events.push(&event("DELETED", &bad("6")));
    server.becomes(&name("web"), "A", "NXDOMAIN", &[]);
    assert_eq!(api.asked(SERVICES).len(), 1, "one watch did all of it");
}

#[test]
fn a_list_with_objects_that_do_not_decode_takes_nothing_away_that_it_names() {
    let first = streamed(3, &[service_at(2, "web", "10.0.0.1"), service_at(3, "api", "10.0.0.2")]);
    let broken = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"clusterIPs": {"a": 1}}})
        .to_string();
    let second = streamed(9, &[broken, service_at(8, "new", "10.0.0.4")]);
    let api = scripted(vec![first.clone(), second.clone()]);
    let server = serve(&api);
    first.end();
    server.becomes(&name("new"), "A", "NOERROR", &["10.0.0.4"]);
    server.becomes(&name("api"), "A", "NXDOMAIN", &[]);
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.1"]);
}

#[test]
fn an_object_without_a_name_makes_a_list_take_nothing_away() {
    let first = streamed(3, &[service_at(2, "web", "10.0.0.1"), service_at(3, "api", "10.0.0.2")]);
    let nameless = json!({"metadata": {"labels": {}}, "spec": {}}).to_string();
    let second = streamed(9, &[nameless, service_at(8, "new", "10.0.0.4")]);
    let third = streamed(12, &[service_at(8, "new", "10.0.0.4")]);
    let api = scripted(vec![first.clone(), second.clone(), third]);
    let mut server = serve(&api);
    first.end();
    server.becomes(&name("new"), "A", "NOERROR", &["10.0.0.4"]);
    server.becomes(&name("api"), "A", "NOERROR", &["10.0.0.2"]);
    server.meshdns.wait_for_log("have no readable name");
    second.end();
    server.becomes(&name("api"), "A", "NXDOMAIN", &[]);
}

#[test]
fn a_namespace_that_a_list_lacks_is_kept_until_it_is_deleted() {
    // As an API server says that begins with nothing: its own namespaces come one by one.
    let (first, second) = (streamed(3, &[namespace_at(1, "shop")]), streamed(4, &[]));
    let api = scripted_of("namespaces", vec![first.clone(), second.clone()]);
    let server = serve(&api);
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.1"]);
    first.end();
    let doubted = "meshdns_kubernetes_doubted_objects{kind=\"namespaces\"}";
    until("doubt", || (server.metrics(doubted) == [1.0]).then_some(()));
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.1"]);
    second.push(&event("DELETED", &namespace_at(5, "shop")));
    server.becomes(&name("web"), "A", "NXDOMAIN", &[]);
}

#[test]
fn events_out_of_order_are_made_up_for_by_a_list() {
    let first = streamed(5, &[service_at(5, "web", "10.0.0.1")]);
    let second = streamed(20, &[service_at(12, "web", "10.0.0.12"), service_at(11, "api", "10.0.0.11")]);
    let api = scripted(vec![first.clone(), second]);
    let server = serve(&api);
    first.push(
        &(event("MODIFIED", &service_at(12, "web", "10.0.0.12"))
            + &event("ADDED", &service_at(11, "api", "10.0.0.9"))),
    );
    server.becomes(&name("api"), "A", "NOERROR", &["10.0.0.11"]);
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.12"]);
    assert!(server.meshdns.page("/metrics").contains("reason=\"garbled\""));
}

#[test]
fn a_bookmark_of_the_past_is_made_up_for_by_a_list() {
    let first = streamed(50, &[service_at(5, "web", "10.0.0.1")]);
    let second = streamed(60, &[service_at(51, "web", "10.0.0.2")]);
    let api = scripted(vec![first.clone(), second]);
    let server = serve(&api);
    first.push(&bookmark("7"));
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.2"]);
}

#[test]
fn equal_uids_and_odd_letter_case_are_told_apart_by_name() {
    let mut twin = service_at(3, "twin", "10.0.0.3").replace("\"uid\":\"twin\"", "\"uid\":\"web\"");
    let odd = service_at(4, "Web", "10.0.0.4");
    write!(twin, " ").unwrap();
    let api = scripted(vec![streamed(4, &[service_at(2, "web", "10.0.0.2"), twin, odd])]);
    let mut server = serve(&api);
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.2"]);
    server.becomes(&name("twin"), "A", "NOERROR", &["10.0.0.3"]);
    server.becomes(&name("WEB"), "A", "NOERROR", &["10.0.0.2"]);
    server.meshdns.wait_for_log("have no readable name");
}

#[test]
fn what_is_no_json_and_no_api_server_is_asked_again() {
    let good = streamed(4, &[service_at(2, "web", "10.0.0.2")]);
    let starts: Vec<Events> = [
        "not json\n",
        "{\"type\":\"ADDED\"}\n",
        "{\"object\":{},\"type\":\"ADDED\"}\n",
        "{\"type\":\"NEWS\",\"object\":{}}\n",
    ]
    .into_iter()
    .map(|text| {
        let events = Events::default();
        events.push(text);
        events
    })
    .collect();
    let api = scripted(starts.into_iter().chain([good]).collect());
    let server = serve(&api);
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.2"]);
}

#[test]
fn a_watch_that_ends_in_the_middle_of_an_event_loses_nothing() {
    let first = streamed(3, &[service_at(2, "web", "10.0.0.1")]);
    let second = streamed(9, &[service_at(8, "web", "10.0.0.8")]);
    let api = scripted(vec![first.clone(), second]);
    let server = serve(&api);
    let whole = event("MODIFIED", &service_at(8, "web", "10.0.0.8"));
    first.push(&whole[..whole.len() / 2]);
    first.end();
    server.becomes(&name("web"), "A", "NOERROR", &["10.0.0.8"]);
}

#[test]
fn pages_that_expire_or_make_no_sense_are_asked_for_again() {
    let items: Vec<String> =
        (0..4).map(|n| service_at(n, &format!("s{n}"), &format!("10.0.1.{n}"))).collect();
    let pages = std::sync::atomic::AtomicUsize::new(0);
    let api = FakeApi::start(move |asked: &Asked| match (asked.resource.as_str(), asked.kind) {
        ("services", Kind::StreamedList) => Reply::status(422),
        ("services", Kind::List) => {
            match (pages.fetch_add(1, std::sync::atomic::Ordering::Relaxed), asked.target.contains("limit="))
            {
                (0, _) => Reply::text("{\"items\": 7}"),
                (1, _) => Reply::text(list("", "", &[&items[0]])),
                (_, true) => Reply::text(list("9", "next", &[&items[0], &items[1]])),
                (_, false) => Reply::text(list("9", "", &[&items[0], &items[1], &items[2], &items[3]])),
            }
        }
        ("services", Kind::NextPage) => Reply::status(410),
        _ => rest(asked),
    });
    let server = serve(&api);
    server.becomes(&name("s3"), "A", "NOERROR", &["10.0.1.3"]);
    assert!(api.asked(SERVICES).iter().any(|asked| asked.kind == Kind::NextPage));
}

#[test]
fn a_definition_of_another_version_is_found() {
    let entry = json!({
        "metadata": {"name": "api", "namespace": "mesh", "resourceVersion": "2"},
        "spec": {"hosts": ["api.internal"], "addresses": ["192.0.2.7"], "ports": [{"number": 80, "name": "http"}]},
    });
    let api = FakeApi::start(move |asked: &Asked| {
        let old = asked.target.contains("/v1alpha3/");
        match (asked.resource.as_str(), asked.kind) {
            ("serviceentries", Kind::StreamedList) if old => {
                Reply::events(&streamed(2, &[entry.to_string()]))
            }
            ("serviceentries", _) if !old => Reply::status(404),
            _ => rest(asked),
        }
    });
    let mut server = Served::with_kubeconfig(&api.kubeconfig(), "", "");
    server.meshdns.wait_until_ready();
    server.becomes("api.internal", "A", "NOERROR", &["192.0.2.7"]);
}

#[test]
fn a_service_of_ten_thousand_endpoints_churns() {
    const SLICES: usize = 100;
    let slice = |index: usize, version: usize, first: usize| -> String {
        let endpoints: Vec<Value> = (0..100)
            .map(|n| json!({"addresses": [format!("10.{}.{}.{}", 16 + first, index, n)], "conditions": {"ready": true}}))
            .collect();
        json!({
            "metadata": {"name": format!("big-{index}"), "namespace": "shop", "resourceVersion": version.to_string(),
                "labels": {"kubernetes.io/service-name": "big"}},
            "addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "http", "port": 80}],
        })
        .to_string()
    };
    let slices = streamed(SLICES as u64 + 1, &(0..SLICES).map(|n| slice(n, n + 1, 0)).collect::<Vec<_>>());
    let given = slices.clone();
    let headless = json!({"metadata": {"name": "big", "namespace": "shop", "resourceVersion": "1"}, "spec": {"clusterIP": "None"}});
    let services = streamed(1, &[headless.to_string()]);
    let api = FakeApi::start(move |asked: &Asked| match (asked.resource.as_str(), asked.kind) {
        ("endpointslices", Kind::StreamedList) => Reply::events(&given),
        ("services", Kind::StreamedList) => Reply::events(&services),
        _ => rest(asked),
    });
    let server = serve(&api);
    for round in 1..=2 {
        for index in 0..SLICES {
            let version = SLICES * (round + 1) + index + 2;
            slices.push(&event("MODIFIED", &slice(index, version, round)));
        }
    }
    // The last state, and nothing of those before it: by an endpoint's own name.
    let own = |first: usize, index: usize| format!("10-{}-{index}-7.big.shop.svc.cluster.local", 16 + first);
    server.becomes(&own(2, SLICES - 1), "A", "NOERROR", &[&format!("10.18.{}.7", SLICES - 1)]);
    server.becomes(&own(2, 0), "A", "NOERROR", &["10.18.0.7"]);
    server.becomes(&own(1, 50), "A", "NXDOMAIN", &[]);
}
