//! One use of a plugin in a server block: its arguments and the lines of its block.

use std::sync::Arc;

use super::dispenser::Dispenser;
use super::error::{Error, Place};
use super::lexer::Token;

/// `NAME ARGUMENT... { PROPERTY... }`.
#[derive(Clone, Debug)]
pub(super) struct Stanza {
    pub(super) place: Place,
    pub(super) arguments: Vec<Token>,
    pub(super) properties: Vec<Property>,
}

/// A line of the block.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) arguments: Vec<Token>,
}

impl Stanza {
    /// Every use of a plugin, out of all of its words.
    pub(super) fn all(words: &[Token]) -> Vec<Self> {
        let file: Arc<str> = words.first().map_or_else(|| Arc::from(""), |word| word.place.file.clone());
        let mut at = Dispenser::new(file, words.to_vec());
        let mut found = Vec::new();
        while at.next() {
            let place = at.place();
            let arguments = at.arguments();
            let mut properties = Vec::new();
            while at.next_in_block() {
                let (place, name) = (at.place(), at.text().to_owned());
                properties.push(Property { place, name, arguments: at.arguments() });
            }
            found.push(Self { place, arguments, properties });
        }
        found
    }

    /// The first line of its block that has this name.
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl Property {
    /// The arguments, which must be as many as `expected` says.
    pub(super) fn counted(&self, expected: std::ops::RangeInclusive<usize>) -> Result<&[Token], Error> {
        let count = self.arguments.len();
        if expected.contains(&count) {
            return Ok(&self.arguments);
        }
        let (least, most) = (expected.start(), expected.end());
        let wanted = match (*least, *most) {
            (least, most) if least == most => format!("{least}"),
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        let noun = if wanted == "1" { "argument" } else { "arguments" };
        Err(Error::new(&self.place, format!("`{}` takes {wanted} {noun}, and has {count}", self.name)))
    }
}
