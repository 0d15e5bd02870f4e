//! `telemetry`: what is told about single queries.

use std::path::PathBuf;

use super::field::Field;
use super::section::Section;
use super::socket::socket;
use super::sources::path;
use crate::telemetry::dnstap::{DnstapEndpoint, DnstapSettings};
use crate::telemetry::spans::TraceSettings;
use crate::telemetry::witness::{Denials, QueryLogSettings};

const TRACES: &str = "the URL of a collector such as http://127.0.0.1:4317";
const DNSTAP: &str = "unix:///path/of/a.sock or tcp://host:port";
/// Longest name of a server, in octets.
const LONGEST_IDENTITY: usize = 255;
/// More lines nobody reads, and writing them would be felt.
const MOST_LINES: i64 = 10_000;

/// What is told about single queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetrySettings {
    /// The query log. Default: none.
    pub query_log: Option<QueryLogSettings>,
    /// Traces. Default: none.
    pub traces: Option<TraceSettings>,
    /// dnstap. Default: none.
    pub dnstap: Option<DnstapSettings>,
}

impl TelemetrySettings {
    /// Reads the section `telemetry`.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let is_on = section.has("queryLog");
        let query_log = section.section("queryLog", query_log);
        let is_traced = section.has("traces");
        let needs_endpoint = section.is_mapping("traces");
        let traces = section.section("traces", |section| traces(section, needs_endpoint));
        let is_tapped = section.has("dnstap");
        let needs_endpoint = section.is_mapping("dnstap");
        let dnstap = section.section("dnstap", |section| dnstap(section, needs_endpoint));
        let dnstap = dnstap.filter(|_| is_tapped);
        Self { dnstap, query_log: is_on.then_some(query_log), traces: traces.filter(|_| is_traced) }
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

fn traces(section: &mut Section<'_>, needs_endpoint: bool) -> Option<TraceSettings> {
    let endpoint = section.take("endpoint");
    if endpoint.is_none() && needs_endpoint {
        section.missing("endpoint", "is missing: http://host:port of a collector that speaks OTLP over gRPC");
    }
    let mut ratio = 0.01;
    section.set("ratio", &mut ratio, |field| field.ratio());
    let ca = section.take("ca");
    let ca_place = ca.as_ref().map(|field| field.place.clone());
    let ca: Option<PathBuf> = ca.and_then(|field| field.parsed("a path", path));
    let endpoint = endpoint?.parsed(TRACES, |text| {
        let is_collector = text.parse::<hyper::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.port().is_some()
                && uri.path() == "/"
                && uri.query().is_none()
        });
        if is_collector { Ok(text.to_owned()) } else { Err(format!("`{text}` is not {TRACES}")) }
    })?;
    match (endpoint.starts_with("https:"), ca_place) {
        (true, None) => section
            .missing("ca", "is missing: the file with the certificates that may vouch for the collector"),
        (false, Some(place)) => section.problem(&place, "is for collectors that speak TLS: write https"),
        _ => {}
    }
    Some(TraceSettings { endpoint, ca, ratio })
}

fn dnstap(section: &mut Section<'_>, needs_endpoint: bool) -> Option<DnstapSettings> {
    let endpoint = section.take("endpoint");
    if endpoint.is_none() && needs_endpoint {
        section.missing("endpoint", &format!("is missing: {DNSTAP}, where messages are collected"));
    }
    let mut ratio = 1.0;
    section.set("ratio", &mut ratio, |field| field.ratio());
    let identity = section.take("identity");
    let identity = identity.and_then(|field| field.parsed("the name of this server", identified));
    let endpoint = endpoint?.parsed(DNSTAP, collected_at)?;
    Some(DnstapSettings { endpoint, ratio, identity })
}

fn identified(text: &str) -> Result<String, String> {
    match text.len() {
        1..=LONGEST_IDENTITY => Ok(text.to_owned()),
        0 => Err("is empty: leave it out for the name of the machine".to_owned()),
        length => Err(format!("has {length} octets: {LONGEST_IDENTITY} at most")),
    }
}

fn collected_at(text: &str) -> Result<DnstapEndpoint, String> {
    if let Some(path) = socket(text) {
        return path.map(DnstapEndpoint::Unix);
    }
    let tcp = text.strip_prefix("tcp://").filter(|address| {
        // What an authority is, hyper knows.
        address.parse::<hyper::http::uri::Authority>().is_ok_and(|authority| {
            authority.as_str() == *address
                && authority.port_u16().is_some_and(|port| port > 0)
                && !address.contains('@')
        })
    });
    match tcp {
        Some(address) => Ok(DnstapEndpoint::Tcp(address.to_owned())),
        None => Err(format!("`{text}` is not {DNSTAP}")),
    }
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

#[cfg(test)]
mod tests;
