//! Settings that are read again while the server runs.
//!
//! Rules: all or nothing. Only `ttl` and the query log can change; whoever changes anything else too gets nothing of it, because half of a file
//! would be in force then.

use super::{Overrides, Problem, Problems, Settings};
use crate::catalog::TtlPolicy;
use crate::telemetry::witness::QueryLogSettings;
use crate::yaml::{Value, documents};

/// What can change while the server runs: a section, and a part of another one.
const LIVE: &str = "ttl";
const PARTLY_LIVE: (&str, &str) = ("telemetry", "queryLog");

/// The settings that can change while the server runs.
#[derive(Clone, Debug)]
pub struct Live {
    /// How long answers may be kept.
    pub ttl: TtlPolicy,
    /// The query log.
    pub query_log: Option<QueryLogSettings>,
}

impl Settings {
    /// Reads a changed settings file (`text`) in place of the one that was read at the start (`running`): what it gives of those that can change, or
    /// every reason why it cannot be used.
    pub fn reread(file: &str, running: &str, text: &str, overrides: &Overrides) -> Result<Live, Problems> {
        let settings = Self::read(file, text, overrides)?;
        let (running, changed) = (entries(running), entries(text));
        let other = |key: &&String| *key != LIVE && running.get(*key) != changed.get(*key);
        let mut others: Vec<&String> = running.keys().chain(changed.keys()).filter(other).collect();
        others.sort();
        others.dedup();
        let problem = |key: &String| Problem {
            file: file.to_owned(),
            line: None,
            setting: key.clone(),
            message: format!(
                "is read at the start only, and has changed: restart, or change nothing but `{LIVE}` and `{}.{}`",
                PARTLY_LIVE.0, PARTLY_LIVE.1
            ),
        };
        match others.is_empty() {
            true => Ok(Live { ttl: settings.ttl, query_log: settings.telemetry.query_log }),
            false => Err(Problems::new(others.into_iter().map(problem).collect())),
        }
    }
}

/// The values of a file that was read as settings before, by key.
fn entries(text: &str) -> serde_json::Map<String, serde_json::Value> {
    let node = documents(text).next().and_then(|document| document.parse().ok());
    match node.map(|node| node.value) {
        Some(Value::Mapping(entries)) => entries
            .iter()
            .filter(|entry| entry.value.value != Value::Null)
            .map(|entry| (entry.key.clone(), entry.value.to_json()))
            .filter_map(|(key, value)| Some((key.clone(), fixed(&key, value)?)))
            .collect(),
        _ => serde_json::Map::new(),
    }
}

/// A section without its part that can change; none, if nothing is left.
fn fixed(key: &str, mut value: serde_json::Value) -> Option<serde_json::Value> {
    if key == PARTLY_LIVE.0
        && let Some(section) = value.as_object_mut()
    {
        section.remove(PARTLY_LIVE.1);
        section.retain(|_, value| !value.is_null());
        return (!section.is_empty()).then_some(value);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Class;

    fn reread(running: &str, text: &str) -> Result<Live, String> {
        let read = Settings::reread("meshdns.yaml", running, text, &Overrides::default());
        read.map_err(|problems| problems.to_string())
    }

    #[test]
    fn ttls_can_change_and_nothing_else() {
        let running = "zones: [cluster.local]\nttl: {default: 5}\n";
        assert_eq!(
            reread(running, "ttl: {default: 9}\nzones:\n- cluster.local\n")
                .unwrap()
                .ttl
                .of(Class::Zone)
                .seconds(),
            9
        );
        assert_eq!(
            reread(running, "zones: [cluster.local]\nlisten:\n").unwrap().ttl.of(Class::Zone).seconds(),
            5
        );
        let told = reread(running, "zones: [other.local]\ncatchAll: true\nttl: {default: 9}\n").unwrap_err();
        let reason = "is read at the start only, and has changed: restart, or change nothing but `ttl` and `telemetry.queryLog`";
        assert_eq!(told, format!("meshdns.yaml: catchAll: {reason}\nmeshdns.yaml: zones: {reason}"));
        let told = reread(running, "zones: [cluster.local]\nttl: {default: -9}\n").unwrap_err();
        assert!(told.contains("ttl.default: -9 is out of range"), "{told}");
    }

    #[test]
    fn the_query_log_can_be_switched_on_and_off() {
        let running = "zones: [cluster.local]\n";
        let on = format!("{running}telemetry: {{queryLog: {{successes: 7}}}}\n");
        assert_eq!(reread(running, &on).unwrap().query_log.unwrap().successes, 7);
        assert_eq!(reread(&on, running).unwrap().query_log, None);
        assert_eq!(reread(&on, &format!("{running}telemetry:\n")).unwrap().query_log, None);
    }
}
