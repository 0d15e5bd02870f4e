use super::*;

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
