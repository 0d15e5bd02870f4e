//! Services with their slices and pods, and pods of their own.

use serde_json::{Value, json};

use super::Builder;

const SERVICES: [&str; 4] = ["web", "db", "cache", "api"];
/// What workloads are selected by.
pub(super) const APPS: [&str; 3] = ["web", "db", "cache"];
/// Exports of a Service, which nobody checks: a star or a tilde wins wherever it stands.
const EXPORTS: [&str; 8] = ["*", ".", "~", "shop", "data,team-blue", ".,shop", "shop,*", "~,shop"];

/// A pod that was made.
struct Made {
    name: String,
    addresses: Vec<String>,
    ready: bool,
}

/// A Service under a name that its namespace does not have yet, and what belongs to it.
pub(super) fn service(builder: &mut Builder, namespace: &str) {
    let free: Vec<&str> =
        SERVICES.into_iter().filter(|name| !builder.has("Service", namespace, name)).collect();
    let Some(name) = builder.random.sample(&free, 1).pop() else { return };
    match builder.random.between(0, 9) {
        0..=2 => cluster_ips(builder, namespace, name),
        3 => {
            let spec = json!({"type": "ExternalName", "externalName": "backend.example.net"});
            add(builder, namespace, name, &spec);
        }
        _ => headless(builder, namespace, name),
    }
}

fn cluster_ips(builder: &mut Builder, namespace: &str, name: &str) {
    let (four, six) = (builder.address("10.96"), builder.address("fd00:96:"));
    let addresses = match builder.random.between(0, 4) {
        0 => vec![six],
        1 => vec![four, six],
        2 => vec![six, four],
        _ => vec![four],
    };
    let ports = ports(builder);
    let spec = json!({
        "type": "ClusterIP",
        "clusterIP": addresses[0],
        "clusterIPs": addresses,
        "ipFamilies": addresses.iter().map(|address| family(address)).collect::<Vec<_>>(),
        "ipFamilyPolicy": if addresses.len() > 1 { "RequireDualStack" } else { "SingleStack" },
        "ports": ports,
    });
    add(builder, namespace, name, &spec);
}

fn headless(builder: &mut Builder, namespace: &str, name: &str) {
    let ports = ports(builder);
    let spec = json!({
        "type": "ClusterIP",
        "clusterIP": "None",
        "clusterIPs": ["None"],
        "publishNotReadyAddresses": builder.random.percent(20),
        "ports": ports,
    });
    add(builder, namespace, name, &spec);
    let pods: Vec<Made> =
        (0..builder.random.between(0, 3)).map(|_| pod(builder, namespace, Some(name))).collect();
    for (number, type_of_address) in ["IPv4", "IPv6"].into_iter().enumerate() {
        let mut endpoints: Vec<Value> = Vec::new();
        for pod in &pods {
            let addresses = pod.addresses.iter().filter(|address| family(address) == type_of_address);
            endpoints.extend(addresses.map(|address| {
                json!({
                    "addresses": [address],
                    "conditions": {"ready": pod.ready},
                    "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod.name},
                })
            }));
        }
        if type_of_address == "IPv4" && builder.random.percent(30) {
            let address = builder.address("10.245");
            let conditions =
                builder.random.pick(&[json!({}), json!({"ready": true}), json!({"ready": false})]);
            endpoints.push(json!({"addresses": [address], "conditions": conditions, "hostname": "by-hand"}));
        }
        if !endpoints.is_empty() {
            let slice = json!({
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"labels": {"kubernetes.io/service-name": name}},
                "addressType": type_of_address,
                "endpoints": endpoints,
                "ports": ports,
            });
            builder.add(slice, namespace, &format!("{name}-{number}"));
        }
    }
}

/// A pod; perhaps with a name below this Service.
fn pod(builder: &mut Builder, namespace: &str, service: Option<&str>) -> Made {
    let name = builder.fresh("p", namespace);
    let ready = builder.random.percent(75);
    let addresses = match builder.random.between(0, 5) {
        0 => vec![builder.address("10.244"), builder.address("fd00:244:")],
        1 => vec![builder.address("fd00:244:")],
        _ => vec![builder.address("10.244")],
    };
    let mut spec = json!({"containers": [{"name": "main", "image": "example"}]});
    if let Some(service) = service.filter(|_| builder.random.percent(60)) {
        spec["subdomain"] = json!(service);
        if builder.random.percent(50) {
            spec["hostname"] = json!(format!("host-{name}"));
        }
    }
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {"app": builder.random.pick(&APPS)}},
        "spec": spec,
        "status": {
            "phase": "Running",
            "podIP": addresses[0],
            "podIPs": addresses.iter().map(|address| json!({"ip": address})).collect::<Vec<_>>(),
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
        },
    });
    builder.add(pod, namespace, &name);
    Made { name, addresses, ready }
}

/// A pod that no Service has: only selectors find it. Now and then one that is not up, or not any more.
pub(super) fn lone_pod(builder: &mut Builder, namespace: &str) {
    let made = pod(builder, namespace, None);
    if builder.random.percent(20) {
        let status = builder.random.pick(&[
            json!({"phase": "Pending"}),
            json!({"phase": "Succeeded", "podIP": made.addresses[0], "podIPs": [{"ip": made.addresses[0]}]}),
        ]);
        builder.last()["status"] = status;
    }
}

fn add(builder: &mut Builder, namespace: &str, name: &str, spec: &Value) {
    let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": spec});
    if builder.random.percent(20) {
        let exports = builder.random.pick(&EXPORTS);
        service["metadata"]["annotations"] = json!({"networking.istio.io/exportTo": exports});
    }
    builder.add(service, namespace, name);
}

/// Ports of a Service, which are those of its slices too.
fn ports(builder: &mut Builder) -> Value {
    let port = |name: &str, number: u16| json!({"name": name, "port": number, "protocol": "TCP"});
    builder
        .random
        .pick(&[
            json!([port("http", 80)]),
            json!([port("tcp", 9000)]),
            json!([port("http", 80), port("tcp-admin", 9001)]),
            json!([{"port": 80, "protocol": "TCP"}]),
        ])
        .clone()
}

fn family(address: &str) -> &'static str {
    if address.contains(':') { "IPv6" } else { "IPv4" }
}
