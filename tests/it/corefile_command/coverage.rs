//! What is said of Corefiles that are there, and of hosts that no key should be made of: `tests/corefiles/coverage/`.

use super::folder;
use crate::commands::{Ran, command, ran};

fn corefile(name: &str, output: &str) -> Ran {
    let mut command = command();
    command.current_dir(folder("coverage"));
    ran(command.args(["corefile", "--config", "meshdns.yaml", "--meshdns-at", "127.0.0.1:8053"]).args([
        "--corefile",
        name,
        "--output",
        output,
    ]))
}

/// Beside each Corefile is what is said of it, and what is printed for it.
#[test]
fn every_gap_is_told() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder("coverage")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "Corefile") {
            continue;
        }
        seen += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        let found = corefile(name, "text");
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        let told = format!("{}\n{}", found.stderr, found.stdout);
        assert_eq!((found.code, told.as_str()), (1, expected.as_str()), "{name}:\n{told}");
    }
    assert!(seen >= 5, "only {seen} Corefiles");
}

#[test]
fn gaps_have_their_documented_fields() {
    let found = corefile("nobody.Corefile", "json").json();
    let documented = std::fs::read_to_string("docs/corefile.md").unwrap();
    let gap = &found["findings"].as_array().unwrap()[0];
    for field in found.as_object().unwrap().keys().chain(gap.as_object().unwrap().keys()) {
        assert!(documented.contains(&format!("`{field}`")), "docs/corefile.md does not tell of {field}");
    }
}
