//! The tree of one document.

use serde_json::{Map, Number};

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Line in the file, from 1. A value that an alias stands for is at the alias.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What was written.
    pub value: Value,
}

/// A value of the YAML core schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number: decimal, `0o` octal or `0x` hexadecimal. Larger ones are floats.
    Int(i64),
    /// Any other number, also `.inf` and `.nan`.
    Float(f64),
    /// Quoted or block text, and plain text that is none of the above.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values in the order written, each key once; merged entries stand last.
    Mapping(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Line of the key, from 1.
    pub line: u32,
    /// Column of the key in characters, from 1.
    pub column: u32,
    /// The key; numbers and booleans as they were written.
    pub key: String,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a mapping; none for any other value.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What YAML 1.1 readers take for a boolean: text such as `yes` or `off`. Readers of booleans can then say
    /// what to write instead.
    pub fn old_boolean(&self) -> Option<bool> {
        match self.as_str()?.to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" => Some(true),
            "n" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The same value as JSON. Numbers that JSON does not know become text, so that no reader takes them for absent.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::Number((*value).into()),
            Value::Float(value) => match Number::from_f64(*value) {
                Some(number) => Json::Number(number),
                None if value.is_nan() => Json::String(".nan".to_owned()),
                None => Json::String(if *value > 0.0 { ".inf" } else { "-.inf" }.to_owned()),
            },
            Value::String(text) => Json::String(text.clone()),
            Value::Sequence(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Mapping(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Json::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }
}

impl Value {
    /// What kind of value this is, as a word for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::String(_) => "text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}
