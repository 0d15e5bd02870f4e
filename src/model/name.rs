//! Domain names in wire form.

use std::fmt;

/// Longest name in wire form, the root octet included (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;
/// Longest label (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// An absolute domain name: lower-case labels in wire form, the root octet included, at most 255 octets
/// (RFC 1035 §2.3.4; case folding of ASCII letters per RFC 4343 §3).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<[u8]>);

/// Why a text is not a domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Two dots in a row, a leading dot, or nothing at all.
    #[error("`{0}` has an empty label")]
    EmptyLabel(String),
    /// A label of more than 63 octets.
    #[error("`{0}` has a label of more than 63 octets")]
    LongLabel(String),
    /// More than 255 octets in wire form.
    #[error("`{0}` is longer than 255 octets")]
    LongName(String),
    /// A character that no host or service name has.
    #[error("`{name}` has the character {character:?}: only letters, digits, `-` and `_` make a name")]
    Character {
        /// The whole text.
        name: String,
        /// The first character that does not belong.
        character: char,
    },
}

impl Name {
    /// The root.
    pub fn root() -> Self {
        Self(Box::from([0u8]))
    }

    /// Reads dotted text, with or without the final dot. `.` is the root.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text == "." {
            return Ok(Self::root());
        }
        let mut wire = Vec::with_capacity(text.len() + 2);
        for label in text.strip_suffix('.').unwrap_or(text).split('.') {
            if label.is_empty() {
                return Err(NameError::EmptyLabel(text.to_owned()));
            }
            if label.len() > MAX_LABEL {
                return Err(NameError::LongLabel(text.to_owned()));
            }
            if let Some(character) =
                label.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            {
                return Err(NameError::Character { name: text.to_owned(), character });
            }
            wire.push(label.len() as u8);
            wire.extend(label.bytes().map(|b| b.to_ascii_lowercase()));
        }
        wire.push(0);
        if wire.len() > MAX_NAME {
            return Err(NameError::LongName(text.to_owned()));
        }
        Ok(Self(wire.into()))
    }

    /// Takes a name that is known to be lower-case wire form with its root octet.
    pub(crate) fn from_wire(wire: &[u8]) -> Self {
        debug_assert!(wire.last() == Some(&0) && wire.len() <= MAX_NAME);
        Self(wire.into())
    }

    /// The wire form, the root octet included.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// The wire form without the root octet.
    pub fn labels_wire(&self) -> &[u8] {
        &self.0[..self.0.len() - 1]
    }

    /// The labels from the left, each without its length octet.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        labels(&self.0)
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Name) -> bool {
        suffix_at(&self.0, other).is_some()
    }

    /// Where the suffix `zone` begins in this name's wire form.
    pub fn suffix_at(&self, zone: &Name) -> Option<usize> {
        suffix_at(&self.0, zone)
    }
}

/// Where the suffix `zone` begins in the lower-case wire form `name`, if it is one at a label boundary.
pub(crate) fn suffix_at(name: &[u8], zone: &Name) -> Option<usize> {
    let start = name.len().checked_sub(zone.0.len())?;
    if name[start..] != *zone.0 {
        return None;
    }
    let mut at = 0;
    while at < start {
        at += usize::from(name[at]) + 1;
    }
    (at == start).then_some(start)
}

/// The labels of a wire form, up to its root octet or its end.
pub(crate) fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let (&length, tail) = rest.split_first()?;
        if length == 0 || tail.len() < usize::from(length) {
            return None;
        }
        let (label, after) = tail.split_at(usize::from(length));
        rest = after;
        Some(label)
    })
}

/// Appends one label to a wire form; labels over 63 octets are the caller's error and are refused.
pub(crate) fn push_label(wire: &mut Vec<u8>, label: &str) -> bool {
    if label.is_empty() || label.len() > MAX_LABEL {
        return false;
    }
    wire.push(label.len() as u8);
    wire.extend_from_slice(label.as_bytes());
    true
}

/// Dotted text of a wire form, with RFC 1035 §5.1 escapes and a final dot.
pub fn dotted(wire: &[u8]) -> String {
    let mut text = String::with_capacity(wire.len());
    for label in labels(wire) {
        for &octet in label {
            match octet {
                b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                    text.push('\\');
                    text.push(char::from(octet));
                }
                0x21..=0x7e => text.push(char::from(octet)),
                _ => text.push_str(&format!("\\{octet:03}")),
            }
        }
        text.push('.');
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dotted(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
