use super::*;

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
