//! What holds of patterns, rules and settings that are replaced.

use super::*;
use crate::model::LabelSelector;
use crate::model::Name;

fn seconds(seconds: i64) -> Ttl {
    Ttl::new(seconds).unwrap()
}

fn rule(ttl: i64) -> TtlRule {
    TtlRule {
        name: None,
        ttl: seconds(ttl).into(),
        namespaces: Box::default(),
        selector: None,
        hosts: Box::default(),
        classes: Box::default(),
    }
}

fn pattern(text: &str) -> HostPattern {
    HostPattern::parse(text).unwrap()
}

#[test]
fn patterns_match_whole_labels() {
    for (text, matching, others) in [
        ("a.b", &["a.b"][..], &["b", "x.a.b", "xa.b", "a.b.c"][..]),
        ("*.a.b", &["x.a.b", "y.x.a.b"], &["a.b", "xa.b", "b"]),
        (".a.b", &["a.b", "x.a.b", "y.x.a.b"], &["xa.b", "b"]),
        ("A.b", &["a.b"], &["x.b"]),
    ] {
        let pattern = pattern(text);
        let is_for = |name: &&&str| pattern.matches(Name::parse(name).unwrap().wire());
        assert_eq!(matching.iter().filter(is_for).count(), matching.len(), "{text}");
        assert_eq!(others.iter().filter(is_for).count(), 0, "{text}");
    }
    // Octets of a label that look like the end of a name.
    let name = b"\x09evil\x01a\x01b\x00\x00";
    assert!(!pattern(".a.b").matches(&name[..]));
    for bad in ["", ".", "*", "*.", "a.*", "x*.b", "..a"] {
        assert!(HostPattern::parse(bad).is_err() || bad == ".", "{bad}");
    }
}

#[test]
fn a_pattern_covers_what_it_matches_all_of() {
    let texts = ["a.b", "*.a.b", ".a.b", "x.a.b", "*.x.a.b", ".x.a.b", "c"];
    let names = ["a.b", "x.a.b", "y.x.a.b", "z.y.x.a.b", "w.a.b", "c", "d.c"];
    for one in texts {
        for other in texts {
            let matches = |text: &str, name: &str| pattern(text).matches(Name::parse(name).unwrap().wire());
            let within = names.iter().all(|name| !matches(other, name) || matches(one, name));
            assert_eq!(pattern(one).covers(&pattern(other)), within, "{one} {other}");
        }
    }
}

#[test]
fn a_rule_hides_those_that_ask_for_more() {
    let shop = TtlRule { namespaces: ["shop".into()].into(), ..rule(1) };
    let both = TtlRule { namespaces: ["shop".into(), "data".into()].into(), ..rule(1) };
    let srv = TtlRule { classes: [Class::Srv].into(), ..rule(1) };
    let web = TtlRule { selector: LabelSelector::parse("app=web").ok(), ..shop.clone() };
    let below = TtlRule { hosts: [pattern("*.a.b")].into(), ..rule(1) };
    let at = TtlRule { hosts: [pattern("x.a.b")].into(), ..srv.clone() };
    for (one, other) in
        [(&rule(1), &shop), (&rule(1), &rule(2)), (&both, &shop), (&shop, &web), (&below, &at), (&srv, &at)]
    {
        assert!(one.hides(other), "{one:?} {other:?}");
        assert!(!other.hides(one) || one.ttl != other.ttl, "{other:?} {one:?}");
    }
    assert!(!shop.hides(&srv) && !srv.hides(&shop) && !web.hides(&shop) && !at.hides(&below));
}

#[test]
fn a_unit_is_answered_by_the_settings_it_was_compiled_under() {
    let of = |rules: Vec<TtlRule>| TtlPolicy { rules: rules.into(), ..TtlPolicy::default() };
    let shop = TtlRule { namespaces: ["shop".into()].into(), ..rule(1) };
    let policies = TtlPolicies::new(of(vec![rule(9).with_class(Class::Srv), shop]));
    let name = Name::parse("web.shop.svc.cluster.local").unwrap();
    let give = |unit| policies.load().give(Class::ClusterIp, name.wire(), unit).ttl.seconds();
    let compiled = || policies.load().of_object("shop", &Labels::default(), None);
    let unit = compiled();
    assert_eq!(give(unit), 1);
    // Its bit is that of another rule now.
    let data = |ttl| TtlRule { namespaces: ["data".into()].into(), ..rule(ttl) };
    policies.replace(of(vec![data(3), data(4), TtlRule { namespaces: ["shop".into()].into(), ..rule(2) }]));
    assert_eq!(give(unit), 1, "as before until it is compiled anew");
    assert_eq!(give(compiled()), 2);
    assert_eq!(give(policies.load().of_nothing()), 5);
}

impl TtlRule {
    fn with_class(self, class: Class) -> Self {
        Self { classes: [class].into(), ..self }
    }
}
