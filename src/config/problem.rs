//! What is wrong with the settings, said so that it can be found and mended.

use std::fmt;

/// One mistake, in one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The settings file; empty for a mistake on the command line or in the environment.
    pub file: String,
    /// Line in the file, from 1; none when the file as a whole is meant.
    pub line: Option<u32>,
    /// Path of the setting, such as `listen.grpc[0]`, or the flag, such as `--zone`; empty for the whole file.
    pub setting: String,
    /// The offending value and what is expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        for part in [&self.file, &line].into_iter().filter(|part| !part.is_empty()) {
            write!(f, "{part}:")?;
        }
        if !self.file.is_empty() {
            f.write_str(" ")?;
        }
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with the settings: those of the file by line, then those of the flags. One line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Puts them in order. What the file says comes before what the flags say.
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.file.is_empty(), problem.line));
        Self(problems)
    }

    /// They, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
