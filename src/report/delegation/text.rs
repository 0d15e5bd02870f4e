//! What is wrong, and what is worth knowing, as text.

use super::Delegation;

/// Findings with what would mend them, then notes.
pub fn gaps_text(found: &Delegation) -> String {
    let mut text = String::new();
    for gap in &found.findings {
        if let (Some(file), Some(line)) = (&gap.file, gap.line) {
            text.push_str(&format!("{file}:{line}: "));
        }
        text.push_str(&format!("{}\n", gap.message));
        gap.change.iter().for_each(|change| text.push_str(&format!("  {change}\n")));
    }
    found.notes.iter().for_each(|note| text.push_str(&format!("note: {note}\n")));
    text
}
