//! Which objects count, told by their labels.
//!
//! Rules: the text form of Kubernetes label selectors (kubernetes.io/docs/concepts/overview/working-with-objects/labels):
//! `a=b`, `a==b`, `a!=b`, `a in (x, y)`, `a notin (x)`, `a`, `!a`, joined by commas that all must hold. An object
//! without the label satisfies `!=` and `notin`. Empty text selects everything. The numeric `<` and `>` are left
//! out, as label selectors of Kubernetes objects have none.

use std::collections::BTreeSet;
use std::fmt;

use token::{Token, Tokens};

mod token;

/// Longest name part of a key, and longest value.
const MAX_PART: usize = 63;
/// Longest prefix of a key.
const MAX_PREFIX: usize = 253;

/// Requirements on labels, all of which must hold; none at all select every object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

/// What one label must be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    Absent,
}

/// Why a text is not a label selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelSelectorError {
    /// Something stands where another thing must.
    #[error("found {found} where {expected} is expected")]
    Syntax {
        /// What stands there.
        found: String,
        /// What the grammar allows there.
        expected: &'static str,
    },
    /// No label can have this key.
    #[error(
        "`{0}` is not a label key: letters, digits, `-`, `_` and `.`, with a domain and `/` in front if wanted"
    )]
    Key(String),
    /// No label can have this value.
    #[error(
        "`{0}` is not a label value: up to 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends"
    )]
    Value(String),
}

impl LabelSelector {
    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, LabelSelectorError> {
        let mut tokens = Tokens { rest: text };
        let mut requirements = Vec::new();
        if tokens.peek() == Token::End {
            return Ok(Self(requirements));
        }
        loop {
            requirements.push(requirement(&mut tokens)?);
            match tokens.next() {
                Token::End => return Ok(Self(requirements)),
                Token::Symbol(",") => {}
                other => return Err(other.instead_of("`,` or the end")),
            }
        }
    }

    /// Whether an object satisfies it; `labels` looks up the object's value of a key.
    pub fn matches<'l>(&self, labels: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels(&requirement.key);
            match &requirement.test {
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
            }
        })
    }

    /// Whether it selects every object.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Requirement { key, test }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let list = |values: &BTreeSet<String>| match values.iter().cloned().collect::<Vec<_>>().join(",")
            {
                // A set of nothing but the empty value.
                empty if empty.is_empty() => ",".to_owned(),
                full => full,
            };
            match test {
                Test::In(values) => write!(f, "{key} in ({})", list(values))?,
                Test::NotIn(values) => write!(f, "{key} notin ({})", list(values))?,
                Test::Exists => f.write_str(key)?,
                Test::Absent => write!(f, "!{key}")?,
            }
        }
        Ok(())
    }
}

fn requirement(tokens: &mut Tokens<'_>) -> Result<Requirement, LabelSelectorError> {
    let absent = tokens.peek() == Token::Symbol("!");
    if absent {
        tokens.next();
    }
    let key = match tokens.next() {
        Token::Word(word) => key(word)?,
        other => return Err(other.instead_of("a label key")),
    };
    if absent {
        return Ok(Requirement { key, test: Test::Absent });
    }
    let test = match tokens.peek() {
        Token::End | Token::Symbol(",") => return Ok(Requirement { key, test: Test::Exists }),
        operator => {
            tokens.next();
            match operator {
                Token::Symbol("=" | "==") => Test::In(exact(tokens)?),
                Token::Symbol("!=") => Test::NotIn(exact(tokens)?),
                Token::Word("in") => Test::In(set(tokens)?),
                Token::Word("notin") => Test::NotIn(set(tokens)?),
                other => return Err(other.instead_of("`=`, `==`, `!=`, `in` or `notin`")),
            }
        }
    };
    Ok(Requirement { key, test })
}

/// The value behind an equality; nothing there means the empty value.
fn exact(tokens: &mut Tokens<'_>) -> Result<BTreeSet<String>, LabelSelectorError> {
    match tokens.peek() {
        Token::End | Token::Symbol(",") => Ok(BTreeSet::from([String::new()])),
        Token::Word(word) => {
            tokens.next();
            Ok(BTreeSet::from([value(word)?]))
        }
        other => Err(other.instead_of("a label value")),
    }
}

/// `(x, y)`; nothing between two commas means the empty value, but the set has to have something in it.
fn set(tokens: &mut Tokens<'_>) -> Result<BTreeSet<String>, LabelSelectorError> {
    match tokens.next() {
        Token::Symbol("(") => {}
        other => return Err(other.instead_of("`(`")),
    }
    if tokens.peek() == Token::Symbol(")") {
        return Err(tokens.next().instead_of("a label value"));
    }
    let mut values = BTreeSet::new();
    loop {
        if let Token::Word(word) = tokens.peek() {
            tokens.next();
            values.insert(value(word)?);
        } else {
            values.insert(String::new());
        }
        match tokens.next() {
            Token::Symbol(",") => {}
            Token::Symbol(")") => return Ok(values),
            other => return Err(other.instead_of("`,` or `)`")),
        }
    }
}

fn key(word: &str) -> Result<String, LabelSelectorError> {
    let (prefix, name) = match word.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, word),
    };
    if prefix.is_none_or(is_domain) && !name.is_empty() && is_part(name) {
        Ok(word.to_owned())
    } else {
        Err(LabelSelectorError::Key(word.to_owned()))
    }
}

fn value(word: &str) -> Result<String, LabelSelectorError> {
    if is_part(word) { Ok(word.to_owned()) } else { Err(LabelSelectorError::Value(word.to_owned())) }
}

/// The name part of a key, or a value.
fn is_part(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.len() <= MAX_PART
        && text.chars().all(|c| ends(c) || matches!(c, '-' | '_' | '.'))
        && text.chars().next().is_none_or(ends)
        && text.chars().next_back().is_none_or(ends)
}

fn is_domain(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MAX_PREFIX
        && text.split('.').all(|label| {
            label.starts_with(letter)
                && label.ends_with(letter)
                && label.chars().all(|c| letter(c) || c == '-')
        })
}

#[cfg(test)]
mod tests;
