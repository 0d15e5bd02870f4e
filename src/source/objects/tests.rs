use serde_json::json;

use super::*;
use crate::model::{
    Addressing, EndpointAddress, EndpointSlice, Imported, Kind, Labels, Name, ObjectName, Pod, Port,
    Resolution, Service, ServiceEntry, ServiceImport, Target, WorkloadEntry,
};

/// Reads an object called `web` in namespace `shop`, and its defects as `field: message`.
fn read_named(kind: ApiKind, mut json: Value, origin: Origin) -> (Option<Vec<Object>>, Vec<String>) {
    let metadata = json.as_object_mut().unwrap().entry("metadata").or_insert_with(|| json!({}));
    for (key, value) in [("name", "web"), ("namespace", "shop")] {
        metadata.as_object_mut().unwrap().entry(key).or_insert_with(|| json!(value));
    }
    let reading = read(kind, json, origin);
    let defects = reading.defects.iter().map(|defect| {
        assert_eq!(defect.object, reading.key);
        format!("{}: {}", defect.field, defect.message)
    });
    let defects = defects.collect();
    (reading.objects, defects)
}

macro_rules! reader {
    ($function:ident, $kind:ident) => {
        fn $function(json: Value) -> (Option<$kind>, Vec<String>) {
            let (objects, defects) = read_named(ApiKind::$kind, json, Origin::Manifest);
            let object = objects.map(|mut objects| match objects.pop() {
                Some(Object::$kind(object)) if objects.is_empty() => object,
                other => panic!("{other:?}"),
            });
            (object, defects)
        }
    };
}

reader!(service, Service);
reader!(slice, EndpointSlice);
reader!(pod, Pod);
reader!(import, ServiceImport);
reader!(entry, ServiceEntry);
reader!(workload, WorkloadEntry);

fn endpoints(json: Value) -> (Vec<EndpointSlice>, Vec<String>) {
    let (objects, defects) = read_named(ApiKind::Endpoints, json, Origin::Manifest);
    let slices = objects.unwrap().into_iter().map(|object| match object {
        Object::EndpointSlice(slice) => slice,
        other => panic!("{other:?}"),
    });
    (slices.collect(), defects)
}

fn port(name: &str, protocol: &str, number: u16) -> Port {
    Port { name: name.into(), protocol: protocol.into(), number: Some(number) }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| ip(text)).collect()
}

#[test]
fn kinds_are_told_by_group_and_kind() {
    use Recognised::{Foreign, Known, OtherVersion};
    for (api_version, kind, expected) in [
        ("v1", "Namespace", Known(ApiKind::Namespace)),
        ("v1", "Service", Known(ApiKind::Service)),
        ("v1", "Pod", Known(ApiKind::Pod)),
        ("v1", "Endpoints", Known(ApiKind::Endpoints)),
        ("v2", "Service", OtherVersion(ApiKind::Service)),
        ("serving.knative.dev/v1", "Service", Foreign),
        ("discovery.k8s.io/v1", "EndpointSlice", Known(ApiKind::EndpointSlice)),
        ("discovery.k8s.io/v1beta1", "EndpointSlice", Known(ApiKind::EndpointSlice)),
        ("discovery.k8s.io/v2", "EndpointSlice", OtherVersion(ApiKind::EndpointSlice)),
        ("v1", "EndpointSlice", Foreign),
        ("multicluster.x-k8s.io/v1alpha1", "ServiceImport", Known(ApiKind::ServiceImport)),
        ("multicluster.x-k8s.io/v7", "ServiceImport", Known(ApiKind::ServiceImport)),
        ("networking.istio.io/v1", "ServiceEntry", Known(ApiKind::ServiceEntry)),
        ("networking.istio.io/v1beta1", "ServiceEntry", Known(ApiKind::ServiceEntry)),
        ("networking.istio.io/v1alpha3", "WorkloadEntry", Known(ApiKind::WorkloadEntry)),
        ("networking.istio.io/v1alpha1", "WorkloadEntry", OtherVersion(ApiKind::WorkloadEntry)),
        ("networking.istio.io/v1", "VirtualService", Foreign),
        ("apps/v1", "Deployment", Foreign),
    ] {
        assert_eq!(recognise(api_version, kind), expected, "{api_version} {kind}");
    }
}

#[test]
fn names_are_checked() {
    let defect = |kind, metadata: Value| {
        let reading = read(kind, json!({"metadata": metadata, "spec": {"hosts": ["a.b"]}}), Origin::Manifest);
        let defect = reading.defects.into_iter().next();
        (
            reading.key.map(|key| key.to_string()),
            defect.map(|defect| format!("{}: {}", defect.field, defect.message)),
        )
    };
    let named = |kind, name: &str| defect(kind, json!({"name": name}));
    assert_eq!(named(ApiKind::Service, "web"), (Some("Service default/web".into()), None));
    assert_eq!(named(ApiKind::Namespace, "web"), (Some("Namespace web".into()), None));
    assert_eq!(
        named(ApiKind::ServiceEntry, "api.example.com").0.unwrap(),
        "ServiceEntry default/api.example.com"
    );
    assert_eq!(named(ApiKind::Endpoints, "db").0.unwrap(), "EndpointSlice default/db-mirrored-0");
    assert_eq!(named(ApiKind::Service, &"x".repeat(63)).1, None);
    for (kind, name) in [
        (ApiKind::Service, "a.b"),
        (ApiKind::Service, "Web"),
        (ApiKind::Service, "-a"),
        (ApiKind::Service, "a-"),
        (ApiKind::Namespace, "a_b"),
        (ApiKind::ServiceEntry, "a..b"),
        (ApiKind::Pod, "é"),
    ] {
        let (key, message) = named(kind, name);
        assert_eq!(key, None, "{name}");
        assert!(message.unwrap().starts_with(&format!("metadata.name: `{name}` is not an object name: ")));
    }
    assert!(named(ApiKind::Service, &"x".repeat(64)).1.unwrap().contains("63"));
    assert!(named(ApiKind::Pod, &"x.".repeat(127)).1.unwrap().contains("253"));
    for metadata in
        [json!({}), json!(null), json!({"name": null}), json!({"name": ""}), json!({"generateName": "a"})]
    {
        assert_eq!(defect(ApiKind::Pod, metadata).1.unwrap(), "metadata.name: is missing");
    }
    let lost = defect(ApiKind::Pod, json!({"name": "a", "namespace": "A"})).1.unwrap();
    assert!(lost.starts_with("metadata.namespace: `A` is not a namespace"), "{lost}");
    let found = defect(ApiKind::Pod, json!({"name": "a", "namespace": ""})).0;
    assert_eq!(found.unwrap(), "Pod default/a");
}

#[test]
fn a_wrong_type_refuses_the_object_and_names_the_field() {
    for (kind, json, expected) in [
        (
            ApiKind::Service,
            json!({"spec": {"ports": [{"port": 80}, {"port": "x"}]}}),
            "spec.ports[1].port: invalid type: string \"x\", expected a whole number",
        ),
        (ApiKind::Service, json!({"spec": []}), "spec: invalid type: sequence, expected a mapping"),
        (
            ApiKind::EndpointSlice,
            json!({"endpoints": [{"conditions": [false]}]}),
            "endpoints[0].conditions: invalid type: sequence, expected a mapping",
        ),
        (
            ApiKind::Service,
            json!({"metadata": {"labels": {"a.b/c": 1}}}),
            "metadata.labels.a.b/c: invalid type: integer `1`, expected a string",
        ),
        (
            ApiKind::EndpointSlice,
            json!({"endpoints": [{"conditions": {"ready": "yes"}}]}),
            "endpoints[0].conditions.ready: invalid type: string \"yes\", expected a boolean",
        ),
        (
            ApiKind::ServiceEntry,
            json!({"spec": {"hosts": "a.b"}}),
            "spec.hosts: invalid type: string \"a.b\", expected a sequence",
        ),
    ] {
        assert_eq!(read_named(kind, json, Origin::Manifest), (None, vec![expected.to_owned()]));
    }
}

#[test]
fn a_namespace_has_the_label_of_its_name() {
    let json =
        json!({"metadata": {"name": "shop", "labels": {"team": "a", "kubernetes.io/metadata.name": "x"}}});
    let reading = read(ApiKind::Namespace, json, Origin::ApiServer);
    let Some([Object::Namespace(namespace)]) = reading.objects.as_deref() else { panic!("{reading:?}") };
    assert_eq!(&*namespace.name, "shop");
    assert_eq!(namespace.labels, Labels::from_iter([("team", "a"), ("kubernetes.io/metadata.name", "shop")]));
}

#[test]
fn a_service_is_reached_in_one_of_four_ways() {
    use Addressing::{ClusterIps, ExternalName, Headless, Unassigned};
    for (spec, expected) in [
        (json!({"clusterIP": "10.0.0.1"}), ClusterIps(ips(&["10.0.0.1"]))),
        (json!({"clusterIP": "10.0.0.1", "clusterIPs": null}), ClusterIps(ips(&["10.0.0.1"]))),
        (
            json!({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2", "FD00:0::1"], "type": "NodePort"}),
            ClusterIps(ips(&["10.0.0.2", "fd00::1"])),
        ),
        (json!({"clusterIP": "None"}), Headless),
        (json!({"clusterIPs": ["None"], "type": "ClusterIP"}), Headless),
        (json!({}), Unassigned),
        (json!(null), Unassigned),
        (json!({"clusterIP": "", "type": "LoadBalancer"}), Unassigned),
        (
            json!({"type": "ExternalName", "externalName": "Example.org", "clusterIP": "10.0.0.1"}),
            ExternalName("Example.org".into()),
        ),
    ] {
        let (service, defects) = service(json!({"spec": spec}));
        assert_eq!((service.unwrap().addressing, defects), (expected, vec![]), "{spec}");
    }
    let (objects, _) = read_named(ApiKind::Service, json!({"spec": {}}), Origin::ApiServer);
    let Some([Object::Service(service)]) = objects.as_deref() else { panic!("{objects:?}") };
    assert_eq!(service.addressing, ClusterIps(vec![]));
}

#[test]
fn a_service_keeps_what_is_good() {
    let (service, defects) = service(json!({
        "metadata": {"labels": {"app": "web", "none": null}, "annotations": {"x": 1}},
        "spec": {
            "clusterIPs": ["10.0.0.1", "10.0.0.300"],
            "selector": {"app": "web"},
            "ports": [
                {"name": "http", "port": 80, "targetPort": "x"},
                {"port": 53, "protocol": "UDP", "name": null},
                {"name": "a b", "port": 1},
                {"name": "no"},
                {"name": "big", "port": 70000},
                {"name": "zero", "port": 0},
                {"name": "odd", "port": 1, "protocol": "HTTP"},
                null,
            ],
        },
        "unknown": {},
    }));
    let service = service.unwrap();
    assert_eq!(service.name, ObjectName::new("shop", "web"));
    assert_eq!(service.labels, Labels::from_iter([("app", "web")]));
    assert_eq!(service.addressing, Addressing::ClusterIps(ips(&["10.0.0.1"])));
    assert_eq!(*service.ports, [port("http", "TCP", 80), port("", "UDP", 53)]);
    assert!(service.selects_pods);
    assert_eq!(
        defects,
        [
            "spec.clusterIPs[1]: `10.0.0.300` is not an IP address",
            "spec.ports[2].name: `a b` is not a port name: up to 63 letters, digits, `-` and `_`",
            "spec.ports[3].port: is missing",
            "spec.ports[4].port: 70000 is not a port: 1 to 65535",
            "spec.ports[5].port: 0 is not a port: 1 to 65535",
            "spec.ports[6].protocol: `HTTP` is not a protocol: TCP, UDP or SCTP",
            "spec.ports[7].port: is missing",
        ]
    );
}

#[test]
fn a_service_that_cannot_be_reached_is_refused() {
    for (spec, refused, expected) in [
        (json!({"type": "External"}), true, "spec.type: `External` is not a type"),
        (json!({"type": "ExternalName"}), true, "spec.externalName: is missing"),
        (json!({"type": "ExternalName", "externalName": "a..b"}), false, "spec.externalName: `a..b` has"),
        (json!({"clusterIPs": ["None", "10.0.0.1"]}), false, "spec.clusterIPs[1]: 10.0.0.1 is ignored"),
        (json!({"clusterIP": "10.0.0"}), false, "spec.clusterIP: `10.0.0` is not an IP address"),
    ] {
        let (service, defects) = service(json!({"spec": spec}));
        assert_eq!(service.is_none(), refused, "{spec}");
        assert!(defects.len() == 1 && defects[0].starts_with(expected), "{defects:?}");
    }
}

#[test]
fn a_slice_has_every_address_of_every_endpoint() {
    let (slice, defects) = slice(json!({
        "metadata": {"labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": ["10.0.0.1", "10.0.0.2"], "hostname": "a", "zone": "z1", "targetRef": {"name": "web-0"}},
            {"addresses": ["10.0.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}, "targetRef": null},
            {"addresses": ["10.0.0.4"], "conditions": {"ready": null}, "hostname": ""},
        ],
        "ports": [{"name": "http", "port": 80}, {"name": "any", "port": null, "protocol": "UDP"}],
    }));
    let slice = slice.unwrap();
    assert_eq!(defects, [] as [&str; 0]);
    assert_eq!((slice.service.as_deref(), slice.import, slice.mirrored), (Some("web"), None, false));
    assert_eq!(
        *slice.ports,
        [port("http", "TCP", 80), Port { name: "any".into(), protocol: "UDP".into(), number: None }]
    );
    let [a, b, c] = slice.endpoints.as_slice() else { panic!("{:?}", slice.endpoints) };
    assert_eq!(*a.addresses, [EndpointAddress::Ip(ip("10.0.0.1")), EndpointAddress::Ip(ip("10.0.0.2"))]);
    assert_eq!(
        (a.hostname.as_deref(), a.zone.as_deref(), a.target.as_deref()),
        (Some("a"), Some("z1"), Some("web-0"))
    );
    assert_eq!((a.ready, b.ready, c.ready), (true, false, true));
    assert_eq!((a.serving, b.serving, c.serving), (true, true, true));
    assert_eq!((a.terminating, b.terminating, c.terminating), (false, true, false));
    assert_eq!((b.target.as_deref(), c.hostname.as_deref()), (None, None));
}

#[test]
fn addresses_fit_the_type_of_their_slice() {
    let ip = |text: &str| EndpointAddress::Ip(ip(text));
    for (kind, addresses, good, bad) in [
        (json!("IPv4"), ["10.0.0.1", "::1"], vec![ip("10.0.0.1")], "`::1` is not an IPv4 address"),
        (
            json!("IPv6"),
            ["::ffff:10.0.0.1", "10.0.0.1"],
            vec![ip("::ffff:10.0.0.1")],
            "`10.0.0.1` is not an IPv6",
        ),
        (
            json!("FQDN"),
            ["Db.example.org", "a b"],
            vec![EndpointAddress::Name(Name::parse("db.example.org").unwrap())],
            "`a b` has the character ' '",
        ),
        (json!(null), ["10.0.0.1", "010.0.0.1"], vec![ip("10.0.0.1")], "`010.0.0.1` is not an IP address"),
    ] {
        let (slice, defects) = slice(json!({"addressType": kind, "endpoints": [{"addresses": addresses}]}));
        assert_eq!(slice.unwrap().endpoints[0].addresses, good.into_iter().collect());
        assert!(defects.len() == 1, "{defects:?}");
        assert!(defects[0].starts_with(&format!("endpoints[0].addresses[1]: {bad}")), "{defects:?}");
    }
}

#[test]
fn a_bad_endpoint_leaves_its_siblings() {
    let (slice, defects) = slice(json!({
        "addressType": "ipv4",
        "endpoints": [
            {"addresses": []},
            {"addresses": ["x"]},
            {"addresses": ["10.0.0.1"], "hostname": "a.b"},
        ],
    }));
    let slice = slice.unwrap();
    assert_eq!((slice.endpoints.len(), slice.endpoints[0].hostname.as_deref()), (1, None));
    assert_eq!(
        defects,
        [
            "addressType: `ipv4` is not an address type: IPv4, IPv6 or FQDN",
            "endpoints[0].addresses: is empty",
            "endpoints[1].addresses[0]: `x` is not an IP address",
            "endpoints[2].hostname: `a.b` is not a host name: up to 63 letters, digits and `-`",
        ]
    );
}

#[test]
fn a_slice_of_another_cluster_belongs_to_an_import() {
    let (imported, cluster) =
        ("multicluster.kubernetes.io/service-name", "multicluster.kubernetes.io/source-cluster");
    let (found, defects) = slice(json!({"metadata": {"labels": {imported: "web", cluster: "east"}}}));
    let found = found.unwrap();
    assert_eq!(found.import, Some(Imported { service: "web".into(), cluster: "east".into() }));
    assert_eq!((found.service, defects.len()), (None, 0));
    let (found, defects) = slice(json!({"metadata": {"labels": {imported: "web"}}}));
    assert_eq!(found.unwrap().import.unwrap().cluster, "".into());
    assert!(defects[0].starts_with("metadata.labels.multicluster.kubernetes.io/source-cluster: is missing"));
    let (found, defects) = slice(json!({"metadata": {"labels": {"kubernetes.io/service-name": ""}}}));
    assert_eq!((found.unwrap().service, defects.len()), (None, 0));
}

#[test]
fn endpoints_become_a_slice_for_each_family_and_list_of_ports() {
    let (slices, defects) = endpoints(json!({
        "metadata": {"labels": {"app": "db"}},
        "subsets": [
            {
                "addresses": [
                    {"ip": "10.0.0.1", "hostname": "a", "nodeName": "n", "targetRef": {"name": "db-0"}},
                    {"ip": "fd00::1"},
                    {"ip": "nowhere"},
                    {},
                ],
                "notReadyAddresses": [{"ip": "10.0.0.2"}],
                "ports": [{"name": "sql", "port": 5432}],
            },
            {"addresses": [{"ip": "10.0.0.3"}], "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}]},
            {"addresses": [{"ip": "10.0.0.1"}], "ports": null},
        ],
    }));
    assert_eq!(
        defects,
        [
            "subsets[0].addresses[2].ip: `nowhere` is not an IP address",
            "subsets[0].addresses[3].ip: is missing"
        ]
    );
    let summary: Vec<_> = slices
        .iter()
        .map(|slice| {
            assert!(slice.mirrored && slice.service.as_deref() == Some("web"));
            assert_eq!(slice.labels.get("app"), Some("db"));
            assert_eq!(slice.labels.get("kubernetes.io/service-name"), Some("web"));
            let addresses: Vec<_> =
                slice.endpoints.iter().map(|e| (format!("{:?}", e.addresses[0]), e.ready)).collect();
            (slice.name.to_string(), slice.ports.len(), addresses)
        })
        .collect();
    let address = |text: &str, ready| (format!("Ip({text})"), ready);
    assert_eq!(
        summary,
        [
            (
                "shop/web-mirrored-0".to_owned(),
                1,
                vec![address("10.0.0.1", true), address("10.0.0.2", false), address("10.0.0.3", true)]
            ),
            ("shop/web-mirrored-1".to_owned(), 1, vec![address("fd00::1", true)]),
            ("shop/web-mirrored-2".to_owned(), 0, vec![address("10.0.0.1", true)]),
        ]
    );
    let first = &slices[0].endpoints[0];
    assert_eq!((first.hostname.as_deref(), first.target.as_deref()), (Some("a"), Some("db-0")));
}

#[test]
fn many_endpoints_become_several_slices() {
    let addresses: Vec<Value> =
        (0..2500u32).map(|n| json!({"ip": format!("10.0.{}.{}", n / 250, n % 250)})).collect();
    let (slices, defects) = endpoints(json!({"subsets": [{"addresses": addresses}]}));
    let sizes: Vec<usize> = slices.iter().map(|slice| slice.endpoints.len()).collect();
    assert_eq!((sizes, defects.len()), (vec![1000, 1000, 500], 0));
}

#[test]
fn endpoints_that_are_not_mirrored_become_nothing() {
    for metadata in [
        json!({"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}),
        json!({"annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}}),
    ] {
        let (slices, defects) =
            endpoints(json!({"metadata": metadata, "subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]}));
        assert_eq!((slices.len(), defects.len()), (0, 0));
    }
}

#[test]
fn a_pod_has_one_address_while_it_lives() {
    let (found, _) = pod(json!({"status": {"podIP": "10.0.0.1", "phase": "Running"}}));
    let found = found.unwrap();
    assert_eq!((found.address, found.finished, found.terminating), (Some(ip("10.0.0.1")), false, false));
    for phase in ["Succeeded", "Failed", "Unknown"] {
        assert!(pod(json!({"status": {"phase": phase}})).0.unwrap().finished);
    }
    let (found, _) = pod(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": null}));
    assert!(found.unwrap().terminating);
    let (found, defects) = pod(json!({"status": {"podIP": "x"}}));
    assert_eq!(
        (found.unwrap().address, defects),
        (None, vec!["status.podIP: `x` is not an IP address".to_owned()])
    );
}

#[test]
fn an_import_has_addresses_or_is_headless() {
    let (found, defects) = import(json!({
        "spec": {"type": "ClusterSetIP", "ips": ["10.0.0.1", "x"], "ports": [{"name": "http", "port": 80}]},
    }));
    let found = found.unwrap();
    assert_eq!((found.addresses, found.ports), (Some(ips(&["10.0.0.1"])), vec![port("http", "TCP", 80)]));
    assert_eq!(defects, ["spec.ips[1]: `x` is not an IP address"]);
    assert_eq!(import(json!({"spec": {}})).0.unwrap().addresses, Some(vec![]));
    assert_eq!(import(json!({"spec": {"type": "Headless"}})).0.unwrap().addresses, None);
    let (found, defects) = import(json!({"spec": {"type": "x"}}));
    assert_eq!(
        (found, defects),
        (None, vec!["spec.type: `x` is not a type: ClusterSetIP or Headless".to_owned()])
    );
}

#[test]
fn an_entry_is_read_whole() {
    let (entry, defects) = entry(json!({
        "metadata": {"creationTimestamp": "1970-01-02T00:00:00Z", "labels": {"a": "b"}},
        "spec": {
            "hosts": ["Api.example.org", "*.example.com"],
            "addresses": ["192.0.2.1", "192.0.2.2/32", "2001:db8::/128", "198.51.100.7/24"],
            "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}, {"number": 80}],
            "resolution": "DNS_ROUND_ROBIN",
            "exportTo": [".", "other"],
            "location": "MESH_EXTERNAL",
        },
        "status": {"addresses": [{"value": "240.240.0.1", "host": "Api.example.org"}, {"value": "2001:2::1"}]},
    }));
    let entry = entry.unwrap();
    assert_eq!(defects, [] as [&str; 0]);
    let hosts: Vec<_> = entry.hosts.iter().map(|host| (&*host.text, host.wildcard)).collect();
    assert_eq!(hosts, [("Api.example.org", false), ("*.example.com", true)]);
    assert_eq!(entry.addresses, ips(&["192.0.2.1", "192.0.2.2", "2001:db8::"]));
    assert!(entry.declares_addresses);
    assert_eq!(entry.ports, [port("tls", "TLS", 443), port("", "TCP", 80)]);
    assert_eq!(entry.resolution, Resolution::DnsRoundRobin);
    assert_eq!(entry.export_to, [".".into(), "other".into()] as [Box<str>; 2]);
    assert_eq!(entry.created, 86_400);
    assert_eq!(entry.assigned, [("Api.example.org".into(), ip("240.240.0.1")), ("".into(), ip("2001:2::1"))]);
}

#[test]
fn every_resolution_is_known() {
    for (text, expected) in [
        (json!(null), Resolution::None),
        (json!("NONE"), Resolution::None),
        (json!("STATIC"), Resolution::Static),
        (json!("DNS"), Resolution::Dns),
        (json!("DNS_ROUND_ROBIN"), Resolution::DnsRoundRobin),
        (json!("DYNAMIC_DNS"), Resolution::DynamicDns),
    ] {
        let (entry, defects) = entry(json!({"spec": {"hosts": ["a.b"], "resolution": text}}));
        assert_eq!((entry.unwrap().resolution, defects.len()), (expected, 0));
    }
}

#[test]
fn an_entry_keeps_what_is_good() {
    let (found, defects) = entry(json!({
        "metadata": {"creationTimestamp": "soon"},
        "spec": {
            "hosts": ["*", "a..b", "a.*.b", "good.example"],
            "addresses": ["x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8"],
            "ports": [{"number": 0}, {"number": 1, "name": "a.b"}],
        },
        "status": {"addresses": [{"value": "x", "host": "h"}, {"host": "h"}]},
    }));
    let found = found.unwrap();
    assert_eq!(found.hosts.len(), 1);
    assert!(!found.declares_addresses && found.ports.is_empty() && found.assigned.is_empty());
    let fields: Vec<&str> = defects.iter().filter_map(|defect| Some(defect.split_once(": ")?.0)).collect();
    assert_eq!(
        fields,
        [
            "spec.hosts[0]",
            "spec.hosts[1]",
            "spec.hosts[2]",
            "spec.addresses[0]",
            "spec.addresses[1]",
            "spec.addresses[2]",
            "spec.addresses[3]",
            "spec.ports[0].number",
            "spec.ports[1].name",
            "metadata.creationTimestamp",
            "status.addresses[0].value",
            "status.addresses[1].value",
        ]
    );
    let (found, defects) = entry(json!({"spec": {"resolution": "dns"}}));
    assert_eq!(found, None);
    assert!(defects[0].starts_with("spec.resolution: `dns` is not a resolution"), "{defects:?}");
    assert_eq!(entry(json!({})).1, ["spec.hosts: is missing"]);
    // A list is no selector; taken for an empty one it would select everything.
    let (found, defects) = entry(json!({"spec": {"hosts": ["a.example"], "workloadSelector": []}}));
    assert_eq!(found, None);
    assert!(defects[0].starts_with("spec.workloadSelector: "), "{defects:?}");
}

#[test]
fn labels_of_a_workload_are_overlaid_by_those_of_its_metadata() {
    let (found, defects) = workload(json!({
        "metadata": {"labels": {"app": "b", "x": "y"}},
        "spec": {"address": "vm.example.org", "labels": {"app": "a", "v": "1"}},
    }));
    let found = found.unwrap();
    let Target::Host { text, .. } = &found.target else { panic!("{found:?}") };
    assert_eq!((&**text, found.healthy, defects.len()), ("vm.example.org", true, 0));
    assert_eq!(found.labels, Labels::from_iter([("app", "b"), ("v", "1"), ("x", "y")]));
    assert_eq!(workload(json!({"spec": {}})).0.unwrap().target, Target::Unanswerable);
}

#[test]
fn the_kind_of_each_key_is_that_of_its_object() {
    for (kind, expected) in [
        (ApiKind::Pod, Kind::Pod),
        (ApiKind::Endpoints, Kind::EndpointSlice),
        (ApiKind::ServiceImport, Kind::ServiceImport),
    ] {
        let key = key(kind, &json!({"metadata": {"name": "a"}})).unwrap();
        assert_eq!((key.kind, &*key.name.namespace), (expected, "default"));
    }
    assert_eq!(key(ApiKind::Pod, &json!({"metadata": {"name": "a", "namespace": 1}})), None);
    assert_eq!(key(ApiKind::Pod, &json!([])), None);
}
