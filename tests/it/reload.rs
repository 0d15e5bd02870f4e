//! Settings that change while the server runs.

use std::process::Command;

use serde_json::Value;

use crate::support::process::{Meshdns, written};

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {meshdns.io/ttl: '20'}}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {clusterIP: 10.0.0.2, ports: [{port: 80}]}
";

struct Running {
    server: Meshdns,
    manifests: String,
}

impl Running {
    fn with(ttl: &str) -> Self {
        let manifests = written("objects.yaml", OBJECTS).display().to_string();
        let server = Meshdns::start(&settings(&manifests, ttl));
        Self { server, manifests }
    }

    /// Replaces the file as a ConfigMap does: in one step.
    fn change(&self, text: &str) {
        let path = &self.server.settings;
        let new = path.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, path).unwrap();
    }

    fn change_ttl(&self, ttl: &str) {
        self.change(&settings(&self.manifests, ttl));
    }

    fn ttl(&self, service: &str) -> u64 {
        let page = self.server.page(&format!("/explain?name={service}.shop.svc.cluster.local&type=A"));
        let (_, body) = page.split_once(' ').unwrap();
        serde_json::from_str::<Value>(body).unwrap()["ttl"].as_u64().unwrap()
    }

    fn becomes(&self, service: &str, ttl: u64) {
        crate::support::kube::until(&format!("{service} for {ttl} s"), || {
            (self.ttl(service) == ttl).then_some(())
        });
    }

    fn reloads(&self, outcome: &str) -> u64 {
        let sample = format!("meshdns_settings_reloads_total{{outcome=\"{outcome}\"}}");
        self.server.metrics().sample(&sample)
    }
}

fn settings(manifests: &str, ttl: &str) -> String {
    format!("zones: [cluster.local]\nsources: {{manifests: [{manifests}]}}\nttl: {ttl}\n")
}

#[test]
fn ttls_change_with_their_file() {
    let mut running = Running::with("{default: 7, rules: [{selector: app=web, ttl: 9}]}");
    assert_eq!((running.ttl("web"), running.ttl("api")), (20, 7));
    running.change_ttl("{default: 8, rules: [{namespaces: [shop], selector: app=api, ttl: 6}]}");
    running.becomes("api", 6);
    running.change_ttl("{default: 8, annotations: ignored, rules: [{selector: app=web, ttl: 10}]}");
    running.becomes("web", 10);
    assert_eq!(running.ttl("api"), 8);

    // What cannot be used changes nothing, and is told with its place.
    running.change_ttl("{default: 1, rules: [{selector: app=web, ttl: 5s}]}");
    running.server.wait_for_log("ttl.rules[0].ttl: `5s` is text: seconds from 0 to 3600");
    assert_eq!((running.ttl("web"), running.ttl("api")), (10, 8));
    assert_eq!(running.server.metrics().sample("meshdns_settings_refused"), 1);
    let other = settings(&running.manifests, "{default: 1}").replace("cluster.local", "other.local");
    running.change(&other);
    running.server.wait_for_log("zones: is read at the start only, and has changed");
    assert_eq!((running.ttl("web"), running.ttl("api")), (10, 8));

    running.change_ttl("{default: 3}");
    running.becomes("api", 3);
    assert_eq!(running.ttl("web"), 20);
    assert_eq!(running.server.metrics().sample("meshdns_settings_refused"), 0);
    assert_eq!((running.reloads("applied"), running.reloads("refused")), (3, 2));
}

#[test]
fn an_annotation_beyond_the_bounds_is_told() {
    let running = Running::with("{default: 7, annotations: {min: 1, max: 10}}");
    let page = running.server.page("/explain?name=web.shop.svc.cluster.local&type=A");
    assert!(
        page.contains("annotation meshdns.io/ttl asks for 20 s, outside ttl.annotations (1 to 10)"),
        "{page}"
    );
    assert_eq!(running.ttl("web"), 7);
    let check = Command::new(env!("CARGO_BIN_EXE_meshdns"))
        .args(["check", "--config"])
        .arg(&running.server.settings)
        .output()
        .unwrap();
    let told = String::from_utf8(check.stdout).unwrap();
    let line = "Service shop/web: metadata.annotations[meshdns.io/ttl]: 20 is outside ttl.annotations: seconds from 1 to 10";
    assert!(told.lines().any(|told| told.ends_with(line)), "{told}");
    assert_eq!(check.status.code(), Some(1));
}

/// The log names them at the start and when the bounds change, and as many as one can read.
#[test]
fn annotations_beyond_the_bounds_are_logged() {
    const MESSAGE: &str = "an annotation out of bounds counts as left out";
    let line = |max: u64| {
        format!(
            "Service shop/web: metadata.annotations[meshdns.io/ttl]: 20 is outside ttl.annotations: seconds from 0 to {max}"
        )
    };
    let mut running = Running::with("{annotations: {max: 10}}");
    running.server.wait_for_log(&line(10));
    running.change_ttl("{annotations: {max: 60}}");
    running.becomes("web", 20);
    running.change_ttl("{annotations: {max: 11}}");
    running.server.wait_for_log(&line(11));
    assert_eq!(running.server.logged(MESSAGE), 2, "the bounds in between let it through");

    let service = |number| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: shop, annotations: {{meshdns.io/ttl: '{number}'}}}}\n\
             spec: {{clusterIP: 10.0.1.{number}, ports: [{{port: 80}}]}}\n"
        )
    };
    let many: String = (1..=12).map(service).collect();
    let manifests = written("objects.yaml", &format!("{OBJECTS}{many}")).display().to_string();
    let mut server = Meshdns::start(&settings(&manifests, "{annotations: ignored}"));
    server.wait_for_log("manifests read");
    let running = Running { server, manifests };
    running.change_ttl("{annotations: {min: 30}}");
    let Running { mut server, .. } = running;
    server.wait_for_log("annotations out of bounds count as left out, with values like these");
    server.wait_for_log("\"more\":3");
    assert_eq!(server.logged(MESSAGE), 10);
}

#[test]
fn labels_that_were_not_kept_cannot_be_asked_for() {
    let mut running = Running::with("{default: 7}");
    running.change_ttl("{default: 8, rules: [{selector: app=web, ttl: 9}]}");
    running.server.wait_for_log("labels of objects are not kept");
    assert_eq!((running.ttl("web"), running.ttl("api")), (20, 7));
    running.change_ttl("{default: 8, rules: [{namespaces: [shop], ttl: 9}]}");
    running.becomes("api", 9);
}

#[test]
fn sighup_reads_the_file_at_once_and_ends_nothing() {
    let mut running = Running::with("{default: 7}");
    running.server.signal("HUP");
    running.server.wait_for_log("settings read again");
    assert_eq!(running.ttl("api"), 7);
    std::fs::remove_file(&running.server.settings).unwrap();
    running.server.signal("HUP");
    running.server.wait_for_log("settings cannot be read again");
    assert_eq!(running.ttl("api"), 7);
}
