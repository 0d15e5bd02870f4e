//! A value of the settings file, read as what it should be.
//!
//! Rules: a wrong value is reported with its place, what it is and what is expected, and then counts as left out,
//! so that the rest can still be checked.

use super::report::{Place, Placed, Report};
use super::suggest::closest;
use crate::yaml::{Entry, Node, Value};

/// Longest value that a message repeats in full, in characters.
const MAX_SHOWN: usize = 60;

/// A value that was written.
pub(super) struct Field<'a> {
    /// Where problems go.
    pub(super) report: &'a Report,
    /// What was written.
    pub(super) node: &'a Node,
    /// Where it stands.
    pub(super) place: Place,
}

impl<'a> Field<'a> {
    /// A boolean.
    pub(super) fn boolean(self) -> Option<bool> {
        match (&self.node.value, self.node.old_boolean()) {
            (Value::Bool(value), _) => Some(*value),
            (_, Some(meant)) => self.problem(&format!("{} is text here: write {meant}", shown(self.node))),
            _ => self.mismatch("true or false"),
        }
    }

    /// A whole number, made into something by `parse`.
    pub(super) fn integer<T>(
        self,
        expected: &str,
        parse: impl FnOnce(i64) -> Result<T, String>,
    ) -> Option<T> {
        match &self.node.value {
            Value::Int(value) => match parse(*value) {
                Ok(value) => Some(value),
                Err(message) => self.problem(&message),
            },
            Value::Float(_) => {
                self.problem(&format!("{} is not a whole number: {expected}", shown(self.node)))
            }
            _ => self.mismatch(expected),
        }
    }

    /// A part of something: above 0, up to 1.
    pub(super) fn ratio(self) -> Option<f64> {
        const EXPECTED: &str = "a number above 0 and up to 1";
        match &self.node.value {
            Value::Int(1) => Some(1.0),
            Value::Float(value) if *value > 0.0 && *value <= 1.0 => Some(*value),
            Value::Int(_) | Value::Float(_) => {
                self.problem(&format!("{} is out of range: {EXPECTED}", shown(self.node)))
            }
            _ => self.mismatch(EXPECTED),
        }
    }

    /// Text, made into something by `parse`.
    pub(super) fn parsed<T>(
        self,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match &self.node.value {
            Value::String(text) => match parse(text) {
                Ok(value) => Some(value),
                Err(message) => self.problem(&message),
            },
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                let written = plain(self.node);
                let kind = self.node.value.kind();
                let advice = if parse(&written).is_ok() { ", in quotes" } else { "" };
                self.problem(&format!("`{written}` is {kind}: {expected} is expected{advice}"))
            }
            _ => self.mismatch(expected),
        }
    }

    /// One of several words; those with `None` are planned and refused.
    pub(super) fn choice<T: Copy>(self, choices: &[(&'static str, Option<T>)]) -> Option<T> {
        let words: Vec<&str> =
            choices.iter().filter(|(_, value)| value.is_some()).map(|(word, _)| *word).collect();
        let expected = listed(&words);
        let Value::String(text) = &self.node.value else { return self.mismatch(&expected) };
        match choices.iter().find(|(word, _)| word == text) {
            Some((_, None)) => self.unsupported(),
            Some((_, value)) => *value,
            None => self.problem(&match closest(text, &words) {
                Some(word) => format!("`{text}` is unknown: {expected} is expected; did you mean `{word}`?"),
                None => format!("`{text}` is unknown: {expected} is expected"),
            }),
        }
    }

    /// The items of a list.
    pub(super) fn items(self) -> Option<Vec<Field<'a>>> {
        let Value::Sequence(items) = &self.node.value else {
            let written = plain(self.node);
            return match &self.node.value {
                Value::String(_) => {
                    self.problem(&format!("`{written}` is text where a list is expected: write [{written}]"))
                }
                _ => self.mismatch("a list"),
            };
        };
        let field = |(index, node): (usize, &'a Node)| {
            let place = self.place.item(index, node.line);
            Field { report: self.report, node, place }
        };
        Some(items.iter().enumerate().map(field).collect())
    }

    /// The items of a list of texts, each made into something by `parse`; wrong ones are left out.
    pub(super) fn list<T>(
        self,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<Placed<T>>> {
        let read = |item: Field<'a>| {
            let place = item.place.clone();
            Some(Placed { value: item.parsed(expected, &parse)?, place })
        };
        Some(self.items()?.into_iter().filter_map(read).collect())
    }

    /// Like `list`, where each value may stand once.
    pub(super) fn distinct<T: PartialEq>(
        self,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let mut values = Vec::new();
        for item in self.items()? {
            let (report, node, place) = (item.report, item.node, item.place.clone());
            match item.parsed(expected, &parse) {
                Some(value) if values.contains(&value) => {
                    report.add(&place, &format!("{} is given twice", shown(node)));
                }
                Some(value) => values.push(value),
                None => {}
            }
        }
        Some(values)
    }

    /// Whether this is the text `text`.
    pub(super) fn is(&self, text: &str) -> bool {
        self.node.as_str() == Some(text)
    }

    /// Whether this is `[]`.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(&self.node.value, Value::Sequence(items) if items.is_empty())
    }

    /// Refuses a value that a later version will know.
    pub(super) fn unsupported<T>(&self) -> Option<T> {
        match &self.node.value {
            Value::Sequence(_) | Value::Mapping(_) => self.problem("not supported yet"),
            _ => self.problem(&format!("{} is not supported yet", shown(self.node))),
        }
    }

    /// Reports a problem with this value, which then counts as left out.
    pub(super) fn problem<T>(&self, message: &str) -> Option<T> {
        self.report.add(&self.place, message);
        None
    }

    /// The entries of a mapping.
    pub(super) fn entries(self) -> &'a [Entry] {
        match &self.node.value {
            Value::Mapping(entries) => entries,
            _ => self.mismatch("a mapping").unwrap_or_default(),
        }
    }

    fn mismatch<T>(&self, expected: &str) -> Option<T> {
        match &self.node.value {
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => {
                self.problem(&format!("{} stands where {expected} is expected", self.node.value.kind()))
            }
            _ => {
                let kind = self.node.value.kind();
                self.problem(&format!("{} is {kind}: {expected} is expected", shown(self.node)))
            }
        }
    }
}

/// `a, b or c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A value in backticks.
fn shown(node: &Node) -> String {
    format!("`{}`", plain(node))
}

/// A value as it would be written on one line.
fn plain(node: &Node) -> String {
    let text = match &node.value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => node.value.kind().to_owned(),
        _ => node.to_json().to_string(),
    };
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
