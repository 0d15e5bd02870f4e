//! Objects of a real API server are answered as they come, change and go.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Served, everything, rules};
use crate::support::kube::{
    ADMIN, ControlPlane, CustomResources, MESHDNS, NAMESPACES, PODS, SERVICE_ENTRIES, SERVICES, Setup, until,
};

const DB: &str = "
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  clusterIP: None
  selector: {app: db}
  ports: [{name: sql, port: 5432}]
";

#[test]
fn objects_are_answered_as_they_come_change_and_go() {
    let plane = ControlPlane::shared();
    let shop = plane.namespace("shop");
    let server = Served::start(plane, "");
    let name = |service: &str| format!("{service}.{}.svc.cluster.local", shop.name);
    server.becomes(&name("db"), "A", "NXDOMAIN", &[]);
    shop.apply(DB);
    shop.run_pod("db-0", &json!({"app": "db"}), &["10.244.0.10"]);
    server.becomes(&name("db"), "A", "NOERROR", &["10.244.0.10"]);
    shop.run_pod("db-1", &json!({"app": "db"}), &["10.244.0.11"]);
    server.becomes(&name("db"), "A", "NOERROR", &["10.244.0.10", "10.244.0.11"]);
    server.becomes(
        &name("_sql._tcp.db"),
        "SRV",
        "NOERROR",
        &[
            &format!("0 50 5432 10-244-0-10.{}.", name("db")),
            &format!("0 50 5432 10-244-0-11.{}.", name("db")),
        ],
    );
    shop.delete(PODS, "db-0");
    server.becomes(&name("db"), "A", "NOERROR", &["10.244.0.11"]);
    shop.apply("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}], clusterIP: 10.96.77.1}}");
    server.becomes(&name("web"), "A", "NOERROR", &["10.96.77.1"]);
    shop.delete(SERVICES, "web");
    server.becomes(&name("web"), "A", "NXDOMAIN", &[]);
    shop.delete_now();
    server.becomes(&name("db"), "A", "NXDOMAIN", &[]);
    let metrics = server.meshdns.page("/metrics");
    for expected in [
        "meshdns_propagation_duration_seconds_count{kind=\"EndpointSlice\",since=\"trigger\"}",
        "meshdns_propagation_duration_seconds_count{kind=\"Service\",since=\"received\"}",
        "meshdns_kubernetes_watches_live{kind=\"services\"} 1",
    ] {
        assert!(metrics.contains(expected), "{expected} is not in {metrics}");
    }
}

#[test]
fn custom_resources_may_be_absent_come_and_go() {
    let plane = Setup::default().without_controllers().start();
    let mesh = plane.namespace("mesh");
    let mut server = Served::start(&plane, "catchAll: true\n");
    server.becomes("api.internal", "A", "NXDOMAIN", &[]);
    // That they are missing keeps nothing else back, and is told.
    server.meshdns.wait_for_log("the API server does not have them");
    let live = "meshdns_kubernetes_watches_live{kind=\"serviceentries\"}";
    assert_eq!(server.metrics(live), [0.0]);
    for definition in [CustomResources::ServiceEntry, CustomResources::WorkloadEntry] {
        plane.install(definition);
    }
    mesh.apply(
        "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api}, \
         spec: {hosts: [api.internal], ports: [{number: 80, name: http}], resolution: STATIC}}",
    );
    let assigned = json!({"addresses": [{"value": "240.240.0.7", "host": "api.internal"}]});
    mesh.merge_status(SERVICE_ENTRIES, "api", &assigned);
    server.becomes("api.internal", "A", "NOERROR", &["240.240.0.7"]);
    until("heard of", || (server.metrics(live) == [1.0]).then_some(()));
    plane.uninstall(CustomResources::ServiceEntry);
    server.becomes("api.internal", "A", "NXDOMAIN", &[]);
    plane.install(CustomResources::ServiceEntry);
    mesh.apply(
        "{apiVersion: networking.istio.io/v1beta1, kind: ServiceEntry, metadata: {name: api}, \
         spec: {hosts: [api.internal], addresses: [192.0.2.9], ports: [{number: 80, name: http}], resolution: STATIC}}",
    );
    server.becomes("api.internal", "A", "NOERROR", &["192.0.2.9"]);
}

#[test]
fn lists_are_paged_where_they_are_not_streamed() {
    let plane = Setup::default().without_controllers().without_watch_lists().start();
    let shop = plane.namespace("shop");
    // More than one page.
    let services: String = (0..300)
        .map(|n| {
            format!("---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{n}}}\nspec: {{ports: [{{port: 80}}]}}\n")
        })
        .collect();
    shop.apply(&services);
    let server = Served::start(&plane, "");
    for service in ["s0", "s150", "s299"] {
        let address = shop.get(SERVICES, service).unwrap()["spec"]["clusterIP"].as_str().unwrap().to_owned();
        server.becomes(&format!("{service}.{}.svc.cluster.local", shop.name), "A", "NOERROR", &[&address]);
    }
    shop.delete(SERVICES, "s150");
    server.becomes(&format!("s150.{}.svc.cluster.local", shop.name), "A", "NXDOMAIN", &[]);
}

#[test]
fn what_is_forbidden_is_named_with_the_rule_that_allows_it() {
    let plane = Setup::default().without_controllers().start();
    plane.install(CustomResources::ServiceEntry);
    let shop = plane.namespace("shop");
    shop.apply("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}], clusterIP: 10.96.77.2}}");
    plane.grant("meshdns", "meshdns", &rules(&["namespaces", "endpointslices"]));
    let mut server = Served::begin(&plane, &MESHDNS, "");
    // Other kinds are forbidden too, and may be refused first.
    let rule = "ClusterRole rules: [{apiGroups: [\"\"], resources: [services], verbs: [list, watch]}]";
    until(rule, || server.meshdns.page("/readyz").contains(rule).then_some(()));
    // Without the mesh it goes on, and says so.
    plane.grant("meshdns", "meshdns", &rules(&["namespaces", "services", "endpointslices"]));
    server.meshdns.wait_until_ready();
    server.becomes(&format!("web.{}.svc.cluster.local", shop.name), "A", "NOERROR", &["10.96.77.2"]);
    let counted = "meshdns_kubernetes_failures_total{kind=\"serviceentries\",reason=\"forbidden\"}";
    until(counted, || server.meshdns.page("/metrics").contains(counted).then_some(()));
    // And takes it in when it may.
    plane.grant("meshdns", "meshdns", &everything());
    shop.apply(
        "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api}, \
         spec: {hosts: [api.internal], addresses: [192.0.2.8], ports: [{number: 80, name: http}], resolution: STATIC}}",
    );
    server.becomes("api.internal", "A", "NOERROR", &["192.0.2.8"]);
}

#[test]
fn some_namespaces_need_no_more_than_roles_in_them() {
    let plane = Setup::default().without_controllers().start();
    let (shop, bank) = (plane.namespace("shop"), plane.namespace("bank"));
    for namespace in [&shop, &bank] {
        namespace
            .apply("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}");
    }
    shop.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: meshdns}}\nrules: {}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: meshdns}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: meshdns}}\n\
         subjects: [{{kind: ServiceAccount, namespace: meshdns, name: meshdns}}]\n",
        rules(&["services", "endpointslices"])
    ));
    let settings = format!("namespaces: [{}]", shop.name);
    let mut server = Served::begin_with(&plane, &MESHDNS, &settings, "");
    server.meshdns.wait_until_ready();
    let address = shop.get(SERVICES, "web").unwrap()["spec"]["clusterIP"].as_str().unwrap().to_owned();
    server.becomes(&format!("web.{}.svc.cluster.local", shop.name), "A", "NOERROR", &[&address]);
    server.becomes(&format!("{}.svc.cluster.local", shop.name), "A", "NOERROR", &[]);
    server.becomes(&format!("web.{}.svc.cluster.local", bank.name), "A", "NXDOMAIN", &[]);
    assert!(plane.api().get(NAMESPACES, &bank.name).is_some());
}

#[test]
fn a_kubeconfig_may_come_later() {
    let plane = ControlPlane::shared();
    let good = plane.kubeconfig(&MESHDNS);
    plane.grant("meshdns", "meshdns", &everything());
    let later = good.with_file_name("later");
    let mut server = Served::with_kubeconfig(&later, "", "");
    let told = until("reason", || {
        let page = server.meshdns.page("/readyz");
        page.contains("later").then_some(page)
    });
    assert!(told.contains("No such file"), "{told}");
    std::fs::rename(&good, &later).unwrap();
    server.meshdns.wait_until_ready();
}

#[test]
fn commands_read_the_api_server_once() {
    let plane = ControlPlane::shared();
    let shop = plane.namespace("shop");
    shop.apply("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}], clusterIP: 10.96.77.5}}");
    let kubeconfig = plane.kubeconfig(&ADMIN);
    let run_with = |kubeconfig: &Path, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_meshdns"))
            .args(arguments)
            .args(["--zone", "cluster.local", "--kubeconfig"])
            .arg(kubeconfig)
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(told).unwrap())
    };
    let run = |arguments: &[&str]| run_with(&kubeconfig, arguments);
    let name = format!("web.{}.svc.cluster.local", shop.name);
    let (code, told) = run(&["explain", &name, "A"]);
    assert!(code == Some(0) && told.contains("10.96.77.5"), "{code:?} {told}");
    let object = format!("Service/{}/web", shop.name);
    let (code, told) = run(&["records", "--object", &object]);
    assert!(code == Some(0) && told.contains(&name), "{code:?} {told}");
    let (code, told) = run(&["plan", "--delete", &object]);
    assert!(told.contains(&name), "{code:?} {told}");
    let (code, told) = run(&["check"]);
    assert!(code == Some(0), "{told}");
    let (code, told) = run_with(Path::new("/nowhere"), &["explain", &name, "A"]);
    assert!(code == Some(2) && told.contains("/nowhere"), "{code:?} {told}");
}

#[test]
fn the_documented_rules_are_enough() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kubernetes.md")).unwrap();
    let rules = text.split("```yaml\n").find(|block| block.contains("kind: ClusterRole\n")).unwrap();
    let rules = rules.split("```").next().unwrap();
    let plane = Setup::default().without_controllers().start();
    for definition in
        [CustomResources::ServiceEntry, CustomResources::WorkloadEntry, CustomResources::ServiceImport]
    {
        plane.install(definition);
    }
    plane.api().apply(rules);
    let settings = "kubernetes: {pods: verified, clusterSetZones: [clusterset.local]}\n";
    let mut server = Served::begin(&plane, &MESHDNS, settings);
    server.meshdns.wait_until_ready();
    until("all watches live", || {
        let live = server.metrics("meshdns_kubernetes_watches_live{");
        (live == [1.0; 7]).then_some(())
    });
    assert!(!server.meshdns.page("/metrics").contains("meshdns_kubernetes_failures_total{"));
}
