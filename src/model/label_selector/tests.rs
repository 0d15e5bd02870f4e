use super::*;
use proptest::prelude::*;

fn matches(selector: &str, labels: &[(&str, &str)]) -> bool {
    let look_up = |key: &str| labels.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    LabelSelector::parse(selector).unwrap().matches(look_up)
}

fn error(selector: &str) -> String {
    LabelSelector::parse(selector).unwrap_err().to_string()
}

#[test]
fn each_form_selects() {
    for (selector, labels, expected) in [
        ("", &[][..], true),
        (" ", &[("a", "b")], true),
        ("a=b", &[("a", "b")], true),
        ("a=b", &[("a", "c")], false),
        ("a=b", &[], false),
        ("a == b", &[("a", "b")], true),
        ("a!=b", &[("a", "c")], true),
        ("a!=b", &[], true),
        ("a!=b", &[("a", "b")], false),
        ("a=", &[("a", "")], true),
        ("a=,b", &[("a", ""), ("b", "x")], true),
        ("a in (x, y)", &[("a", "y")], true),
        ("a in (x,y)", &[("a", "z")], false),
        ("a in(x,)", &[("a", "")], true),
        ("a notin (x)", &[("a", "y")], true),
        ("a notin (x)", &[], true),
        ("a notin (x)", &[("a", "x")], false),
        ("a", &[("a", "")], true),
        ("a", &[("b", "")], false),
        ("!a", &[], true),
        ("! a", &[("a", "x")], false),
        ("a=b,c!=d", &[("a", "b")], true),
        ("a=b,c!=d", &[("a", "b"), ("c", "d")], false),
        ("in in (in)", &[("in", "in")], true),
        ("app.kubernetes.io/name=web", &[("app.kubernetes.io/name", "web")], true),
    ] {
        assert_eq!(matches(selector, labels), expected, "{selector} on {labels:?}");
    }
}

#[test]
fn a_bad_selector_says_why() {
    for (selector, part) in [
        ("a,", "found the end where a label key"),
        (",a", "found `,` where a label key"),
        ("a=b=c", "found `=` where `,` or the end"),
        ("a b", "found `b` where `=`"),
        ("a in x", "found `x` where `(`"),
        ("a in ()", "found `)` where a label value"),
        ("a in (x", "found the end where `,` or `)`"),
        ("a > 1", "found `>`"),
        ("a=(x)", "found `(` where a label value"),
        ("!a=b", "found `=` where `,` or the end"),
        ("-a", "`-a` is not a label key"),
        ("a/b/c", "`a/b/c` is not a label key"),
        ("A.b/c", "`A.b/c` is not a label key"),
        ("a=b-", "`b-` is not a label value"),
        ("a=é", "`é` is not a label value"),
    ] {
        assert!(error(selector).contains(part), "{selector}: {}", error(selector));
    }
    assert!(error(&format!("a={}", "x".repeat(64))).contains("not a label value"));
    assert!(LabelSelector::parse(&format!("a={}", "x".repeat(63))).is_ok());
}

fn requirements() -> impl Strategy<Value = Vec<Requirement>> {
    let values = || proptest::collection::btree_set("[xyz]?", 1..3);
    let test = prop_oneof![
        values().prop_map(Test::In),
        values().prop_map(Test::NotIn),
        Just(Test::Exists),
        Just(Test::Absent),
    ];
    let one = ("[abc]", test).prop_map(|(key, test)| Requirement { key, test });
    proptest::collection::vec(one, 0..4)
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ab=!,() in<>\t./é-]{0,24}|\\PC*") {
        if let Ok(selector) = LabelSelector::parse(&text) {
            prop_assert_eq!(LabelSelector::parse(&selector.to_string()), Ok(selector));
        }
    }

    #[test]
    fn text_survives_and_means_what_it_says(
        all in requirements(),
        labels in proptest::collection::btree_map("[abc]", "[xyz]?", 0..4),
    ) {
        let selector = LabelSelector::parse(&LabelSelector(all.clone()).to_string()).unwrap();
        prop_assert_eq!(&selector.0, &all);
        let expected = all.iter().all(|Requirement { key, test }| match (test, labels.get(key)) {
            (Test::In(values), Some(value)) => values.contains(value),
            (Test::NotIn(values), Some(value)) => !values.contains(value),
            (Test::NotIn(_) | Test::Absent, None) | (Test::Exists, Some(_)) => true,
            (Test::In(_) | Test::Exists, None) | (Test::Absent, Some(_)) => false,
        });
        prop_assert_eq!(selector.matches(|key| labels.get(key).map(String::as_str)), expected);
    }
}
