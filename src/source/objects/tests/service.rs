use super::*;

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
