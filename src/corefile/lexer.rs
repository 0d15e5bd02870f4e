//! Text to tokens, as caddy's `caddyfile/lexer.go` does it.

use std::sync::Arc;

use super::error::Place;

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) place: Place,
    pub(super) text: String,
}

impl Token {
    /// The line on which it ends: only a quoted word goes over several.
    pub(super) fn last_line(&self) -> u32 {
        self.place.line + self.text.matches('\n').count() as u32
    }
}

/// All words of a text.
///
/// White space ends a word. A word that begins with `"` goes to the next one, which may be written `\"` inside. A `#` begins a
/// comment wherever it stands, but one behind a word without a blank between ends with the word, at the next blank: so do
/// CoreDNS's.
pub(super) fn tokens(file: &Arc<str>, text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut letters = text.strip_prefix('\u{feff}').unwrap_or(text).chars();
    let mut line = 1;
    while let Some(token) = next(file, &mut letters, &mut line) {
        found.push(token);
    }
    found
}

fn next(file: &Arc<str>, letters: &mut impl Iterator<Item = char>, line: &mut u32) -> Option<Token> {
    let mut text = String::new();
    let mut begin = *line;
    let mut comment = false;
    let token = |text: String, line: u32| Some(Token { place: Place { file: file.clone(), line }, text });
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            if letter == '\r' {
                continue;
            }
            if letter == '\n' {
                *line += 1;
                comment = false;
            }
            if !text.is_empty() {
                return token(text, begin);
            }
            continue;
        }
        comment |= letter == '#';
        if comment {
            continue;
        }
        if text.is_empty() {
            begin = *line;
            if letter == '"' {
                let (text, closed) = quoted(letters, line);
                return if closed || !text.is_empty() { token(text, begin) } else { None };
            }
        }
        text.push(letter);
    }
    if text.is_empty() { None } else { token(text, begin) }
}

/// What stands up to the closing quote, and whether there is one.
fn quoted(letters: &mut impl Iterator<Item = char>, line: &mut u32) -> (String, bool) {
    let mut text = String::new();
    let mut escaped = false;
    for letter in letters {
        match letter {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '"' if !escaped => return (text, true),
            '\n' => *line += 1,
            _ => {}
        }
        if escaped && letter != '"' {
            text.push('\\');
        }
        text.push(letter);
        escaped = false;
    }
    (text, false)
}
