//! The words and signs of a label selector. Blanks part words and mean nothing else.

use super::LabelSelectorError;

/// One word or sign of a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Symbol(&'a str),
    End,
}

impl Token<'_> {
    pub(super) fn instead_of(self, expected: &'static str) -> LabelSelectorError {
        let found = match self {
            Self::Word(text) | Self::Symbol(text) => format!("`{text}`"),
            Self::End => "the end".to_owned(),
        };
        LabelSelectorError::Syntax { found, expected }
    }
}

/// The text that is still to be read.
pub(super) struct Tokens<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn peek(&self) -> Token<'a> {
        Tokens { rest: self.rest }.next()
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
        let special = |c: char| matches!(c, '=' | '!' | '(' | ')' | ',' | '<' | '>');
        let text = self.rest.trim_start_matches(blank);
        let length = match text.chars().next() {
            None => 0,
            Some(_) if text.starts_with("==") || text.starts_with("!=") => 2,
            Some(c) if special(c) => 1,
            Some(_) => text.find(|c| blank(c) || special(c)).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(length);
        self.rest = rest;
        if token.is_empty() {
            Token::End
        } else if token.starts_with(special) {
            Token::Symbol(token)
        } else {
            Token::Word(token)
        }
    }
}
