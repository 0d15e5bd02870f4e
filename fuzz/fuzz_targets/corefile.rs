//! Any text as a Corefile: no panic; what is refused says where, and what is taken can be followed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meshdns::corefile::{Corefile, Corefiles, Sign, Span, World, Zone};
use meshdns::model::Name;

/// A variable and a file that refer to themselves.
struct Circle;

impl World for Circle {
    fn variable(&self, name: &str) -> Option<String> {
        Some(format!("{{${name}}} {{"))
    }

    fn matching(&self, _from: &str, pattern: &str) -> Result<Vec<String>, String> {
        Ok(pattern.starts_with('a').then(|| pattern.to_owned()).into_iter().collect())
    }

    fn text(&self, path: &str) -> Result<String, String> {
        if path.len() > 3 { Err("there is none".to_owned()) } else { Ok(format!("errors\nimport {path}a")) }
    }
}

fuzz_target!(|text: &str| {
    match Corefile::read("Corefile", text, &Circle) {
        Err(error) => assert!(!error.message.is_empty()),
        Ok(corefile) => {
            let corefiles = Corefiles::new(vec![corefile.clone(), corefile], Vec::new());
            let wanted: Vec<Zone> = Name::parse("cluster.local").iter().map(Zone::from).collect();
            for start in corefiles.starts() {
                for zone in corefiles.zones_of(start, &wanted) {
                    corefiles.route(start, &zone).seen(Sign::Negative, Span { smallest: 0, largest: 9 });
                }
            }
        }
    }
});
