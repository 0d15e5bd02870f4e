//! Corefiles read as CoreDNS reads them. That it does so too is tested with a real one (`tests/it/corefile_check`).

mod properties;
mod reading;
mod routes;

use std::collections::BTreeMap;

use super::*;

/// Files and variables that a test says.
#[derive(Debug, Default)]
struct Told(BTreeMap<&'static str, &'static str>);

impl World for Told {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(format!("${name}").as_str()).map(|value| (*value).to_owned())
    }

    fn matching(&self, _from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let all = self.0.keys().filter(|path| path.starts_with(before) && path.ends_with(after));
        let exact = !pattern.contains('*');
        Ok(all.filter(|path| !exact || **path == pattern).map(|path| (*path).to_owned()).collect())
    }

    fn text(&self, path: &str) -> Result<String, String> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "there is none".to_owned())
    }
}

fn read_in(text: &str, world: &[(&'static str, &'static str)]) -> Result<Corefile, String> {
    let told = Told(world.iter().copied().collect());
    Corefile::read("Corefile", text, &told).map_err(|error| error.to_string())
}

fn read(text: &str) -> Corefile {
    read_in(text, &[]).unwrap()
}

fn refused(text: &str) -> String {
    read_in(text, &[]).unwrap_err()
}
