//! Did you mean …? Names that exist and look like one that does not.
//!
//! What people get wrong: a letter, the namespace, the zone, or they leave out what a search path would add. Names
//! that differ in a number only are never offered: `db-1` is not a misspelt `db-0`.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::model::Name;

/// How many are offered.
const MOST: usize = 3;

/// Listed names that look like `asked`, the likeliest first, without their final dot.
pub(super) fn names(catalog: &Catalog, asked: &Name) -> Vec<String> {
    let asked = asked.to_string();
    let asked = asked.trim_end_matches('.');
    if asked.ends_with(".arpa") {
        return Vec::new();
    }
    let labels: Vec<&str> = asked.split('.').collect();
    let mut found = BTreeSet::new();
    for line in catalog.records() {
        let name = line.name.trim_end_matches('.').to_ascii_lowercase();
        if name.starts_with("*.") || name == asked {
            continue;
        }
        if let Some(cost) = cost(&labels, &name.split('.').collect::<Vec<_>>()) {
            found.insert((cost, name));
            if found.len() > MOST {
                found.pop_last();
            }
        }
    }
    found.into_iter().map(|(_, name)| name).collect()
}

/// How unlikely it is that `known` was meant; none when it was not.
fn cost(asked: &[&str], known: &[&str]) -> Option<usize> {
    let misspelt = misspelt(asked, known);
    let shortened = match known.starts_with(asked) {
        true => (known.len() > asked.len()).then_some(4),
        false => shortened(asked, known).map(|missing| 4 + missing),
    };
    // `web.shop.svc` in front of another zone.
    let displaced = (asked.len() > 3 && known.len() > 3 && asked[..3] == known[..3]).then_some(5);
    let elsewhere = in_other_place(asked, known).then_some(6);
    [misspelt, shortened, displaced, elsewhere].into_iter().flatten().min()
}

/// How many letters are wrong, if few are in every label.
fn misspelt(asked: &[&str], known: &[&str]) -> Option<usize> {
    if asked.len() != known.len() {
        return None;
    }
    let mut sum = 0;
    for (asked, known) in asked.iter().zip(known).filter(|(asked, known)| asked != known) {
        let bare = |label: &str| label.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        if asked[..bare(asked)] == known[..bare(known)] {
            return None;
        }
        let allowed = asked.len().max(known.len()).div_ceil(4).min(3);
        if asked.len().abs_diff(known.len()) > allowed {
            return None;
        }
        let distance = crate::spelling::distance(asked, known);
        if distance > allowed {
            return None;
        }
        sum += distance;
    }
    (sum <= 4).then_some(sum)
}

/// How many labels were left out, if nothing else is wrong.
fn shortened(asked: &[&str], known: &[&str]) -> Option<usize> {
    let mut rest = known.iter();
    let begins = asked.first() == known.first();
    let within = begins && asked.iter().all(|label| rest.any(|known| known == label));
    (within && known.len() > asked.len()).then(|| known.len() - asked.len())
}

/// Whether one label is another word, but not the first.
fn in_other_place(asked: &[&str], known: &[&str]) -> bool {
    asked.len() == known.len()
        && asked.len() > 2
        && asked.first() == known.first()
        && asked.iter().zip(known).filter(|(asked, known)| asked != known).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost_of(asked: &str, known: &str) -> Option<usize> {
        cost(&asked.split('.').collect::<Vec<_>>(), &known.split('.').collect::<Vec<_>>())
    }

    #[test]
    fn what_people_get_wrong_is_near() {
        let known = "web.shop.svc.cluster.local";
        assert_eq!(cost_of("wbe.shop.svc.cluster.local", known), Some(1), "letters swapped");
        assert_eq!(cost_of("web.shpo.svc.clutser.local", known), Some(2), "two labels");
        assert_eq!(cost_of("web.shop", known), Some(4), "a search path would add the rest");
        assert_eq!(cost_of("web.shop.cluster.local", known), Some(5), "svc forgotten");
        assert_eq!(cost_of("web.shop.svc.example.org", known), Some(5), "another zone");
        assert_eq!(cost_of("web.default.svc.cluster.local", known), Some(6), "another namespace");
    }

    #[test]
    fn other_names_are_not() {
        let known = "web-0.db.shop.svc.cluster.local";
        for asked in
            ["web-1.db.shop.svc.cluster.local", "api.db.shop.svc.cluster.local", "example.org", "db.shop"]
        {
            assert_eq!(cost_of(asked, known), None, "{asked}");
        }
    }
}
