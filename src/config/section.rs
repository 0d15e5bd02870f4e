//! Taking a mapping apart, key by key, without stopping at the first mistake.
//!
//! Rules: every key is taken by name and what is left over is unknown; a key with nothing behind it counts as left
//! out.

use super::field::Field;
use super::report::{Place, Report};
use super::suggest::closest;
use crate::yaml::{Entry, Node, Value};

/// A mapping that is being taken apart.
pub(super) struct Section<'a> {
    report: &'a Report,
    path: String,
    entries: &'a [Entry],
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// Reads the whole file with `read`.
    pub(super) fn root<T>(report: &'a Report, node: &'a Node, read: impl FnOnce(&mut Self) -> T) -> T {
        let place = Place::in_file(node.line, String::new());
        let entries = match &node.value {
            Value::Null => &[],
            _ => Field { report, node, place }.entries(),
        };
        Self { report, path: String::new(), entries, known: Vec::new() }.apart(read)
    }

    /// Reads the mapping under `key`; left out, it is read as empty.
    pub(super) fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        let entries = self.take(key).map(|field| field.entries()).unwrap_or_default();
        Self { report: self.report, path: self.path_of(key), entries, known: Vec::new() }.apart(read)
    }

    /// Reads a mapping that stands in a list.
    pub(super) fn item<T>(field: Field<'a>, read: impl FnOnce(&mut Self) -> T) -> T {
        let (report, path) = (field.report, field.place.path().to_owned());
        Self { report, path, entries: field.entries(), known: Vec::new() }.apart(read)
    }

    fn apart<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let result = read(&mut self);
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str())) {
            let advice = match closest(&entry.key, &self.known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            let place = Place::in_file(entry.line, self.path_of(&entry.key));
            self.report.add(&place, &format!("unknown setting; {advice}"));
        }
        result
    }

    /// The value under `key`, unless it was left out.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        if entry.value.value == Value::Null {
            return None;
        }
        let place = Place::in_file(entry.line, self.path_of(key));
        Some(Field { report: self.report, node: &entry.value, place })
    }

    /// The value under `key`, which has something in it if the key is there at all: for what widens when it is left out, since a
    /// template that has nothing to fill in did not mean that.
    pub(super) fn take_filled(&mut self, key: &'static str) -> Option<Field<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        let empty = entry.filter(|entry| match &entry.value.value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Sequence(items) => items.is_empty(),
            Value::Mapping(entries) => entries.is_empty(),
            _ => false,
        });
        let Some(entry) = empty else { return self.take(key) };
        self.known.push(key);
        let place = Place::in_file(entry.line, self.path_of(key));
        self.report.add(&place, "is empty: leave it out, or name at least one");
        None
    }

    /// Whether anything stands under `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.value.value != Value::Null)
    }

    /// Whether a mapping stands under `key`: what else stands there is a mistake that is told anyhow.
    pub(super) fn is_mapping(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && matches!(entry.value.value, Value::Mapping(_)))
    }

    /// Where `key` stands, if anything does behind it.
    pub(super) fn place_of(&self, key: &str) -> Option<Place> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (entry.value.value != Value::Null).then(|| Place::in_file(entry.line, self.path_of(key)))
    }

    /// Whether the text `text` stands under `key`. Such a key still has to be taken.
    pub(super) fn says(&self, key: &str, text: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.value.as_str() == Some(text))
    }

    /// Whether anything was given here.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.iter().all(|entry| entry.value.value == Value::Null)
    }

    /// Reports that `key` is missing.
    pub(super) fn missing(&self, key: &str, message: &str) {
        self.report.add_missing(&self.path_of(key), message);
    }

    /// Reads the value under `key` into `target`, which keeps its default when the key was left out.
    pub(super) fn set<T>(
        &mut self,
        key: &'static str,
        target: &mut T,
        read: impl FnOnce(Field<'a>) -> Option<T>,
    ) {
        if let Some(value) = self.take(key).and_then(read) {
            *target = value;
        }
    }

    /// Reports a problem between several settings at one of them.
    pub(super) fn problem(&self, place: &Place, message: &str) {
        self.report.add(place, message);
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}
