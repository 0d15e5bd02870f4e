//! `ttl`: how long answers may be kept, in seconds from 0 to 3600.
//!
//! The keys of single classes of answers are known and checked, and not supported yet.

use super::field::Field;
use super::section::Section;
use crate::catalog::{NegativePending, TtlPolicy};
use crate::model::Ttl;

const SECONDS: &str = "seconds from 0 to 3600";
/// Classes of answers that will have a TTL of their own.
const CLASSES: [&str; 8] =
    ["clusterIP", "headless", "pod", "externalName", "srv", "ptr", "serviceEntry", "vip"];

/// Reads the section `ttl`.
pub(super) fn read(section: &mut Section<'_>) -> TtlPolicy {
    let mut used = TtlPolicy::default();
    section.set("default", &mut used.default, |field| seconds(field, SECONDS));
    used.negative = used.default;
    section.set("negative", &mut used.negative, |field| seconds(field, SECONDS));
    section.set("negativePending", &mut used.negative_pending, |field| {
        if field.is("uncached") {
            return Some(NegativePending::Uncached);
        }
        seconds(field, "uncached or seconds from 0 to 3600").map(NegativePending::For)
    });
    for class in CLASSES {
        if let Some(field) = section.take(class) {
            let place = field.place.clone();
            if seconds(field, SECONDS).is_some() {
                section.problem(
                    &place,
                    "a TTL of its own is not supported yet: `default` holds for all answers",
                );
            }
        }
    }
    used
}

fn seconds(field: Field<'_>, expected: &str) -> Option<Ttl> {
    field.integer(expected, |number| Ttl::new(number).map_err(|error| error.to_string()))
}
