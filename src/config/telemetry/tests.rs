use super::*;
use crate::config::tests::{one_problem, zoned};

fn telemetry(text: &str) -> TelemetrySettings {
    zoned(&format!("telemetry: {text}")).unwrap().telemetry
}

#[test]
fn nothing_is_told_of_queries_unless_asked_for() {
    for text in ["", "{}", "{queryLog: , traces: , dnstap: }"] {
        assert_eq!(telemetry(text), TelemetrySettings::default(), "{text}");
    }
    let on =
        telemetry("{queryLog: {}, traces: {endpoint: 'http://[::1]:4317'}, dnstap: {endpoint: 'unix:///a'}}");
    assert_eq!(on.query_log, Some(QueryLogSettings::default()));
    let endpoint = "http://[::1]:4317".to_owned();
    assert_eq!(on.traces, Some(TraceSettings { endpoint, ca: None, ratio: 0.01 }));
    let endpoint = DnstapEndpoint::Unix("/a".into());
    assert_eq!(on.dnstap, Some(DnstapSettings { endpoint, ratio: 1.0, identity: None }));
}

#[test]
fn everything_can_be_said() {
    let on = telemetry(
        "{queryLog: {successes: 0, denials: never, linesPerSecond: 10000}, \
          traces: {endpoint: 'https://otel:4317', ca: /ca.pem, ratio: 1}, \
          dnstap: {endpoint: 'tcp://[fd00::1]:6000', ratio: 0.5, identity: ns1}}",
    );
    assert_eq!(
        on.query_log,
        Some(QueryLogSettings { successes: 0, denials: Denials::Never, lines_per_second: 10_000 })
    );
    let endpoint = "https://otel:4317".to_owned();
    assert_eq!(on.traces, Some(TraceSettings { endpoint, ca: Some("/ca.pem".into()), ratio: 1.0 }));
    let endpoint = DnstapEndpoint::Tcp("[fd00::1]:6000".to_owned());
    assert_eq!(on.dnstap, Some(DnstapSettings { endpoint, ratio: 0.5, identity: Some("ns1".to_owned()) }));
}

#[test]
fn each_mistake_is_told() {
    for (text, expected) in [
        ("{queryLog: {successes: -1}}", "telemetry.queryLog.successes: out of range"),
        ("{queryLog: {denials: allways}}", "`allways` is unknown"),
        ("{queryLog: {linesPerSecond: 0}}", "out of range: a whole number from 1 to 10000"),
        ("{traces: {ratio: 1}}", "telemetry.traces.endpoint: is missing: http://host:port of a collector"),
        ("{traces: {endpoint: 'otel:4317'}}", "`otel:4317` is not the URL of a collector"),
        ("{traces: {endpoint: 'http://otel'}}", "`http://otel` is not the URL of a collector"),
        ("{traces: {endpoint: 'http://otel:4317/v1/traces'}}", "is not the URL of a collector"),
        ("{traces: {endpoint: 'http://otel:4317', ratio: 0}}", "out of range: a number above 0 and up to 1"),
        ("{traces: {endpoint: 'https://otel:4317'}}", "telemetry.traces.ca: is missing"),
        (
            "{traces: {endpoint: 'http://otel:4317', ca: /ca.pem}}",
            "2: telemetry.traces.ca: is for collectors that speak TLS: write https",
        ),
        (
            "{dnstap: {ratio: 1}}",
            "telemetry.dnstap.endpoint: is missing: unix:///path/of/a.sock or tcp://host:port",
        ),
        (
            "{dnstap: {endpoint: /run/dnstap.sock}}",
            "`/run/dnstap.sock` is not unix:///path/of/a.sock or tcp://host:port",
        ),
        (
            "{dnstap: {endpoint: 'unix://run/dnstap.sock'}}",
            "2: telemetry.dnstap.endpoint: `unix://run/dnstap.sock` does not name a socket by its absolute path",
        ),
        ("{dnstap: {endpoint: 'unix:///'}}", "`unix:///` does not name a socket by its absolute path"),
        (
            "{dnstap: {endpoint: 'unix:///run/'}}",
            "`unix:///run/` does not name a socket by its absolute path",
        ),
        ("{dnstap: [unix:///a]}", "2: telemetry.dnstap: a list stands where a mapping is expected"),
        ("{traces: http://otel:4317}", "2: telemetry.traces: "),
        ("{dnstap: {endpoint: 'tcp://host'}}", "`tcp://host` is not"),
        ("{dnstap: {endpoint: 'tcp://host:0'}}", "`tcp://host:0` is not"),
        ("{dnstap: {endpoint: 'tcp://a@host:1'}}", "`tcp://a@host:1` is not"),
        ("{dnstap: {endpoint: 'tcp://host:1/x'}}", "`tcp://host:1/x` is not"),
        ("{dnstap: {endpoint: 'unix:///a', ratio: 1.5}}", "telemetry.dnstap.ratio: `1.5` is out of range"),
        ("{dnstap: {endpoint: 'unix:///a', identity: ''}}", "telemetry.dnstap.identity: is empty"),
        ("{dnstap: {endpoint: 'unix:///a', socket: x}}", "telemetry.dnstap.socket: unknown setting"),
    ] {
        one_problem(&format!("telemetry: {text}"), expected);
    }
    let path = "x".repeat(107);
    one_problem(
        &format!("telemetry: {{dnstap: {{endpoint: 'unix:///{path}'}}}}"),
        "is too long: the path of a socket has at most 107 octets",
    );
    let long = "x".repeat(256);
    let text = format!("telemetry: {{dnstap: {{endpoint: 'unix:///a', identity: {long}}}}}");
    one_problem(&text, "has 256 octets: 255 at most");
}

#[test]
fn every_setting_is_documented() {
    let page = include_str!("../../../docs/settings.md");
    for section in ["traces", "dnstap", "queryLog"] {
        let told = zoned(&format!("telemetry: {{{section}: {{=: 1}}}}")).unwrap_err().to_string();
        let told = told.lines().find(|line| line.contains("known here: ")).unwrap();
        for key in told.split_once("known here: ").unwrap().1.split(", ") {
            assert!(page.contains(&format!("`telemetry.{section}.{key}`")), "telemetry.{section}.{key}");
        }
    }
}
