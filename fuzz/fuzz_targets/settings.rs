//! Any text as settings: no panic; what is refused says why, and what is taken makes a policy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meshdns::config::{Overrides, Settings};

fuzz_target!(|text: &str| {
    match Settings::read("fuzz.yaml", text, &Overrides::default()) {
        Ok(settings) => drop(settings.policy()),
        Err(problems) => assert!(!problems.to_string().is_empty()),
    }
});
