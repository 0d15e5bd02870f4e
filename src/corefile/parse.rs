//! Tokens to server blocks, with imports, snippets and variables put in, as caddy's `caddyfile/parse.go` does it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dispenser::Dispenser;
use super::error::{Error, Place};
use super::lexer::{Token, tokens};
use super::order::position;
use super::variables::replaced;
use super::world::World;

/// Imports beyond this go in a circle (CoreDNS stops at as many snippets, and at ten times as many files).
const MOST_IMPORTS: usize = 10_000;
/// Imports that import each other twice grow without end: no Corefile has as many words.
const MOST_TOKENS: usize = 100_000;

/// A server block: its keys, and the words of its plugins.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) keys: Vec<Token>,
    /// By plugin, in the order of the file. A plugin that is named twice has the words of both.
    pub(super) plugins: Vec<(String, Vec<Token>)>,
    /// Where its last line is.
    pub(super) end: Place,
}

/// A text, taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Parsed {
    /// All server blocks.
    pub(super) blocks: Vec<Block>,
    /// Patterns of files with further ones that are imported.
    pub(super) patterns: Vec<String>,
}

/// Takes a text apart that is called `file`.
pub(super) fn parsed(file: &Arc<str>, text: &str, world: &dyn World) -> Result<Parsed, Error> {
    let mut parser = Parser {
        at: Dispenser::new(file.clone(), tokens(file, text)),
        world,
        snippets: BTreeMap::new(),
        imports: 0,
        patterns: Vec::new(),
    };
    let mut blocks = Vec::new();
    while parser.at.next() {
        blocks.extend(parser.block()?.filter(|block| !block.keys.is_empty()));
    }
    Ok(Parsed { blocks, patterns: parser.patterns })
}

struct Parser<'w> {
    at: Dispenser,
    world: &'w dyn World,
    snippets: BTreeMap<String, Vec<Token>>,
    imports: usize,
    /// Of files that are imported between server blocks.
    patterns: Vec<String>,
}

impl Parser<'_> {
    /// One server block; `None` for a snippet, which is remembered.
    fn block(&mut self) -> Result<Option<Block>, Error> {
        let (keys, at_end) = self.keys()?;
        let end = self.at.place();
        let mut block = Block { keys, plugins: Vec::new(), end };
        if at_end {
            return Ok(Some(block));
        }
        if let [key] = &block.keys[..]
            && let Some(name) = key.text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
        {
            self.snippet(name.to_owned())?;
            return Ok(None);
        }
        let braced = self.at.text() == "{";
        if !braced {
            // A file of a single server may do without braces.
            self.at.read -= 1;
        }
        self.plugins(&mut block)?;
        if braced && self.at.text() != "}" {
            return Err(self.unexpected("}"));
        }
        block.end = self.at.place();
        Ok(Some(block))
    }

    /// What stands before the opening brace, and whether nothing follows at all.
    fn keys(&mut self) -> Result<(Vec<Token>, bool), Error> {
        let mut keys = Vec::new();
        let mut another = false;
        loop {
            let mut text = replaced(self.at.text(), self.world);
            if text == "import" && self.at.is_new_line() {
                let name = self.import()?;
                if keys.is_empty() && name.contains('*') && !self.patterns.contains(&name) {
                    self.patterns.push(name);
                }
                continue;
            }
            if text == "{" {
                if another {
                    return Err(self.at.error("another key is expected behind the comma, and `{` is there"));
                }
                return Ok((keys, false));
            }
            if !text.is_empty() {
                another = text.ends_with(',');
                text.truncate(text.len() - usize::from(another));
                keys.push(Token { place: self.at.place(), text });
            }
            if !self.at.next() {
                if another {
                    return Err(self.at.error("another key is expected behind the comma, and the file ends"));
                }
                return Ok((keys, true));
            }
            if !another && self.at.is_new_line() {
                return Ok((keys, false));
            }
        }
    }

    /// Remembers a snippet.
    fn snippet(&mut self, name: String) -> Result<(), Error> {
        if self.snippets.contains_key(&name) {
            return Err(self.at.error(format!("the snippet ({name}) is declared a second time")));
        }
        if self.at.text() != "{" {
            return Err(self.unexpected("{"));
        }
        let (mut open, mut body) = (1, Vec::<Token>::new());
        while self.at.next() {
            match self.at.text() {
                "}" => open -= 1,
                "{" => open += 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
            body.extend(self.at.token().cloned());
        }
        if open != 0 {
            return Err(self.unexpected("}"));
        }
        for (index, pair) in body.windows(2).enumerate() {
            let first = index == 0
                || body[index - 1].place.file != pair[0].place.file
                || body[index - 1].place.line != pair[0].place.line;
            if first && pair[0].text == "import" && replaced(&pair[1].text, self.world) == name {
                return Err(self.at.error(format!("the snippet ({name}) imports itself")));
            }
        }
        self.snippets.insert(name, body);
        Ok(())
    }

    /// All lines up to the closing brace or the end.
    fn plugins(&mut self, block: &mut Block) -> Result<(), Error> {
        while self.at.next() {
            match self.at.text() {
                "}" => break,
                "import" => {
                    self.import()?;
                    self.at.read -= 1;
                }
                _ => self.plugin(block)?,
            }
        }
        Ok(())
    }

    /// One plugin, to the end of its line or of its block.
    fn plugin(&mut self, block: &mut Block) -> Result<(), Error> {
        let name = replaced(self.at.text(), self.world);
        if position(&name).is_none() {
            return Err(self.at.error(format!("`{name}` is no plugin of CoreDNS 1.14.7")));
        }
        let mut words: Vec<Token> = self.at.token().cloned().into_iter().collect();
        let mut nesting = 0usize;
        while self.at.next() {
            match self.at.text() {
                "{" => nesting += 1,
                _ if nesting == 0 && self.at.is_new_line() => {
                    self.at.read -= 1;
                    break;
                }
                "}" if nesting > 0 => nesting -= 1,
                "}" => return Err(self.at.error("`}` closes nothing that was opened")),
                "import" if self.at.is_new_line() => {
                    self.import()?;
                    self.at.read -= 1;
                    continue;
                }
                _ => {}
            }
            let text = replaced(self.at.text(), self.world);
            // A value with line breaks moves what is the same line, as it does in CoreDNS.
            if let Some(token) = self.at.tokens.get_mut(self.at.read - 1) {
                token.text = text;
                words.push(token.clone());
            }
        }
        if nesting > 0 {
            return Err(self.at.error(format!("the block of `{name}` is not closed before the file ends")));
        }
        match block.plugins.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend(words),
            None => block.plugins.push((name, words)),
        }
        Ok(())
    }

    /// Puts the words of a snippet, or of files, in the place of `import NAME`, and looks at the first of them. Returns the name.
    fn import(&mut self) -> Result<String, Error> {
        let begin = self.at.read - 1;
        if !self.at.next_argument() {
            return Err(self.at.error("`import` names no snippet, file or pattern"));
        }
        let name = replaced(self.at.text(), self.world);
        if name.is_empty() {
            return Err(self.at.error("`import` has an empty name"));
        }
        if self.at.next_argument() {
            return Err(self.at.error("`import` takes one snippet, file or pattern"));
        }
        self.imports += 1;
        if self.imports > MOST_IMPORTS {
            return Err(self.at.error(format!("`import {name}`: imports go in a circle")));
        }
        let words = match self.snippets.get(&name) {
            Some(words) => words.clone(),
            None => self.files(&name)?,
        };
        if self.at.tokens.len() + words.len() > MOST_TOKENS {
            return Err(self.at.error(format!("`import {name}`: the Corefile grows without end")));
        }
        self.at.tokens.splice(begin..begin + 2, words);
        self.at.read = begin + 1;
        Ok(name)
    }

    /// The words of all files that a pattern stands for.
    fn files(&self, pattern: &str) -> Result<Vec<Token>, Error> {
        let several = |letter| pattern.matches(letter).count() > 1;
        if several('*') || several('?') || (pattern.contains('[') && pattern.contains(']')) {
            return Err(self.at.error(format!("`import {pattern}`: a pattern has one `*` at most")));
        }
        let place = self.at.place();
        let unusable = |error: String| self.at.error(format!("`import {pattern}`: {error}"));
        let found = self.world.matching(&place.file, pattern).map_err(unusable)?;
        if found.is_empty() && !pattern.contains(['*', '?', '[', ']']) {
            return Err(self.at.error(format!("`import {pattern}`: there is no such file or snippet")));
        }
        let mut words = Vec::new();
        for path in found {
            let text = self.world.text(&path).map_err(unusable)?;
            words.extend(tokens(&Arc::from(path.as_str()), &text));
        }
        Ok(words)
    }

    fn unexpected(&self, expected: &str) -> Error {
        self.at.error(format!("`{expected}` is expected, and `{}` is there", self.at.text()))
    }
}
