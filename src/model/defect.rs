//! What was wrong with an object, said so that its author can find it.

use std::fmt;

use super::Key;

/// One part of one object that could not be used. The rest of the object is used all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// Where the object was read: `file:line`, or empty when it came over an API.
    pub place: String,
    /// The object, when so much could be read.
    pub object: Option<Key>,
    /// The field, as a path such as `spec.ports[0].port`; empty for the object as a whole.
    pub field: String,
    /// What is wrong with it, with the offending value.
    pub message: String,
}

impl Defect {
    /// A defect of one field; the caller that knows the object and its place adds them.
    pub fn of_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: String::new(), object: None, field: field.into(), message: message.into() }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}
