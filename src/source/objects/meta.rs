//! What all API objects have: metadata. And how fields are read: null counts as absent.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::time::unix_seconds;
use crate::model::{Defect, Labels, ObjectName, Stamp, Ttl};

/// Longest label of a name (RFC 1123 §2.1).
const MAX_LABEL: usize = 63;
/// Longest name that Kubernetes gives to an object.
const MAX_SUBDOMAIN: usize = 253;

/// `metadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawMeta {
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) labels: BTreeMap<String, Option<String>>,
    #[serde(deserialize_with = "lenient")]
    pub(super) annotations: BTreeMap<String, Value>,
    pub(super) creation_timestamp: Option<String>,
    pub(super) deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "mappings")]
    managed_fields: Vec<RawManaged>,
}

/// Who wrote some of the fields, and when they last did.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawManaged {
    time: Value,
}

/// What a name may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameRule {
    /// One label (RFC 1123): up to 63 lower-case letters, digits and `-`.
    Label,
    /// Labels with dots between them, up to 253 characters.
    Subdomain,
}

impl RawMeta {
    /// Namespace and name, checked.
    pub(super) fn object_name(&self, rule: NameRule) -> Result<ObjectName, Defect> {
        object_name(self.name.as_deref(), self.namespace.as_deref(), rule)
    }

    /// The value of a label, if it is not empty.
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key)?.as_deref().filter(|value| !value.is_empty())
    }

    /// The value of an annotation; null counts as absent. Only text is one, but anything else must not lose the object.
    pub(super) fn annotation(&self, key: &str) -> Option<&Value> {
        self.annotations.get(key).filter(|value| !value.is_null())
    }

    /// The annotation that asks for a TTL.
    pub(super) fn ttl(&self, defects: &mut Vec<Defect>) -> Option<Ttl> {
        let written = self.annotation(Ttl::ANNOTATION)?;
        let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        let ttl = match text.parse() {
            Ok(seconds) if written.is_string() => Ttl::new(seconds).map_err(|error| error.to_string()),
            // The API server refuses it, so that it would only work here.
            Ok(_) => Err(format!("{text} is a number: annotations are text, so write \"{text}\"")),
            Err(_) => Err(format!("`{text}` is no whole number of seconds from 0 to 3600")),
        };
        let told = |message| Defect::of_field(format!("metadata.annotations[{}]", Ttl::ANNOTATION), message);
        ttl.map_err(|message| defects.push(told(message))).ok()
    }

    /// The labels, with `more` laid over them.
    pub(super) fn into_labels<'m>(self, more: impl IntoIterator<Item = (&'m str, &'m str)>) -> Labels {
        let own = self.labels.into_iter().filter_map(|(key, value)| Some((key, value?)));
        own.chain(more.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()))).collect()
    }

    /// Creation time in Unix seconds; 0 when it is not given or not readable.
    pub(super) fn created(&self, defects: &mut Vec<Defect>) -> i64 {
        let Some(text) = self.creation_timestamp.as_deref() else { return 0 };
        time(text, "metadata.creationTimestamp", defects).unwrap_or_default()
    }

    /// When the API server last wrote it; `None` when that is not known.
    pub(super) fn written(&self, defects: &mut Vec<Defect>) -> Option<Stamp> {
        let mut last = 0;
        for (index, managed) in self.managed_fields.iter().enumerate() {
            let field = format!("metadata.managedFields[{index}].time");
            let written = match &managed.time {
                Value::Null => return None,
                Value::String(text) => time(text, &field, defects),
                // No reason to lose the object.
                other => time(&other.to_string(), &field, defects),
            };
            last = last.max(written?);
        }
        Stamp::new(last)
    }
}

fn time(text: &str, field: &str, defects: &mut Vec<Defect>) -> Option<i64> {
    let seconds = unix_seconds(text);
    if seconds.is_none() {
        let message = format!("`{text}` is not a time such as 2026-01-31T12:00:00Z");
        defects.push(Defect::of_field(field, message));
    }
    seconds
}

/// One of `status.conditions`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawCondition {
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<String>,
}

/// Whether the condition of that type is true.
pub(super) fn is_true(conditions: &[RawCondition], kind: &str) -> bool {
    let found = conditions.iter().find(|condition| condition.kind.as_deref() == Some(kind));
    found.and_then(|condition| condition.status.as_deref()).is_some_and(|s| s.eq_ignore_ascii_case("true"))
}

/// Checks a namespace and a name; no namespace means `default`.
pub(super) fn object_name(
    name: Option<&str>,
    namespace: Option<&str>,
    rule: NameRule,
) -> Result<ObjectName, Defect> {
    let name = match name {
        None | Some("") => return Err(Defect::of_field("metadata.name", "is missing")),
        Some(name) => name,
    };
    if !is_label(name) && (rule == NameRule::Label || !is_subdomain(name)) {
        let wanted = match rule {
            NameRule::Label => "up to 63 lower-case letters, digits and `-`, a letter or digit at both ends",
            NameRule::Subdomain => {
                "up to 253 lower-case letters, digits, `-` and `.`, a letter or digit at both ends of each part"
            }
        };
        return Err(Defect::of_field("metadata.name", format!("`{name}` is not an object name: {wanted}")));
    }
    let namespace = match namespace {
        None | Some("") => "default",
        Some(namespace) if is_label(namespace) => namespace,
        Some(other) => {
            let message = format!(
                "`{other}` is not a namespace: up to 63 lower-case letters, digits and `-`, a letter or digit at both ends"
            );
            return Err(Defect::of_field("metadata.namespace", message));
        }
    };
    Ok(ObjectName::new(namespace, name))
}

/// Whether a text is one label of an object name.
fn is_label(text: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    match text.as_bytes() {
        [] => false,
        octets => {
            octets.len() <= MAX_LABEL
                && octets.iter().all(|&octet| plain(octet) || octet == b'-')
                && plain(octets[0])
                && plain(octets[octets.len() - 1])
        }
    }
}

/// Whether a text is an object name with dots. Its parts may be longer than a DNS label.
fn is_subdomain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MAX_SUBDOMAIN
        && text.split('.').all(|part| {
            part.starts_with(plain) && part.ends_with(plain) && part.chars().all(|c| plain(c) || c == '-')
        })
}

/// Whether a text can be a label of a DNS name; letter case does not matter there.
pub(super) fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_LABEL
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

/// Reads a list or a map of texts, where null counts as empty.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a mapping, where null counts as empty.
pub(super) fn mapping<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Mapping::deserialize(deserializer).map(|Mapping(value)| value)
}

/// Reads a mapping that may be left out.
pub(super) fn optional_mapping<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value: Option<Mapping<T>> = Option::deserialize(deserializer)?;
    Ok(value.map(|Mapping(value)| value))
}

/// Reads a list of mappings, where null counts as empty.
pub(super) fn mappings<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list: Vec<Mapping<T>> = lenient(deserializer)?;
    Ok(list.into_iter().map(|Mapping(value)| value).collect())
}

/// A struct that is written as a mapping and nothing else: derived code alone would take a list of its fields too.
struct Mapping<T>(T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Mapping<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MappingVisitor(PhantomData)).map(Mapping)
    }
}

struct MappingVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for MappingVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
