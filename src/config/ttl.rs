//! `ttl`: how long answers may be kept, in seconds from 0 to 3600.
//!
//! The keys of single classes of answers are known and checked, and not supported yet.

use super::field::Field;
use super::section::Section;
use crate::model::Ttl;

const SECONDS: &str = "seconds from 0 to 3600";
/// Classes of answers that will have a TTL of their own.
const CLASSES: [&str; 8] =
    ["clusterIP", "headless", "pod", "externalName", "srv", "ptr", "serviceEntry", "vip"];
/// The default of `default`.
const DEFAULT_SECONDS: i64 = 5;

/// How long answers may be kept, as used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtlSettings {
    /// Every answer. Default: 5 seconds.
    pub default: Ttl,
    /// That a name or type does not exist. Default: what `default` is.
    pub negative: Ttl,
    /// That a name does not exist which may come any moment. Default: not kept.
    pub negative_pending: NegativePending,
}

/// How long resolvers may keep that a name does not exist which may come any moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NegativePending {
    /// Not at all: the answer has no SOA. The default.
    #[default]
    Uncached,
    /// So long.
    Kept(Ttl),
}

impl Default for TtlSettings {
    fn default() -> Self {
        let default = Ttl::new(DEFAULT_SECONDS).expect("5 is between 0 and 3600");
        Self { default, negative: default, negative_pending: NegativePending::default() }
    }
}

impl TtlSettings {
    /// Reads the section `ttl`.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut used = Self::default();
        section.set("default", &mut used.default, |field| seconds(field, SECONDS));
        used.negative = used.default;
        section.set("negative", &mut used.negative, |field| seconds(field, SECONDS));
        section.set("negativePending", &mut used.negative_pending, |field| {
            if field.is("uncached") {
                return Some(NegativePending::Uncached);
            }
            seconds(field, "uncached or seconds from 0 to 3600").map(NegativePending::Kept)
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
}

fn seconds(field: Field<'_>, expected: &str) -> Option<Ttl> {
    field.integer(expected, |number| Ttl::new(number).map_err(|error| error.to_string()))
}
