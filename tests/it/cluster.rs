//! The control plane that tests run against is a real one, and it can be broken.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use meshdns::apiserver::{ApiServer, ApiServerSettings};
use serde_json::{Value, json};

use crate::support::kube::{
    ADMIN, Api, CONFIG_MAPS, ControlPlane, CustomResources, ENDPOINT_SLICES, ENDPOINTS, Identity, MESHDNS,
    NAMESPACES, NOBODY, Namespace, SERVICE_ENTRIES, SERVICE_IMPORTS, SERVICES, Setup, WORKLOAD_ENTRIES,
    until,
};
use crate::support::process::{Process, free_address, written};
use crate::support::tethered::Tethered;

const WEB: &str = "
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ipFamilyPolicy: RequireDualStack
  ports: [{name: http, port: 80}]
";

/// The addresses of all slices of a service, with whether each is ready, sorted.
fn endpoints(api: &Api, service: &str) -> Vec<(String, bool)> {
    let slices = api.list(ENDPOINT_SLICES).into_iter();
    let of_service =
        slices.filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == service);
    let endpoints = of_service.flat_map(|slice| slice["endpoints"].as_array().cloned().unwrap_or_default());
    let mut found: Vec<_> = endpoints
        .map(|endpoint| {
            let address = endpoint["addresses"][0].as_str().unwrap().to_owned();
            (address, endpoint["conditions"]["ready"] == true)
        })
        .collect();
    found.sort();
    found
}

/// Waits until a service has these endpoints, all ready.
fn comes_to_have(namespace: &Namespace<'_>, service: &str, addresses: &[&str]) {
    let expected: Vec<_> = addresses.iter().map(|&address| (address.to_owned(), true)).collect();
    until(service, || (endpoints(namespace, service) == expected).then_some(()));
}

#[test]
fn the_real_controllers_make_slices_and_delete_namespaces() {
    let shop = ControlPlane::shared().namespace("shop");
    let service = &shop.apply(WEB)[0];
    assert_eq!(service["spec"]["clusterIPs"].as_array().map(Vec::len), Some(2), "{service}");
    shop.run_pod("web-0", &json!({"app": "web"}), &["10.244.0.10", "fd00:10:244::10"]);
    comes_to_have(&shop, "web", &["10.244.0.10", "fd00:10:244::10"]);
    // Written by hand, and mirrored.
    shop.apply("{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {ports: [{port: 5432}]}}");
    shop.apply(
        "{apiVersion: v1, kind: Endpoints, metadata: {name: db}, subsets: [{addresses: [{ip: 192.0.2.7}], ports: [{port: 5432}]}]}",
    );
    comes_to_have(&shop, "db", &["192.0.2.7"]);
    // What is left of deleted ones is collected.
    shop.delete(ENDPOINTS, "db");
    shop.delete_all(WEB);
    assert_eq!(shop.get(SERVICES, "web"), None);
    until("slices gone", || shop.list(ENDPOINT_SLICES).is_empty().then_some(()));
    shop.delete_now();
    assert_eq!(ControlPlane::shared().api().get(NAMESPACES, &shop.name), None);
}

#[test]
fn objects_of_custom_resources_have_a_status_and_go_with_their_definition() {
    let plane = Setup::default().without_controllers().start();
    let mesh = plane.namespace("mesh");
    let entry = "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api}, \
                 spec: {hosts: [api.internal], ports: [{number: 80, name: http}], resolution: STATIC}}";
    for resources in
        [CustomResources::ServiceEntry, CustomResources::WorkloadEntry, CustomResources::ServiceImport]
    {
        plane.install(resources);
    }
    mesh.apply(entry);
    mesh.merge_status(
        SERVICE_ENTRIES,
        "api",
        &json!({"addresses": [{"value": "240.240.0.1", "host": "api.internal"}]}),
    );
    let found = mesh.get(SERVICE_ENTRIES, "api").unwrap();
    assert_eq!(found["status"]["addresses"][0]["value"], "240.240.0.1");
    assert_eq!((mesh.list(WORKLOAD_ENTRIES), mesh.list(SERVICE_IMPORTS)), (vec![], vec![]));
    plane.uninstall(CustomResources::ServiceEntry);
    assert!(mesh.try_apply(entry).is_err(), "an object of a resource that is not defined");
    plane.install(CustomResources::ServiceEntry);
    assert_eq!(mesh.list(SERVICE_ENTRIES), Vec::<Value>::new());
}

#[test]
fn a_wrong_token_is_refused_and_rights_are_those_that_were_granted() {
    let plane = ControlPlane::shared();
    let code = |identity: &Identity| match plane.api_as(identity).text("/api/v1/services") {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(code(&Identity::with_token("wrong")), 401);
    assert_eq!(code(&NOBODY), 403);
    let tools = plane.namespace("tools");
    let account = tools.service_account("reader");
    assert_eq!(code(&account), 403);
    tools.grant("reader", "[{apiGroups: [\"\"], resources: [services], verbs: [list]}]");
    until("grant in effect", || (code(&account) == 200).then_some(()));
    let who = plane.api_as(&MESHDNS).who_am_i();
    assert_eq!(who, "system:serviceaccount:meshdns:meshdns");
}

#[test]
fn a_restart_keeps_objects_and_a_wipe_loses_them() {
    let mut plane = Setup::default().without_controllers().start();
    plane.api().apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: default}}");
    let version = |plane: &ControlPlane| {
        let list: Value = serde_json::from_str(&plane.api().text("/api/v1/configmaps").unwrap()).unwrap();
        list["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap()
    };
    // Far enough that the start of an empty one does not get there.
    for round in 0..300 {
        plane.api().within("default").merge(
            CONFIG_MAPS,
            "kept",
            &json!({"data": {"round": round.to_string()}}),
        );
    }
    plane.kill_api_server();
    TcpStream::connect(plane.address()).expect_err("nobody listens");
    plane.start_api_server();
    assert!(plane.api().within("default").get(CONFIG_MAPS, "kept").is_some());
    let before = version(&plane);
    plane.wipe();
    assert_eq!(plane.api().within("default").get(CONFIG_MAPS, "kept"), None);
    assert!(version(&plane) < before, "resource versions begin anew");
}

/// How the API server answers a streamed list of services.
fn streamed_list(plane: &ControlPlane) -> kube::Result<String> {
    let path = "/api/v1/services?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    plane.api().text(&format!("{path}&timeoutSeconds=1"))
}

#[test]
fn streamed_lists_can_be_switched_off() {
    let events = streamed_list(ControlPlane::shared()).unwrap();
    assert!(events.contains("k8s.io/initial-events-end"), "{events}");
    let plane = Setup::default().without_controllers().without_watch_lists().start();
    match streamed_list(&plane) {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 422),
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_history_what_began_before_is_gone() {
    let mut plane = Setup::default().without_controllers().start();
    let api = plane.api().within("default");
    for name in ["one", "two"] {
        api.apply(&format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}"));
    }
    let page: Value = serde_json::from_str(&api.text(&api.query(CONFIG_MAPS, "limit=1")).unwrap()).unwrap();
    let text = |key: &str| page["metadata"][key].as_str().unwrap();
    api.merge(CONFIG_MAPS, "one", &json!({"data": {"new": "yes"}}));
    plane.restart_without_history();
    let next_page = api.text(&api.query(CONFIG_MAPS, &format!("limit=1&continue={}", text("continue"))));
    assert!(matches!(next_page, Err(kube::Error::Api(status)) if status.code == 410));
    let query = format!("watch=1&resourceVersion={}", text("resourceVersion"));
    let line = api.open(&api.query(CONFIG_MAPS, &query)).unwrap().next().unwrap().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
}

#[test]
fn a_frozen_api_server_takes_connections_and_says_nothing() {
    let plane = Setup::default().without_controllers().start();
    let (sender, answered) = std::sync::mpsc::channel();
    plane.freeze_api_server();
    TcpStream::connect(plane.address()).expect("the kernel accepts");
    let api = plane.api().clone();
    std::thread::spawn(move || sender.send(api.text("/version")));
    assert!(answered.recv_timeout(Duration::from_millis(500)).is_err(), "a frozen API server answers");
    plane.thaw_api_server();
    answered.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
}

#[tokio::test]
async fn kubeconfig_files_lead_to_it() {
    let plane = ControlPlane::shared();
    let version = |kubeconfig| async {
        let settings = ApiServerSettings { kubeconfig: Some(kubeconfig), context: None };
        ApiServer::find(&settings).await.unwrap().client().apiserver_version().await
    };
    assert_eq!(version(plane.kubeconfig(&ADMIN)).await.unwrap().git_version, "v1.36.3");
    let elsewhere = format!("http://{}", free_address());
    assert!(version(plane.kubeconfig_to(&elsewhere, &ADMIN)).await.is_err(), "nobody is there");
}

/// Not a test: something that another one kills.
#[test]
#[ignore = "waits to be killed"]
fn holds_a_program() {
    let file = written("kept", "");
    let directory = file.parent().unwrap();
    let program = Tethered::start(Command::new("tail").args(["-f", "/dev/null"]), Some(directory));
    println!("holds {} {}", program.id(), directory.display());
    std::thread::park();
}

#[test]
fn programs_end_with_a_test_process_that_is_killed() {
    let mut holder = Process::start(Command::new(std::env::current_exe().unwrap()).args([
        "--ignored",
        "--exact",
        "--nocapture",
        "cluster::holds_a_program",
    ]));
    let held = holder.reply("holds ");
    let [_, program, directory] = held.split(' ').collect::<Vec<_>>()[..] else { panic!("{held}") };
    let runs =
        || Command::new("kill").args(["-s", "0", program]).stderr(Stdio::null()).status().unwrap().success();
    assert!(runs() && Path::new(directory).exists());
    drop(holder);
    until("program gone", || (!runs() && !Path::new(directory).exists()).then_some(()));
}
