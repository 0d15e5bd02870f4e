//! The commands as people run them: exit codes, first lines, JSON.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::support::process::{Process, free_address, written};

/// Objects with a fault each.
const FAULTS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {clusterIP: 10.96.0.20, clusterIPs: [10.96.0.20], ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: secret, namespace: shop, labels: {hidden: "yes"}}
spec: {clusterIP: 10.96.0.21, clusterIPs: [10.96.0.21], ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: shop}
spec: {clusterIP: None, clusterIPs: [None], ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, clusterIPs: [None], ports: [{name: sql, port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints:
  - {addresses: [10.244.0.1], hostname: db-0, conditions: {ready: true}}
  - {addresses: [10.244.0.2], hostname: db-1, conditions: {ready: false}}
ports: [{name: sql, port: 5432}]
---
apiVersion: v1
kind: Service
metadata: {name: numeric, namespace: shop}
spec: {type: ExternalName, externalName: 192.0.2.1}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: shop}
spec: {type: ExternalName, externalName: pay.example.com}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ranges, namespace: shop}
spec: {hosts: [ranges.example], addresses: [10.0.0.0/8], resolution: STATIC, ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pending, namespace: shop}
spec: {hosts: [pending.example], resolution: STATIC, ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: private, namespace: shop}
spec: {hosts: [private.example], exportTo: ["."], addresses: [10.1.1.1], resolution: STATIC, ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: star, namespace: shop}
spec: {hosts: ["*.wild.example"], addresses: [10.1.1.2], resolution: STATIC, ports: [{name: tcp, number: 1, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: exact, namespace: shop}
spec: {hosts: [one.wild.example], addresses: [10.1.1.3], resolution: STATIC, ports: [{name: tcp, number: 1, protocol: TCP}]}
"#;

const SETTINGS: &str = r#"
zones: [cluster.local, 10.96.0.0/16]
kubernetes: {labelSelector: "!hidden"}
"#;

/// What a command printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn first_line(&self) -> &str {
        self.stdout.lines().next().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshdns"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MESHDNS_")) {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    ran(command().args(arguments))
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn faults() -> (PathBuf, PathBuf) {
    (written("settings.yaml", SETTINGS), written("faults.yaml", FAULTS))
}

#[test]
fn the_first_line_names_the_cause() {
    let (settings, manifests) = faults();
    let zone = "shop.svc.cluster.local";
    let cases: &[(&str, i32, &str)] = &[
        ("web", 0, "NOERROR, 1 record, TTL 5 s, from Service shop/web"),
        ("wbe", 1, "NXDOMAIN: Service shop/wbe does not exist; did you mean web.shop.svc.cluster.local?"),
        ("other", 1, "NXDOMAIN: Service shop/other does not exist"),
        ("empty", 1, "NXDOMAIN: Service shop/empty is headless and has no ready endpoint"),
        (
            "db-1.db",
            1,
            "NXDOMAIN: Service shop/db has no ready endpoint called db-1 (db-1 at 10.244.0.2 is not ready)",
        ),
        ("_http._tcp.db", 1, "NXDOMAIN: Service shop/db has no port _http._tcp; it has _sql._tcp"),
        ("secret", 1, "NXDOMAIN: Service shop/secret has no names: its labels do not match"),
        ("numeric", 1, "NXDOMAIN: Service shop/numeric has no names: its externalName is an IP address"),
        ("outside", 0, "NOERROR, an alias, TTL 5 s; an upstream resolver is asked for pay.example.com"),
        ("web.nowhere.svc.cluster.local.", 1, "NXDOMAIN: Namespace nowhere does not exist"),
        ("web.shop.svc.cluster.lan.", 1, "REFUSED: no configured zone takes the name (cluster.local.)"),
        ("10-0-0-1.shop.pod.cluster.local.", 1, "NXDOMAIN: pod names are off (kubernetes.pods: disabled)"),
        ("ranges.example.", 1, "NXDOMAIN: ServiceEntry shop/ranges gives nothing: its addresses are ranges"),
        (
            "pending.example.",
            1,
            "NXDOMAIN: ServiceEntry shop/pending gives nothing: it has no automatic address",
        ),
        ("private.example.", 1, "REFUSED: ServiceEntry shop/private gives nothing: it is not exported"),
        ("one.wild.example.", 0, "NOERROR, 1 record, TTL 5 s, from ServiceEntry shop/exact"),
        ("two.wild.example.", 0, "NOERROR, 1 record, TTL 5 s, from ServiceEntry shop/star"),
    ];
    for (name, code, expected) in cases {
        let name = name.strip_suffix('.').map_or_else(|| format!("{name}.{zone}"), str::to_owned);
        let ran = run(&["explain", &name, "--config", path(&settings), "--manifests", path(&manifests)]);
        assert!(ran.first_line().starts_with(&format!("{name} A: {expected}")), "{}", ran.stdout);
        assert_eq!(ran.code, *code, "{}", ran.stdout);
    }
}

#[test]
fn types_and_addresses_are_asked_for() {
    let (settings, manifests) = faults();
    let explain = |name: &str, kind: &[&str]| {
        let common = ["--config", path(&settings), "--manifests", path(&manifests)];
        run(&[&["explain", name], kind, &common].concat())
    };
    let line = explain("10.96.0.20", &[]);
    assert_eq!(
        line.first_line(),
        "20.0.96.10.in-addr.arpa PTR: NOERROR, 1 record, TTL 5 s, from Service shop/web"
    );
    let line = explain("web.shop.svc.cluster.local", &["aaaa"]);
    assert!(line.first_line().contains("AAAA: NODATA: Service shop/web has the cluster IP 10.96.0.20"));
    assert!(line.first_line().ends_with("; the name has A, SRV"), "{}", line.stdout);
    for (name, kind, message) in [
        ("web.shop.svc.cluster.local", "FOO", "`FOO` is not a record type"),
        (&*"a".repeat(64), "A", "more than 63 octets"),
        (&*"ab.".repeat(90), "A", "longer than 255 octets"),
        ("a..b", "A", "empty label"),
    ] {
        let line = explain(name, &[kind]);
        assert_eq!(line.code, 2);
        assert!(line.stderr.contains(message), "{}", line.stderr);
        assert_eq!(line.stderr.lines().count(), 1, "{}", line.stderr);
    }
}

#[test]
fn an_explanation_has_its_documented_fields() {
    let (settings, manifests) = faults();
    let ran = run(&[
        "explain",
        "web.shop.svc.cluster.local",
        "--output=json",
        "--config",
        path(&settings),
        "--manifests",
        path(&manifests),
    ]);
    let json = ran.json();
    let documented = std::fs::read_to_string("docs/explain.md").unwrap();
    for field in json.as_object().unwrap().keys() {
        assert!(documented.contains(&format!("| `{field}` |")), "docs/explain.md does not tell of {field}");
    }
    assert_eq!(json["status"], "records");
    assert_eq!(json["zone"], "cluster.local.");
    assert_eq!(json["ttl"], 5);
    assert_eq!(json["objects"], serde_json::json!(["Service shop/web"]));
    assert_eq!(json["records"][0]["data"], "10.96.0.20");
    assert_eq!(json["steps"][0]["topic"], "zone");
}

#[test]
fn defects_of_what_was_considered_are_told() {
    let bad = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n\
               spec: {clusterIP: 10.96.0.300, clusterIPs: [10.96.0.300], ports: [{port: 80}]}\n";
    let manifests = written("bad.yaml", bad);
    let common = ["--zone", "cluster.local", "--manifests", path(&manifests)];
    let ran = run(&[&["explain", "web.shop.svc.cluster.local"][..], &common].concat());
    assert!(ran.stdout.contains("\ndefects\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("10.96.0.300"), "{}", ran.stdout);
    let ran = run(&[&["check"][..], &common].concat());
    assert_eq!(ran.code, 1);
    assert!(ran.first_line().contains("bad.yaml:") && ran.first_line().contains("Service shop/web"));
    let json = run(&[&["check", "--output=json"][..], &common].concat()).json();
    assert_eq!(json["defects"][0]["object"], "Service shop/web");
}

#[test]
fn records_are_listed_and_filtered() {
    let example = ["--config", "examples/meshdns.yaml"];
    let all = run(&[&["records"][..], &example].concat());
    assert_eq!(all.code, 0);
    assert!(all.stdout.lines().count() > 20);
    let json =
        run(&[&["records", "--object=Service/shop/web", "--output=json"][..], &example].concat()).json();
    let line = &json[0];
    for (field, value) in [
        ("name", "web.shop.svc.cluster.local."),
        ("type", "A"),
        ("data", "10.96.0.20"),
        ("class", "clusterIP"),
        ("object", "Service shop/web"),
    ] {
        assert_eq!(line[field], value);
    }
    assert_eq!(line["ttl"], 5);
    let below = run(&[&["records", "--zone=wild.internal"][..], &example].concat());
    assert_eq!(below.stdout.lines().count(), 1);
    assert!(below.stdout.starts_with("*.wild.internal."));
    let nothing = run(&[&["records", "--zone=nowhere.example"][..], &example].concat());
    assert_eq!((nothing.code, &*nothing.stdout), (1, ""));
    let bad = run(&[&["records", "--object=shop/web"][..], &example].concat());
    assert_eq!(bad.code, 2);
}

#[test]
fn documented_examples_print_what_they_say() {
    let documented = std::fs::read_to_string("docs/explain.md").unwrap();
    let blocks: Vec<&str> = documented.split("```text\n$ meshdns ").skip(1).collect();
    assert_eq!(blocks.len(), 5);
    // The serial of an SOA moves with the examples.
    let without_serials = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("IN SOA"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for block in blocks {
        let (arguments, rest) = block.split_once('\n').unwrap();
        let expected = rest.split_once("```").unwrap().0;
        let printed = run(&arguments.split(' ').collect::<Vec<_>>()).stdout;
        assert_eq!(without_serials(&printed), without_serials(expected), "{arguments}");
    }
}

#[test]
fn check_counts_what_it_read() {
    let ran = run(&["check", "--config", "examples/meshdns.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.starts_with("nothing is wrong\nobjects: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("apps/v1/StatefulSet"));
}

#[test]
fn every_problem_of_the_settings_is_told() {
    let settings = written("bad.yaml", "zones: [a..b]\nttl: {default: 4000}\ncatchall: true\n");
    for command in ["serve", "check", "records"] {
        let ran = run(&[command, "--config", path(&settings)]);
        assert_eq!(ran.code, 2, "{command}: {}", ran.stderr);
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 3, "{command}: {}", ran.stderr);
        for (line, place) in lines.iter().zip(["bad.yaml:1: ", "bad.yaml:2: ", "bad.yaml:3: "]) {
            assert!(line.contains(place), "{line}");
        }
    }
    let json = run(&["check", "--output=json", "--config", path(&settings)]).json();
    assert_eq!(json["problems"][1]["setting"], "ttl.default");
    let flag = run(&["check", "--zone", "a..b"]);
    assert_eq!(flag.code, 2);
    assert!(flag.stderr.starts_with("--zone: "), "{}", flag.stderr);
}

#[test]
fn flags_replace_variables_and_variables_the_file() {
    let (settings, manifests) = faults();
    let explain = |variables: &[(&str, &str)], flags: &[&str]| {
        let mut command = command();
        command.args(["explain", "web.shop.svc.k8s.test"]).args(flags);
        ran(command.env("MESHDNS_MANIFESTS", &manifests).envs(variables.iter().copied())).code
    };
    let config = ("MESHDNS_CONFIG", path(&settings));
    assert_eq!(explain(&[config], &[]), 1, "the file's zone");
    assert_eq!(
        explain(&[config, ("MESHDNS_ZONE", "cluster.local,k8s.test")], &[]),
        0,
        "a list in a variable"
    );
    assert_eq!(explain(&[config], &["--zone", "k8s.test"]), 0, "a flag over the file");
    assert_eq!(explain(&[("MESHDNS_ZONE", "k8s.test")], &["--zone", "a.test"]), 1, "a flag over a variable");
    assert_eq!(explain(&[config, ("MESHDNS_CATCH_ALL", "perhaps")], &[]), 2, "a bad variable");
    let empty = [("MESHDNS_CONFIG", ""), ("MESHDNS_ZONE", ""), ("MESHDNS_CATCH_ALL", "")];
    assert_eq!(explain(&empty, &["--zone", "k8s.test"]), 0, "empty variables count as not set");
}

#[test]
fn bad_usage_is_two() {
    for arguments in [
        &[][..],
        &["doctor"],
        &["explain"],
        &["explain", "a", "--output", "yaml"],
        &["explain", "a", "--zone", "cluster.local"],
        &["records", "--server", "https://127.0.0.1:1"],
        &["records", "--server", "http://127.0.0.1:1"],
        &["serve"],
    ] {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
    let version = run(&["--version"]);
    assert_eq!((version.code, &*version.stdout), (0, concat!("meshdns ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn a_running_server_explains_the_same() {
    let (settings, manifests) = faults();
    let (grpc, admin) = (free_address().to_string(), free_address().to_string());
    let mut server = command();
    server.args(["serve", "--config", path(&settings), "--manifests", path(&manifests)]);
    server.args(["--grpc-listen", &grpc, "--admin-listen", &admin]);
    let mut server = Process::start(&mut server);
    let url = format!("http://{admin}");
    server.wait_until("it answers", |_| {
        run(&["explain", "web.shop.svc.cluster.local", "--server", &url]).code == 0
    });
    for name in ["web.shop.svc.cluster.local", "wbe.shop.svc.cluster.local", "pending.example"] {
        let here = run(&["explain", name, "--config", path(&settings), "--manifests", path(&manifests)]);
        let there = run(&["explain", name, "--server", &url]);
        assert_eq!((here.code, here.stdout), (there.code, there.stdout));
    }
    let listed = run(&["records", "--server", &url, "--object", "Service/shop/web"]);
    assert!(listed.stdout.starts_with("web.shop.svc.cluster.local.  5  A  10.96.0.20"), "{}", listed.stdout);
}
