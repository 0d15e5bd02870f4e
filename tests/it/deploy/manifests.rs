//! What the chart renders to, before a real API server: every field is one that it knows, and pods are as restricted as they can be.

use serde_json::{Value, json};

use super::chart::Release;
use crate::support::kube::{ControlPlane, CustomResources, NAMESPACES, PODS};

/// Values that between them render everything.
pub(super) const VARIANTS: [&str; 7] = [
    "{}",
    "{mode: sidecar, zones: [cluster.local, 10.96.0.0/12]}",
    "{mode: daemonset, zones: [mesh.internal]}",
    "{tls: {secretName: meshdns-tls, clientNames: [coredns.kube-system.svc]}, service: {clusterIP: 10.96.0.53}, \
     networkPolicy: {enabled: true, apiServer: [192.0.2.1/32], upstreams: [192.0.2.53/32], monitoring: [{namespaceSelector: {}}]}, \
     autoscaling: {enabled: true}, istiod: {enabled: true}, sharedLedger: {enabled: true}, snapshot: {enabled: false}}",
    "{mode: sidecar, networkPolicy: {enabled: true}, rbac: {namespaces: [default]}, replicas: 3, bindAddress: '::', \
     settings: {ttl: {default: 10}, kubernetes: {pods: verified}}, podLabels: {team: dns}, log: debug, \
     extraVolumes: [{name: otel-ca, configMap: {name: otel-ca}}], extraVolumeMounts: [{name: otel-ca, mountPath: /etc/otel, readOnly: true}], \
     extraEnv: [{name: OTEL_RESOURCE_ATTRIBUTES, value: k8s.cluster.name=one}]}",
    "{mode: daemonset, rbac: {create: false}, serviceAccount: {create: false, name: default}, podDisruptionBudget: {enabled: false}}",
    "metrics: {annotations: false, runbooks: 'https://pages.example/runbooks', podMonitor: {enabled: true, labels: {release: prometheus}}, \
     prometheusRule: {enabled: true, labels: {release: prometheus}}, \
     dashboard: {enabled: true, labels: {grafana_dashboard: 'yes'}, annotations: {grafana_folder: DNS}}}",
];

#[test]
fn the_api_server_knows_every_field() {
    let plane = ControlPlane::shared();
    plane.install(CustomResources::PodMonitor);
    plane.install(CustomResources::PrometheusRule);
    for values in VARIANTS {
        let namespace = plane.namespace("chart");
        let release = Release::new(&namespace.name, values);
        plane
            .api()
            .try_apply_strictly(&release.text)
            .unwrap_or_else(|error| panic!("{values}: {error}\n{}", release.text));
        plane.api().delete_all(&release.text);
    }
    // The strictness is that of the API server.
    let wrong = Release::new("default", "{}").text.replace("minReadySeconds", "minReadySecond");
    let refused = plane.api().try_apply_strictly(&wrong).unwrap_err().to_string();
    assert!(refused.contains("minReadySecond"), "{refused}");
}

#[test]
fn pods_are_restricted() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("restricted");
    let level = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    plane.api().merge(NAMESPACES, &namespace.name, &level);
    for values in VARIANTS {
        let release = Release::new(&namespace.name, values);
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "dns-meshdns"}});
        namespace.apply(&account.to_string());
        let answer = namespace.create(PODS, &pod(&release));
        if !values.contains("daemonset") {
            answer.unwrap_or_else(|error| panic!("{values}: {error}"));
            namespace.delete(PODS, "one");
            continue;
        }
        // Only what its socket on the node needs.
        let refused = answer.unwrap_err().to_string();
        assert!(
            refused.contains(
                "restricted volume types (volume \"socket\" uses restricted volume type \"hostPath\")"
            ),
            "{refused}"
        );
        assert!(refused.contains("runAsNonRoot != true") && refused.contains("runAsUser=0"), "{refused}");
        for other in
            ["allowPrivilegeEscalation", "unrestricted capabilities", "seccompProfile", "privileged "]
        {
            assert!(!refused.contains(other), "{refused}");
        }
    }
}

/// A pod as the controllers would make it.
fn pod(release: &Release) -> Value {
    let mut pod = release.pod().clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = "one".into();
    pod
}

#[test]
fn pods_are_rolled_by_what_needs_a_restart_and_by_nothing_else() {
    let checksums = |values: &str| Release::new("mesh", values).pod()["metadata"]["annotations"].clone();
    let before = checksums("settings: {kubernetes: {pods: insecure}}");
    assert_eq!(checksums("settings: {kubernetes: {pods: insecure}, ttl: {default: 9}}"), before);
    assert_eq!(
        checksums("settings: {kubernetes: {pods: insecure}, telemetry: {queryLog: {successes: 9}}}"),
        before
    );
    assert_ne!(checksums("settings: {kubernetes: {pods: verified}}"), before);
    let traced = |more: &str| {
        checksums(&format!(
            "settings: {{telemetry: {{traces: {{endpoint: 'http://192.0.2.1:4317'}}{more}}}}}"
        ))
    };
    assert_eq!(traced(", queryLog: {}"), traced(""));
    assert_ne!(traced(""), checksums("{}"));
    let before = checksums("{mode: sidecar}");
    assert_ne!(checksums("{mode: sidecar, coredns: {cacheSeconds: 10}}"), before);
}

#[test]
fn memory_follows_the_size_of_the_cluster() {
    let resources = |values| Release::new("mesh", values).container("meshdns")["resources"].clone();
    let memory = |request: &str, limit: &str| json!({"requests": {"cpu": "50m", "memory": request}, "limits": {"memory": limit}});
    // docs/benchmarks.md has 18, 46 and 321 MiB for these with glibc, deploy/image/README.md 67 and at most 363 for the last two as the image is.
    assert_eq!(resources("sizing: {services: 1000, endpoints: 6000}"), memory("52Mi", "104Mi"));
    assert_eq!(resources("sizing: {services: 10000, endpoints: 60000}"), memory("88Mi", "176Mi"));
    assert_eq!(resources("sizing: {services: 100000, endpoints: 600000}"), memory("448Mi", "896Mi"));
    assert_eq!(resources("resources: {limits: {memory: 1Gi}}"), json!({"limits": {"memory": "1Gi"}}));
}
