//! Single queries in the log, and what is logged, changed while the server runs.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;

use crate::support::dig::dig;
use crate::support::process::{Meshdns, written};

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
";

fn settings(manifests: &str, more: &str) -> String {
    format!("zones: [cluster.local]\nsources: {{manifests: ['{manifests}']}}\n{more}\n")
}

fn start(more: &str, arguments: &[&str]) -> (Meshdns, String) {
    let manifests = written("objects.yaml", OBJECTS).display().to_string();
    (Meshdns::start_with(&settings(&manifests, more), arguments), manifests)
}

/// The line of a query for this name, as an object.
fn line(server: &mut Meshdns, name: &str) -> Value {
    let part = format!("\"name\":\"{name}\"");
    server.wait_for_log(&part);
    let lines = server.log_lines(&part);
    serde_json::from_str(lines.last().unwrap()).unwrap()
}

fn explained(server: &Meshdns, id: &str) -> Value {
    let page = server.page(&format!("/explain?query={id}"));
    serde_json::from_str(page.strip_prefix("200 ").unwrap()).unwrap()
}

const EVERYTHING: &str = "telemetry: {queryLog: {successes: 1}}";

#[test]
fn a_line_says_who_asked_what_and_what_came_of_it() {
    let (mut server, _) = start(EVERYTHING, &[]);
    dig(server.dns, ["WEB.shop.svc.cluster.local", "A"]);
    let found = line(&mut server, "web.shop.svc.cluster.local.");
    let keys: BTreeSet<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "client",
        "duration_seconds",
        "level",
        "listener",
        "message",
        "name",
        "object",
        "query",
        "rcode",
        "source",
        "target",
        "timestamp",
        "ttl",
        "type",
    ];
    assert_eq!(keys, BTreeSet::from(expected));
    for (key, value) in [
        ("listener", "udp"),
        ("type", "A"),
        ("rcode", "NOERROR"),
        ("source", "kubernetes"),
        ("object", "Service shop/web"),
        ("target", "meshdns::query"),
    ] {
        assert_eq!(found[key], value, "{found}");
    }
    assert_eq!(found["ttl"], 5);
    assert!(found["client"].as_str().unwrap().parse::<SocketAddr>().unwrap().ip().is_loopback());
    assert!((0.0..1.0).contains(&found["duration_seconds"].as_f64().unwrap()), "{found}");
    let explanation = explained(&server, found["query"].as_str().unwrap());
    assert_eq!(explanation["name"], "web.shop.svc.cluster.local.");
    assert_eq!(explanation["objects"][0], "Service shop/web", "{explanation}");
    assert!(server.page("/explain?query=0000000000000000").starts_with("404 "));
}

#[test]
fn what_was_not_answered_is_logged_with_the_reason() {
    let (mut server, _) = start("telemetry: {queryLog: {successes: 0}}", &[]);
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    dig(server.dns, ["no\\010ne.shop.svc.cluster.local", "AAAA"]);
    dig(server.dns, ["www.example.org", "TXT"]);
    let refused = line(&mut server, "www.example.org.");
    assert_eq!((&refused["rcode"], &refused["type"]), (&"REFUSED".into(), &"TXT".into()));
    assert!(refused["reason"].as_str().unwrap().contains("no configured zone takes the name"), "{refused}");
    let denied = line(&mut server, "no\\\\010ne.shop.svc.cluster.local.");
    assert_eq!((&denied["rcode"], &denied["source"]), (&"NXDOMAIN".into(), &"none".into()));
    assert_eq!(denied["ttl"], 5);
    assert!(denied["reason"].as_str().unwrap().contains("does not exist"), "{denied}");
    assert_eq!(server.logged("\"name\":\"web."), 0);
    assert_eq!(server.metrics().sample("meshdns_query_log_lines_total"), 2);
}

#[test]
fn a_query_that_comes_too_early_is_logged() {
    let mut server = Meshdns::begin(
        &mut std::process::Command::new(env!("CARGO_BIN_EXE_meshdns")),
        "zones: [cluster.local]\nsources: {istiod: {address: '127.0.0.1:1'}}\ntelemetry: {queryLog: {}}\n",
        &[],
    );
    server.wait_until("it listens", |metrics| metrics.sample("meshdns_istiod_connected") == 0);
    server.wait_for_log("\"listener\":\"dns\"");
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    let found = line(&mut server, "web.shop.svc.cluster.local.");
    assert_eq!(
        (&found["rcode"], &found["reason"]),
        (&"SERVFAIL".into(), &"not everything is known yet".into())
    );
}

#[test]
fn the_query_log_is_switched_on_and_off_by_the_settings_file() {
    let (mut server, manifests) = start("", &[]);
    let change = |server: &Meshdns, more: &str| {
        let new = server.settings.with_extension("new");
        std::fs::write(&new, settings(&manifests, more)).unwrap();
        std::fs::rename(&new, &server.settings).unwrap();
    };
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    change(&server, EVERYTHING);
    server.wait_for_log("settings read again");
    assert_eq!(server.logged("meshdns::query"), 0);
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    line(&mut server, "web.shop.svc.cluster.local.");
    change(&server, "");
    let applied = "meshdns_settings_reloads_total{outcome=\"applied\"}";
    server.wait_until("off", |metrics| metrics.sample(applied) == 2);
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    assert_eq!(server.metrics().sample("meshdns_query_log_lines_total"), 1);
}

#[test]
fn the_level_is_changed_from_this_machine_while_the_server_runs() {
    let (mut server, _) = start("listen: {inspect: anywhere}", &["--log", "warn"]);
    assert_eq!(server.page("/log"), "200 {\"filter\":\"warn\"}");
    let refused = server.put("/log", "meshdns::run=loud");
    assert!(
        refused.starts_with("400 ") && refused.contains("`meshdns::run=loud` cannot be read"),
        "{refused}"
    );
    let changed = server.put("/log", "info,meshdns::serve=debug\n");
    assert_eq!(changed, "200 {\"filter\":\"info,meshdns::serve=debug\"}");
    assert_eq!(server.page("/log"), "200 {\"filter\":\"info,meshdns::serve=debug\"}");
    server.wait_for_log("log filter changed");
    assert_eq!(server.logged("settings read again"), 0);
    server.signal("HUP");
    server.wait_for_log("settings read again");
}

#[test]
fn lines_are_text_where_that_is_asked_for() {
    let (mut server, _) = start(EVERYTHING, &["--log-format", "text"]);
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    server.wait_for_log("rcode=\"NOERROR\"");
    let lines = server.log_lines("rcode=\"NOERROR\"");
    assert!(
        lines[0].contains(" INFO query ") && lines[0].contains("object=\"Service shop/web\""),
        "{lines:?}"
    );
}
