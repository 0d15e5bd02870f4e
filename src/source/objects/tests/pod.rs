use super::*;

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
