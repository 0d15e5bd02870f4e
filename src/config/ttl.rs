//! `ttl`: how long answers may be kept, in seconds from 0 to 3600.
//!
//! A condition of a rule that is empty is refused, because leaving it out widens the rule. Cross-checks: bounds that contradict
//! each other, and rules that can never hold, because an earlier one leaves nothing to them or because what they ask of
//! objects is asked of answers that are no object's.

use super::field::Field;
use super::kubernetes::{namespace, selector};
use super::report::Place;
use super::section::Section;
use crate::catalog::{
    Churn, Class, HostPattern, MAX_RULES, NegativePending, TtlBounds, TtlPolicy, TtlRule, TtlSetting,
};
use crate::model::{LabelSelector, Ttl};

const SECONDS: &str = "seconds from 0 to 3600";
/// What stands where a TTL follows churn.
const CHURN: &str = "churn";
const WEIGHT: &str = "queries that a wrong second is worth, from 1 to 1000";

/// Reads the section `ttl`.
pub(super) fn read(section: &mut Section<'_>) -> TtlPolicy {
    let mut used = TtlPolicy { churn: section.section("churn", churn), ..TtlPolicy::default() };
    section.set("default", &mut used.default, setting);
    section.set("negative", &mut used.negative, |field| seconds(field, SECONDS).map(Some));
    section.set("negativePending", &mut used.negative_pending, |field| {
        if field.is("uncached") {
            return Some(NegativePending::Uncached);
        }
        seconds(field, "uncached or seconds from 0 to 3600").map(NegativePending::For)
    });
    for class in Class::named().filter(|class| *class != Class::Negative) {
        let ttl = section.take(class.as_str()).and_then(setting);
        used.classes.set(class, ttl);
    }
    used.annotations = if section.says("annotations", "ignored") {
        section.take("annotations").and(None)
    } else {
        Some(section.section("annotations", bounds))
    };
    if let Some(field) = section.take("rules") {
        used.rules = rules(section, field).into();
    }
    if let Some(place) = section.place_of("churn").filter(|_| !used.follows_churn()) {
        section.problem(
            &place,
            "nothing follows churn: write `churn` in place of a TTL, as in `default: churn`",
        );
    }
    used
}

fn seconds(field: Field<'_>, expected: &str) -> Option<Ttl> {
    field.integer(expected, |number| Ttl::new(number).map_err(|error| error.to_string()))
}

fn setting(field: Field<'_>) -> Option<TtlSetting> {
    if field.is(CHURN) {
        return Some(TtlSetting::Churn);
    }
    seconds(field, "seconds from 0 to 3600, or churn").map(TtlSetting::Fixed)
}

/// What annotations may ask for.
fn bounds(section: &mut Section<'_>) -> TtlBounds {
    between(section, TtlBounds::default())
}

/// How TTLs follow churn.
fn churn(section: &mut Section<'_>) -> Churn {
    let Churn { min, max, weight } = Churn::default();
    let TtlBounds { min, max } = between(section, TtlBounds { min, max });
    let mut churn = Churn { min, max, weight };
    section.set("weight", &mut churn.weight, |field| {
        field.integer(WEIGHT, |number| match u16::try_from(number) {
            Ok(weight @ 1..=1000) => Ok(weight),
            _ => Err(format!("{number} is out of range: {WEIGHT}")),
        })
    });
    churn
}

/// `min` and `max` of a section; `default` where they are left out or contradict each other.
fn between(section: &mut Section<'_>, default: TtlBounds) -> TtlBounds {
    let mut bounds = default;
    let places = ["max", "min"].map(|key| section.place_of(key));
    section.set("min", &mut bounds.min, |field| seconds(field, SECONDS));
    section.set("max", &mut bounds.max, |field| seconds(field, SECONDS));
    if bounds.max < bounds.min {
        let (min, max) = (bounds.min.seconds(), bounds.max.seconds());
        let [at_max, at_min] = places;
        let (place, message) = match at_max {
            Some(place) => {
                (Some(place), format!("{max} is below `min`, which is {min}: no TTL lies between them"))
            }
            None => (at_min, format!("{min} is above `max`, which is {max}: no TTL lies between them")),
        };
        place.iter().for_each(|place| section.problem(place, &message));
        return default;
    }
    bounds
}

fn rules(section: &Section<'_>, field: Field<'_>) -> Vec<TtlRule> {
    let place = field.place.clone();
    let mut rules: Vec<(TtlRule, Place)> = Vec::new();
    for item in field.items().unwrap_or_default() {
        let place = item.place.clone();
        let Some(rule) = Section::item(item, |section| rule(section, &place)) else { continue };
        let never = if !Class::ALL.into_iter().any(|class| rule.concerns(class)) {
            Some("negative answers are no object's: they have neither namespace nor labels".to_owned())
        } else {
            let hiding = rules.iter().find(|(earlier, _)| earlier.hides(&rule));
            hiding.map(|(_, earlier)| format!("{earlier} takes everything that it would"))
        };
        if let Some(never) = never {
            section.problem(&place, &format!("this rule can never hold: {never}"));
        }
        if rule.ttl == TtlSetting::Churn && matches!(&*rule.classes, [Class::Negative]) {
            section.problem(&place, "negative answers have no history to follow: write a number");
        }
        rules.push((rule, place));
    }
    if rules.len() > MAX_RULES {
        section.problem(&place, &format!("{} rules are given: {MAX_RULES} at most", rules.len()));
        rules.truncate(MAX_RULES);
    }
    rules.into_iter().map(|(rule, _)| rule).collect()
}

fn rule(section: &mut Section<'_>, place: &Place) -> Option<TtlRule> {
    let mut name = None;
    section.set("name", &mut name, |field| field.parsed("text", |text| Ok(Some(text.into()))));
    let has_ttl = section.has("ttl");
    let ttl = section.take("ttl").and_then(setting);
    if !has_ttl {
        section.problem(place, "`ttl` is missing: the seconds that this rule gives");
    }
    let namespaces = section.take_filled("namespaces").and_then(|field| {
        let names = field.distinct("the name of a namespace", namespace)?;
        Some(names.into_iter().map(Box::from).collect())
    });
    let selector: Option<LabelSelector> =
        section.take_filled("selector").and_then(|field| field.parsed("a label selector", selector));
    let hosts = section.take_filled("hosts").and_then(|field| {
        let expected = "a name, *.name for all below it, or .name for both";
        field.distinct(expected, |text| HostPattern::parse(text).map_err(|error| error.to_string()))
    });
    let classes =
        section.take_filled("classes").and_then(|field| field.distinct("a class of answers", class));
    Some(TtlRule {
        name,
        ttl: ttl?,
        namespaces: namespaces.unwrap_or_default(),
        selector,
        hosts: hosts.unwrap_or_default().into(),
        classes: classes.unwrap_or_default().into(),
    })
}

fn class(text: &str) -> Result<Class, String> {
    Class::named().find(|class| class.as_str() == text).ok_or_else(|| {
        let known: Vec<&str> = Class::named().map(Class::as_str).collect();
        format!("`{text}` is no class of answers; known here: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests;
