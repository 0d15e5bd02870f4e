use super::*;
use crate::config::tests::{one_problem, zoned};

#[test]
fn the_negative_ttl_follows_the_default() {
    assert_eq!(zoned("ttl: {default: 60}").unwrap().ttl.of(Class::Negative).seconds(), 60);
    assert_eq!(zoned("ttl: {default: 0, negative: 3600}").unwrap().ttl.of(Class::Negative).seconds(), 3600);
}

#[test]
fn each_mistake_is_told() {
    for (text, expected) in [
        ("ttl: {default: 4000}", "2: ttl.default: 4000 is out of range: seconds from 0 to 3600"),
        ("ttl: {default: -1}", "ttl.default: -1 is out of range"),
        (
            "ttl: {default: churn, churn: {min: 9, max: 3}}",
            "ttl.churn.max: 3 is below `min`, which is 9: no TTL lies between them",
        ),
        (
            "ttl: {default: churn, churn: {min: 400}}",
            "ttl.churn.min: 400 is above `max`, which is 300: no TTL lies between them",
        ),
        ("ttl: {default: churn, churn: {weight: 0}}", "ttl.churn.weight: 0 is out of range"),
        ("ttl: {srv: churn, churn: {weight: 1001}}", "ttl.churn.weight: 1001 is out of range"),
        ("ttl: {srv: churn, churn: {weight: 1.5}}", "ttl.churn.weight: `1.5` is not a whole number"),
        ("ttl: {churn: {weight: 2}}", "ttl.churn: nothing follows churn"),
        ("ttl: {default: churn, churn: {minimum: 1}}", "ttl.churn.minimum: unknown setting"),
        ("ttl: {negative: churn}", "ttl.negative: `churn` is text: seconds from 0 to 3600 is expected"),
        (
            "ttl: {rules: [{classes: [negative], ttl: churn}]}",
            "ttl.rules[0]: negative answers have no history to follow: write a number",
        ),
        ("ttl: {default: 5s}", "ttl.default: `5s` is text: seconds from 0 to 3600, or churn"),
        ("ttl: {default: 1.5}", "ttl.default: `1.5` is not a whole number: seconds from 0 to 3600, or churn"),
        ("ttl: {negative: 3601}", "ttl.negative: 3601 is out of range"),
        (
            "ttl: {negativePending: never}",
            "ttl.negativePending: `never` is text: uncached or seconds from 0 to 3600",
        ),
        ("ttl: {negativePending: 3601}", "ttl.negativePending: 3601 is out of range"),
        (
            "ttl: {annotations: {min: 10, max: 5}}",
            "2: ttl.annotations.max: 5 is below `min`, which is 10: no TTL lies between them",
        ),
        ("ttl: {annotations: 5}", "ttl.annotations: `5` is a number: a mapping is expected"),
        (
            "ttl: {rules: [{hosts: [a.b]}]}",
            "ttl.rules[0]: `ttl` is missing: the seconds that this rule gives",
        ),
        ("ttl: {rules: [{ttl: -5}]}", "ttl.rules[0].ttl: -5 is out of range"),
        ("ttl: {rules: [{ttl: 5, host: a.b}]}", "ttl.rules[0].host: unknown setting; did you mean `hosts`?"),
        (
            "ttl: {rules: [{ttl: 5, hosts: ['a.*.b']}]}",
            "ttl.rules[0].hosts[0]: `a.*.b` has a star that is not the whole first label",
        ),
        (
            "ttl: {rules: [{ttl: 5, namespaces: [Shop]}]}",
            "ttl.rules[0].namespaces[0]: `Shop` cannot name a namespace",
        ),
        (
            "ttl: {rules: [{ttl: 5, selector: 'a in'}]}",
            "ttl.rules[0].selector: `a in` is not a label selector",
        ),
        (
            "ttl: {rules: [{ttl: 5, classes: [clusterIp]}]}",
            "ttl.rules[0].classes[0]: `clusterIp` is no class of answers; known here: clusterIP, headless",
        ),
        (
            "ttl: {rules: [{ttl: 5, classes: [negative], namespaces: [shop]}]}",
            "ttl.rules[0]: this rule can never hold: negative answers are no object's",
        ),
        (
            "ttl: {rules: [{ttl: 5, hosts: [.a.b]}, {ttl: 6, hosts: ['*.x.a.b'], classes: [srv]}]}",
            "ttl.rules[1]: this rule can never hold: ttl.rules[0] at line 2 takes everything that it would",
        ),
        (
            "ttl: {rules: [{ttl: 1.5}]}",
            "ttl.rules[0].ttl: `1.5` is not a whole number: seconds from 0 to 3600",
        ),
        ("ttl: {rules: [{ttl: 5s}]}", "ttl.rules[0].ttl: `5s` is text: seconds from 0 to 3600"),
        ("ttl: {rules: [{ttl: 3601}]}", "ttl.rules[0].ttl: 3601 is out of range: seconds from 0 to 3600"),
        ("ttl: {rules: [{ttl: }]}", "ttl.rules[0]: `ttl` is missing: the seconds that this rule gives"),
        ("ttl: {default: ''}", "ttl.default: `` is text: seconds from 0 to 3600"),
        ("ttl: {headless: -1}", "ttl.headless: -1 is out of range: seconds from 0 to 3600"),
        ("ttl: {srv: 1m}", "ttl.srv: `1m` is text: seconds from 0 to 3600"),
        ("ttl: {ptr: [5]}", "ttl.ptr: a list stands where seconds from 0 to 3600"),
        ("ttl: {annotations: {min: -1}}", "ttl.annotations.min: -1 is out of range: seconds from 0 to 3600"),
        (
            "ttl: {annotations: {max: 3601}}",
            "ttl.annotations.max: 3601 is out of range: seconds from 0 to 3600",
        ),
        ("ttl: {annotations: {max: 1.5}}", "ttl.annotations.max: `1.5` is not a whole number"),
        ("ttl: {annotations: {min: 5s}}", "ttl.annotations.min: `5s` is text: seconds from 0 to 3600"),
        ("ttl: {annotations: ignore}", "ttl.annotations: `ignore` is text: a mapping is expected"),
        ("ttl: {rules: {ttl: 5}}", "ttl.rules: a mapping stands where a list is expected"),
        (
            "ttl: {rules: [{ttl: 5}, {ttl: 6, classes: [srv]}]}",
            "ttl.rules[1]: this rule can never hold: ttl.rules[0] at line 2 takes everything that it would",
        ),
        (
            "ttl: {rules: [{ttl: 5, namespaces: [a, b]}, {ttl: 6, namespaces: [b], hosts: [x.y]}]}",
            "ttl.rules[1]: this rule can never hold: ttl.rules[0] at line 2 takes everything that it would",
        ),
        ("ttl: {vip: 5000}", "ttl.vip: 5000 is out of range"),
        ("ttl: {clusterIp: 5}", "ttl.clusterIp: unknown setting; did you mean `clusterIP`?"),
    ] {
        one_problem(text, expected);
    }
}

#[test]
fn every_class_has_its_key() {
    for class in Class::named() {
        let ttl = zoned(&format!("ttl: {{default: 7, {}: 9}}", class.as_str())).unwrap().ttl;
        for other in Class::named() {
            assert_eq!(ttl.of(other).seconds(), if other == class { 9 } else { 7 }, "{class:?} {other:?}");
        }
    }
}

#[test]
fn ttl_rules_are_read_in_their_order() {
    let ttl = zoned(
        "ttl: {annotations: {min: 1, max: 60}, rules: [{name: fresh, namespaces: [data], selector: 'app=db', \
         hosts: ['*.data.svc.cluster.local'], classes: [headless, srv], ttl: 1}, {ttl: 2}]}",
    );
    let ttl = ttl.unwrap().ttl;
    let seconds = |seconds| Ttl::new(seconds).unwrap();
    assert_eq!(ttl.annotations, Some(TtlBounds { min: seconds(1), max: seconds(60) }));
    let first = TtlRule {
        name: Some("fresh".into()),
        ttl: seconds(1).into(),
        namespaces: ["data".into()].into(),
        selector: Some(LabelSelector::parse("app=db").unwrap()),
        hosts: [HostPattern::parse("*.data.svc.cluster.local").unwrap()].into(),
        classes: [Class::Headless, Class::Srv].into(),
    };
    let last = TtlRule {
        name: None,
        ttl: seconds(2).into(),
        namespaces: Box::default(),
        selector: None,
        hosts: Box::default(),
        classes: Box::default(),
    };
    assert_eq!(*ttl.rules, [first, last]);
    assert_eq!(zoned("ttl: {annotations: ignored}").unwrap().ttl.annotations, None);
    let many = (0..65).map(|n| format!("{{ttl: 1, hosts: [a{n}.b]}}")).collect::<Vec<_>>().join(", ");
    let told = zoned(&format!("ttl: {{rules: [{many}]}}")).unwrap_err().to_string();
    assert!(told.contains("ttl.rules: 65 rules are given: 64 at most"), "{told}");
}

/// A template that has nothing to fill in would make a rule for everything of one for little.
#[test]
fn an_empty_condition_is_refused() {
    for condition in [
        "namespaces: []",
        "hosts: []",
        "classes: []",
        "selector: ''",
        "selector: ' '",
        "selector: {}",
        "hosts: ",
        "hosts: ~",
    ] {
        let (key, _) = condition.split_once(':').unwrap();
        let text = format!("ttl:\n  rules:\n  - ttl: 5\n    {condition}\n");
        one_problem(&text, &format!("5: ttl.rules[0].{key}: is empty: leave it out, or name at least one"));
    }
}
