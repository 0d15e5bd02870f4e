//! The NetworkPolicy: everything that pods need to reach, and that needs to reach them, is let through, and nothing else.

use serde_json::{Value, json};

use super::chart::Release;

fn policy(values: &str) -> Value {
    Release::new("mesh", values).the("NetworkPolicy")["spec"].clone()
}

fn tcp(port: impl Into<Value>) -> Value {
    json!({"port": port.into(), "protocol": "TCP"})
}

fn udp(port: impl Into<Value>) -> Value {
    json!({"port": port.into(), "protocol": "UDP"})
}

const ON: &str = "networkPolicy: {enabled: true}";

#[test]
fn without_further_words_the_cluster_may_ask_and_nobody_may_scrape() {
    let any_pod = json!([{"namespaceSelector": {}}]);
    let coredns = json!([{
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }]);
    let dns = json!({"from": any_pod, "ports": [udp("dns"), tcp("dns-tcp")]});
    let out = json!([{"ports": [tcp(443), tcp(6443)]}, {"ports": [udp(53), tcp(53)]}]);
    let found = policy(&format!("{{{ON}}}"));
    assert_eq!(found["ingress"], json!([{"from": coredns, "ports": [tcp("grpc")]}, dns]));
    assert_eq!((&found["egress"], &found["policyTypes"]), (&out, &json!(["Ingress", "Egress"])));
    let found = policy(&format!("{{mode: sidecar, {ON}}}"));
    assert_eq!((&found["ingress"], &found["egress"]), (&json!([dns]), &out));
    // The socket on the node is no business of the network.
    let found = policy(&format!("{{mode: daemonset, {ON}}}"));
    assert_eq!((&found["ingress"], &found["egress"]), (&Value::Null, &out));
}

#[test]
fn what_settings_and_values_add_is_let_through() {
    let found = policy(
        "{networkPolicy: {enabled: true, clients: [{ipBlock: {cidr: 192.0.2.0/24}}], monitoring: [{namespaceSelector: {}}], \
         apiServer: [192.0.2.1/32], apiServerPorts: [16443], upstreams: [192.0.2.53/32], \
         egress: [{to: [{ipBlock: {cidr: 198.51.100.1/32}}], ports: [{port: 15012, protocol: TCP}]}]}, \
         istiod: {enabled: true}, \
         settings: {telemetry: {traces: {endpoint: 'http://otel-collector.observability.svc:4317/'}, \
                                dnstap: {endpoint: 'tcp://192.0.2.7:6000'}}}}",
    );
    let ingress = found["ingress"].as_array().unwrap();
    assert_eq!(ingress[1]["from"], json!([{"ipBlock": {"cidr": "192.0.2.0/24"}}]));
    assert_eq!(ingress[2], json!({"from": [{"namespaceSelector": {}}], "ports": [tcp("admin")]}));
    let istiod = json!([{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "istiod"}}}]);
    assert_eq!(
        found["egress"],
        json!([
            {"ports": [tcp(16443)], "to": [{"ipBlock": {"cidr": "192.0.2.1/32"}}]},
            {"ports": [udp(53), tcp(53)], "to": [{"ipBlock": {"cidr": "192.0.2.53/32"}}]},
            {"ports": [tcp(15010), tcp(15012)], "to": istiod},
            {"ports": [tcp(4317)]},
            {"ports": [tcp(6000)]},
            {"ports": [tcp(15012)], "to": [{"ipBlock": {"cidr": "198.51.100.1/32"}}]},
        ])
    );
    // Both containers of a pod have metrics.
    let found =
        policy("{mode: sidecar, networkPolicy: {enabled: true, monitoring: [{namespaceSelector: {}}]}}");
    assert_eq!(found["ingress"][1]["ports"], json!([tcp("admin"), tcp("coredns-metrics")]));
}

/// Names of ports in a policy are those of containers: one that no container has lets nothing through.
#[test]
fn ports_are_those_of_the_containers() {
    for mode in ["deployment", "sidecar", "daemonset"] {
        let values = format!(
            "{{mode: {mode}, networkPolicy: {{enabled: true, monitoring: [{{namespaceSelector: {{}}}}]}}}}"
        );
        let release = Release::new("mesh", &values);
        let containers = release.pod()["spec"]["containers"].as_array().unwrap().iter();
        let ports: Vec<&Value> =
            containers.flat_map(|container| container["ports"].as_array().unwrap()).collect();
        for rule in release.the("NetworkPolicy")["spec"]["ingress"].as_array().unwrap() {
            for port in rule["ports"].as_array().unwrap() {
                let is_it = |of: &&&Value| of["name"] == port["port"] && of["protocol"] == port["protocol"];
                assert!(ports.iter().find(is_it).is_some(), "{mode}: {port}");
            }
        }
    }
}
