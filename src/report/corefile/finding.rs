//! One thing that is wrong with a Corefile, and one that is worth knowing.

use std::fmt;

use serde::Serialize;

use crate::corefile::Place;

/// What is wrong, and what would mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedFinding {
    /// The file.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do with the lines.
    pub change: String,
    /// Lines as they should be.
    pub lines: Vec<String>,
}

/// What is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedNote {
    /// The file.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// What it is, in one sentence.
    pub message: String,
}

impl ReportedFinding {
    /// A finding at a place.
    pub(super) fn new(place: &Place, message: String, change: String, lines: Vec<String>) -> Self {
        Self { file: place.file.to_string(), line: place.line, message, change, lines }
    }
}

impl ReportedNote {
    /// A note at a place.
    pub(super) fn new(place: &Place, message: String) -> Self {
        Self { file: place.file.to_string(), line: place.line, message }
    }
}

impl fmt::Display for ReportedFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl fmt::Display for ReportedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Words as a sentence lists them: `a, b and c`.
pub(in crate::report) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
