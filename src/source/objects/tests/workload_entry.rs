use super::*;

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
