//! The documents of a file.
//!
//! Rules: a line that begins with `---` starts a document and one that begins with `...` ends it, when a blank or
//! the end of the line follows. No value may hold such a line (YAML 1.2.2 §9.1.2, c-forbidden), so this needs no
//! look at what is inside. Directives belong to the document after them. Documents without content are skipped.

use super::{Node, YamlError, build};

/// One document of a file, not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// The line it begins at, from 1; the `---` belongs to it.
    pub line: u32,
    /// Its text, markers included.
    pub text: &'a str,
}

impl Document<'_> {
    /// Reads the document. Lines count from the beginning of the file.
    pub fn parse(&self) -> Result<Node, YamlError> {
        build::document(self.text, self.line)
    }
}

/// Splits a file. Comments, blank lines and markers alone make no document.
pub fn documents(file: &str) -> impl Iterator<Item = Document<'_>> {
    Splitter { rest: file.strip_prefix('\u{feff}').unwrap_or(file), line: 1 }.filter(|document| {
        lines(document.text).any(|line| match content(line) {
            Some(text) => !text.starts_with('%'),
            None => false,
        })
    })
}

struct Splitter<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Iterator for Splitter<'a> {
    type Item = Document<'a>;

    fn next(&mut self) -> Option<Document<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut end, mut count) = (0, 0);
        // Whether a `---` still belongs to what was read: only comments and directives so far.
        let (mut prologue, mut directives) = (true, false);
        for line in lines(self.rest) {
            let starts = is_marker(line, "---");
            if starts && end > 0 && !(prologue && directives) {
                break;
            }
            end += line.len();
            count += 1;
            if is_marker(line, "...") {
                break;
            }
            directives |= line.starts_with('%');
            prologue &= !starts && (line.starts_with('%') || content(line).is_none());
        }
        let (text, rest) = self.rest.split_at(end);
        let document = Document { line: self.line, text };
        (self.rest, self.line) = (rest, self.line.saturating_add(count));
        Some(document)
    }
}

/// The lines of a text with their ends: line feed, carriage return, or both.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let octets = rest.as_bytes();
        let end = match octets.iter().position(|octet| matches!(octet, b'\n' | b'\r')) {
            Some(at) if octets[at] == b'\r' && octets.get(at + 1) == Some(&b'\n') => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let (line, after) = rest.split_at(end);
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// What a line says besides markers, comments and blanks.
fn content(line: &str) -> Option<&str> {
    let marked = is_marker(line, "---") || is_marker(line, "...");
    let text = if marked { &line[3..] } else { line };
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    (!text.is_empty() && !text.starts_with('#')).then_some(text)
}
