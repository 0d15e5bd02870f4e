//! `telemetry`: what is told about single queries.

use super::field::Field;
use super::section::Section;
use crate::telemetry::spans::TraceSettings;
use crate::telemetry::witness::{Denials, QueryLogSettings};

/// Collectors are asked without TLS: they stand in the same cluster or pod.
const ENDPOINT: &str = "the URL of a collector such as http://127.0.0.1:4317, without TLS";
/// More lines nobody reads, and writing them would be felt.
const MOST_LINES: i64 = 10_000;

/// What is told about single queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetrySettings {
    /// The query log. Default: none.
    pub query_log: Option<QueryLogSettings>,
    /// Traces. Default: none.
    pub traces: Option<TraceSettings>,
}

impl TelemetrySettings {
    /// Reads the section `telemetry`.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let is_on = section.has("queryLog");
        let query_log = section.section("queryLog", query_log);
        let is_traced = section.has("traces");
        let traces = section.section("traces", |section| traces(section, is_traced));
        Self { query_log: is_on.then_some(query_log), traces: traces.filter(|_| is_traced) }
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

fn traces(section: &mut Section<'_>, is_there: bool) -> Option<TraceSettings> {
    let endpoint = section.take("endpoint");
    if endpoint.is_none() && is_there {
        section.missing("endpoint", "is missing: http://host:port of a collector that speaks OTLP over gRPC");
    }
    let mut ratio = 0.01;
    section.set("ratio", &mut ratio, |field| field.ratio());
    let endpoint = endpoint?.parsed(ENDPOINT, |text| {
        let is_plain = text.parse::<hyper::Uri>().is_ok_and(|uri| {
            uri.scheme_str() == Some("http")
                && uri.port().is_some()
                && uri.path() == "/"
                && uri.query().is_none()
        });
        if is_plain { Ok(text.to_owned()) } else { Err(format!("`{text}` is not {ENDPOINT}")) }
    })?;
    Some(TraceSettings { endpoint, ratio })
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
