//! Settings that are read again while the server runs.
//!
//! Rules: all or nothing. Only `ttl` can change; whoever changes anything else too gets nothing of it, because half of a file
//! would be in force then.

use super::{Overrides, Problem, Problems, Settings};
use crate::catalog::TtlPolicy;
use crate::yaml::{Value, documents};

/// What can change while the server runs.
const LIVE: &str = "ttl";

impl Settings {
    /// Reads a changed settings file (`text`) in place of the one that was read at the start (`running`): the TTLs that it gives, or
    /// every reason why it cannot be used.
    pub fn reread(
        file: &str,
        running: &str,
        text: &str,
        overrides: &Overrides,
    ) -> Result<TtlPolicy, Problems> {
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
                "is read at the start only, and has changed: restart, or change nothing but `{LIVE}`"
            ),
        };
        match others.is_empty() {
            true => Ok(settings.ttl),
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
            .collect(),
        _ => serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Class;

    fn reread(running: &str, text: &str) -> Result<TtlPolicy, String> {
        let read = Settings::reread("meshdns.yaml", running, text, &Overrides::default());
        read.map_err(|problems| problems.to_string())
    }

    #[test]
    fn ttls_can_change_and_nothing_else() {
        let running = "zones: [cluster.local]\nttl: {default: 5}\n";
        assert_eq!(
            reread(running, "ttl: {default: 9}\nzones:\n- cluster.local\n")
                .unwrap()
                .of(Class::Zone)
                .seconds(),
            9
        );
        assert_eq!(
            reread(running, "zones: [cluster.local]\nlisten:\n").unwrap().of(Class::Zone).seconds(),
            5
        );
        let told = reread(running, "zones: [other.local]\ncatchAll: true\nttl: {default: 9}\n").unwrap_err();
        let reason = "is read at the start only, and has changed: restart, or change nothing but `ttl`";
        assert_eq!(told, format!("meshdns.yaml: catchAll: {reason}\nmeshdns.yaml: zones: {reason}"));
        let told = reread(running, "zones: [cluster.local]\nttl: {default: -9}\n").unwrap_err();
        assert!(told.contains("ttl.default: -9 is out of range"), "{told}");
    }
}
