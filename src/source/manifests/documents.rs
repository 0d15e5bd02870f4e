//! From the text of one file to objects, each with its place.
//!
//! A file of YAML may hold several documents, and a mistake in one of them leaves the others readable. Lists
//! (`kind: List`, `ServiceList` and their like) stand for their items, which need not repeat the kind that such a
//! list implies. Documents without content count for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::{Defect, Key, Object};
use crate::source::objects::{self, ApiKind, Origin, Recognised, recognise};
use crate::yaml::{self, Document, Entry, Node, Value, YamlError};

/// Longest message in characters: the offending value is in it, and that may be of any length.
const MAX_MESSAGE: usize = 500;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Its objects, in order.
    pub(super) given: Vec<Given>,
    /// Objects that it has, but that cannot be used.
    pub(super) refused: BTreeSet<Key>,
    /// Whether there is a part of it that may hold any object, because it cannot be read.
    pub(super) obscure: bool,
    /// How many objects of kinds that we do not read, by `apiVersion/kind`.
    pub(super) skipped: BTreeMap<String, u64>,
    /// What is wrong, in the order of lines.
    pub(super) defects: Vec<(u32, Defect)>,
}

/// One API object of a file.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// What it goes by: two objects with one key exclude each other.
    pub(super) key: Key,
    /// What it stands for.
    pub(super) objects: Vec<Object>,
    /// Where it begins.
    pub(super) place: Place,
}

/// A place within a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The line, from 1.
    pub(super) line: u32,
    /// The document, from 1, in a file with several.
    document: Option<usize>,
}

impl Place {
    /// With its file in front.
    pub(super) fn of(self, file: impl fmt::Display) -> String {
        match self.document {
            None => format!("{file}:{}", self.line),
            Some(document) => format!("{file}:{} (document {document})", self.line),
        }
    }
}

impl Contents {
    /// A file of which nothing can be read.
    pub(super) fn unreadable(file: &str, message: &str) -> Self {
        let defect = Defect { place: file.to_owned(), ..Defect::of_field("", message) };
        Self { obscure: true, defects: vec![(0, defect)], ..Self::default() }
    }

    /// Reads the bytes of the file that defects call `file`; one that ends in `.json` is one document.
    pub(super) fn read(file: &str, bytes: &[u8]) -> Self {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let good = &bytes[..error.valid_up_to()];
                let line = good.iter().filter(|&&octet| octet == b'\n').count() + 1;
                let mut contents = Self::unreadable(file, "the text is not UTF-8");
                contents.defects[0].1.place = format!("{file}:{line}");
                return contents;
            }
        };
        let mut reader = Reader { file, document: None, contents: Self::default() };
        if file.ends_with(".json") {
            let text = text.trim_start_matches('\u{feff}');
            reader.document(json(text));
        } else {
            let mut documents = yaml::documents(text).enumerate().peekable();
            while let Some((index, document)) = documents.next() {
                let several = index > 0 || documents.peek().is_some();
                reader.document = several.then_some(index + 1);
                reader.document(document.parse());
            }
        }
        reader.contents.defects.sort_by_key(|(line, _)| *line);
        reader.contents
    }
}

/// Reads JSON as the YAML that it is, for the places; what only JSON allows is read without them.
fn json(text: &str) -> Result<Node, YamlError> {
    Document { line: 1, text }.parse().or_else(|_| match serde_json::from_str(text) {
        Ok(value) => Ok(unlocated(value)),
        Err(error) => Err(YamlError {
            line: u32::try_from(error.line()).unwrap_or(u32::MAX),
            column: u32::try_from(error.column()).unwrap_or(u32::MAX),
            message: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        }),
    })
}

/// A tree whose parts are all on line 1.
fn unlocated(json: serde_json::Value) -> Node {
    use serde_json::Value as Json;
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Sequence(items.into_iter().map(unlocated).collect()),
        Json::Object(fields) => {
            let entry = |(key, value)| Entry { line: 1, column: 1, key, value: unlocated(value) };
            Value::Mapping(fields.into_iter().map(entry).collect())
        }
    };
    Node { line: 1, column: 1, value }
}

struct Reader<'f> {
    file: &'f str,
    document: Option<usize>,
    contents: Contents,
}

/// The kind that a list implies for its items.
#[derive(Clone, Copy)]
struct Implied<'n> {
    api_version: &'n str,
    kind: &'n str,
}

impl Reader<'_> {
    fn document(&mut self, tree: Result<Node, YamlError>) {
        match tree {
            Ok(root) if root.value == Value::Null => {}
            Ok(root) => self.object(&root, "", None),
            Err(error) => {
                self.contents.obscure = true;
                let message = format!("{} (column {})", error.message, error.column);
                self.defect(error.line, Defect::of_field("", message));
            }
        }
    }

    /// Takes in the object or list `node`, which is at `path` of its document.
    fn object(&mut self, node: &Node, path: &str, implied: Option<Implied<'_>>) {
        if !matches!(node.value, Value::Mapping(_)) {
            let message =
                format!("an object with apiVersion and kind is expected, not {}", node.value.kind());
            return self.obscure(node.line, path, message);
        }
        let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|text| !text.is_empty());
        let Some(kind) = text("kind").or(implied.map(|implied| implied.kind)) else {
            return self.obscure(node.locate("kind").0, "kind", "is missing");
        };
        let Some(api_version) = text("apiVersion").or(implied.map(|implied| implied.api_version)) else {
            return self.obscure(node.locate("apiVersion").0, "apiVersion", "is missing");
        };
        match (recognise(api_version, kind), node.get("items").map(|items| &items.value)) {
            (Recognised::Known(kind), _) => self.known(kind, node),
            (Recognised::OtherVersion(kind), _) => {
                let versions = kind.versions().join(", ");
                let message =
                    format!("`{api_version}` is not a version of {} that is read: {versions}", kind.as_str());
                let object = objects::key(kind, &node.to_json());
                self.contents.refused.extend(object.clone());
                let defect = Defect { object, ..Defect::of_field("apiVersion", message) };
                self.defect(node.locate("apiVersion").0, defect);
            }
            (Recognised::Foreign, Some(Value::Sequence(items))) if kind.ends_with("List") => {
                let implied = match kind {
                    "List" => None,
                    _ => Some(Implied { api_version, kind: &kind[..kind.len() - "List".len()] }),
                };
                for (index, item) in items.iter().enumerate() {
                    self.object(item, &format!("{path}.items[{index}]"), implied);
                }
            }
            (Recognised::Foreign, items) if api_version == "v1" && kind == "List" => {
                if !matches!(items, None | Some(Value::Null)) {
                    self.obscure(node.locate("items").0, "items", "a list is expected");
                }
            }
            (Recognised::Foreign, _) => {
                *self.contents.skipped.entry(format!("{api_version}/{kind}")).or_default() += 1;
            }
        }
    }

    /// Takes in an object of a kind that is read.
    fn known(&mut self, kind: ApiKind, node: &Node) {
        let reading = objects::read(kind, node.to_json(), Origin::Manifest);
        for defect in reading.defects {
            self.defect(node.locate(&defect.field).0, defect);
        }
        let place = Place { line: node.line, document: self.document };
        match (reading.objects, reading.key) {
            (Some(objects), Some(key)) => self.contents.given.push(Given { key, objects, place }),
            (_, key) => self.contents.refused.extend(key),
        }
    }

    /// Reports a part that may be any object.
    fn obscure(&mut self, line: u32, field: &str, message: impl Into<String>) {
        self.contents.obscure = true;
        self.defect(line, Defect::of_field(field.trim_start_matches('.'), message));
    }

    fn defect(&mut self, line: u32, mut defect: Defect) {
        defect.place = Place { line, document: self.document }.of(self.file);
        if let Some((end, _)) = defect.message.char_indices().nth(MAX_MESSAGE) {
            defect.message.truncate(end);
            defect.message.push('…');
        }
        self.contents.defects.push((line, defect));
    }
}
