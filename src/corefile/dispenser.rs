//! A walk over tokens that knows about lines, as caddy's `caddyfile/dispenser.go` does it.

use std::sync::Arc;

use super::error::{Error, Place};
use super::lexer::Token;

/// Tokens, and how far they are read.
#[derive(Clone, Debug)]
pub(super) struct Dispenser {
    /// What the tokens are from, where none has been read.
    file: Arc<str>,
    pub(super) tokens: Vec<Token>,
    /// Index of the token that is looked at, plus one; 0 before the first.
    pub(super) read: usize,
    nesting: usize,
}

impl Dispenser {
    pub(super) fn new(file: Arc<str>, tokens: Vec<Token>) -> Self {
        Self { file, tokens, read: 0, nesting: 0 }
    }

    /// The token that is looked at.
    pub(super) fn token(&self) -> Option<&Token> {
        self.tokens.get(self.read.checked_sub(1)?)
    }

    /// Its text; nothing before the first and behind the last.
    pub(super) fn text(&self) -> &str {
        self.token().map_or("", |token| &token.text)
    }

    /// Its place.
    pub(super) fn place(&self) -> Place {
        self.token().map_or_else(|| Place { file: self.file.clone(), line: 0 }, |token| token.place.clone())
    }

    /// Goes to the next token.
    pub(super) fn next(&mut self) -> bool {
        let more = self.read < self.tokens.len();
        self.read += usize::from(more);
        more
    }

    /// Goes to the next token if it is on the same line.
    pub(super) fn next_argument(&mut self) -> bool {
        let same = match (self.token(), self.tokens.get(self.read)) {
            (Some(now), Some(next)) => {
                now.place.file == next.place.file && now.last_line() == next.place.line
            }
            (None, next) => self.read == 0 && next.is_some(),
            _ => false,
        };
        self.read += usize::from(same);
        same
    }

    /// Whether the token that is looked at is the first of its line.
    pub(super) fn is_new_line(&self) -> bool {
        let Some(at) = self.read.checked_sub(2) else { return true };
        match (self.tokens.get(at), self.token()) {
            (Some(before), Some(now)) => {
                before.place.file != now.place.file || before.last_line() < now.place.line
            }
            _ => false,
        }
    }

    /// The rest of the line, up to an opening brace.
    pub(super) fn arguments(&mut self) -> Vec<Token> {
        let mut found = Vec::new();
        while self.next_argument() {
            if self.text() == "{" {
                self.read -= 1;
                break;
            }
            found.extend(self.token().cloned());
        }
        found
    }

    /// Goes to the next token of the block that opens on this line; false behind its end, or if there is none.
    pub(super) fn next_in_block(&mut self) -> bool {
        if self.nesting > 0 {
            if !self.next() {
                return false;
            }
            if self.text() == "}" {
                self.nesting -= 1;
                return false;
            }
            return true;
        }
        if !self.next_argument() {
            return false;
        }
        if self.text() != "{" {
            self.read -= 1;
            return false;
        }
        if !self.next() || self.text() == "}" {
            return false;
        }
        self.nesting += 1;
        true
    }

    /// An error at the token that is looked at.
    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        Error::new(&self.place(), message)
    }
}
