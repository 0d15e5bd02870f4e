//! `telemetry`: what is told about single queries.

use super::field::Field;
use super::section::Section;
use crate::telemetry::witness::{Denials, QueryLogSettings};

/// More lines nobody reads, and writing them would be felt.
const MOST_LINES: i64 = 10_000;

/// What is told about single queries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// The query log. Default: none.
    pub query_log: Option<QueryLogSettings>,
}

impl TelemetrySettings {
    /// Reads the section `telemetry`.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let is_on = section.has("queryLog");
        let query_log = section.section("queryLog", query_log);
        Self { query_log: is_on.then_some(query_log) }
    }
}

fn query_log(section: &mut Section<'_>) -> QueryLogSettings {
    let mut used = QueryLogSettings::default();
    section.set("successes", &mut used.successes, |field| number(field, 0, i64::from(u32::MAX)));
    let denials = [
        ("always", Some(Denials::Always)),
        ("sampled", Some(Denials::Sampled)),
        ("never", Some(Denials::Never)),
    ];
    section.set("denials", &mut used.denials, |field| field.choice(&denials));
    section.set("linesPerSecond", &mut used.lines_per_second, |field| number(field, 1, MOST_LINES));
    used
}

/// A whole number within these bounds.
fn number(field: Field<'_>, least: i64, most: i64) -> Option<u32> {
    let expected = format!("a whole number from {least} to {most}");
    field.integer(&expected, |number| {
        let number = Some(number).filter(|number| (least..=most).contains(number));
        let out = || format!("out of range: {expected}");
        number.and_then(|number| u32::try_from(number).ok()).ok_or_else(out)
    })
}
