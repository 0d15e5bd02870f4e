//! Problems as they are found, and the places they are found at.

use std::cell::RefCell;

use super::problem::{Problem, Problems};

/// The problems found so far.
pub(super) struct Report {
    file: String,
    found: RefCell<Vec<Problem>>,
}

/// Where a value was given: in the file, or by a flag.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Line in the file; none for a flag.
    line: Option<u32>,
    /// Key path, or the flag.
    setting: String,
}

/// A value and where it was given.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    /// The value, checked by itself.
    pub(super) value: T,
    /// Where it stands.
    pub(super) place: Place,
}

impl Place {
    /// In the file.
    pub(super) fn in_file(line: u32, setting: String) -> Self {
        Self { line: Some(line), setting }
    }

    /// The key path.
    pub(super) fn path(&self) -> &str {
        &self.setting
    }

    /// An entry of the mapping at this place.
    pub(super) fn key(&self, key: &str, line: u32) -> Self {
        Self::in_file(line, format!("{}.{key}", self.setting))
    }

    /// An item of the list at this place.
    pub(super) fn item(&self, index: usize, line: u32) -> Self {
        Self::in_file(line, format!("{}[{index}]", self.setting))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} at line {line}", self.setting),
            None => f.write_str(&self.setting),
        }
    }
}

impl Report {
    /// For the settings of `file`.
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), found: RefCell::default() }
    }

    /// A problem with what stands at `place`.
    pub(super) fn add(&self, place: &Place, message: &str) {
        let file = if place.line.is_some() { self.file.clone() } else { String::new() };
        self.push(file, place.line, &place.setting, message);
    }

    /// A problem with the file as a whole or one line of it.
    pub(super) fn add_to_file(&self, line: Option<u32>, message: &str) {
        self.push(self.file.clone(), line, "", message);
    }

    /// A problem with a setting that no line gives.
    pub(super) fn add_missing(&self, setting: &str, message: &str) {
        self.push(self.file.clone(), None, setting, message);
    }

    fn push(&self, file: String, line: Option<u32>, setting: &str, message: &str) {
        let (setting, message) = (one_line(setting), one_line(message));
        self.found.borrow_mut().push(Problem { file, line, setting, message });
    }

    /// Reads the values of a flag; `None` when it was not given.
    pub(super) fn flags<T>(
        &self,
        flag: &str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<Placed<T>>> {
        let place = Place { line: None, setting: flag.to_owned() };
        let read = |text: &String| match parse(text) {
            Ok(value) => Some(Placed { value, place: place.clone() }),
            Err(message) => {
                self.add(&place, &message);
                None
            }
        };
        if texts.is_empty() { None } else { Some(texts.iter().filter_map(read).collect()) }
    }

    /// Whether a problem with the file as a whole or one of these settings is already known, so that what only
    /// follows from it needs no report.
    pub(super) fn knows(&self, settings: &[&str]) -> bool {
        let within = |setting: &str, outer: &str| {
            setting.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.found.borrow().iter().any(|problem| {
            problem.setting.is_empty() || settings.iter().any(|outer| within(&problem.setting, outer))
        })
    }

    /// A problem with a flag.
    pub(super) fn add_flag(&self, flag: &str, message: &str) {
        self.push(String::new(), None, flag, message);
    }

    /// The result, if there is one and nothing was found.
    pub(super) fn conclude<T>(self, result: Option<T>) -> Result<T, Problems> {
        match (result, self.found.into_inner()) {
            (Some(result), found) if found.is_empty() => Ok(result),
            (_, found) => Err(Problems::new(found)),
        }
    }
}

/// `text` with its control characters escaped.
fn one_line(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    text.chars().map(escaped).collect()
}
