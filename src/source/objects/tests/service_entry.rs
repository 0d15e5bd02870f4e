use super::*;

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
