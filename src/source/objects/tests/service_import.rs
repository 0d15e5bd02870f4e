use super::*;

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
