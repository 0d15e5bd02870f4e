//! Kubernetes and Istio API objects as they are written, turned into ours.
//!
//! Each kind has its `Raw…` struct with nothing but the fields that DNS uses, and a pure `convert`. What is usable
//! is kept and what is not is reported with its field path: a bad address, host or port loses neither its siblings
//! nor its object. Null means the same as absent, and unknown fields are ignored. A value of the wrong type refuses
//! the whole object, as the API server would.

pub mod endpoint_slice;
pub mod endpoints;
mod kind;
mod meta;
pub mod namespace;
pub mod pod;
mod port;
pub mod service;
pub mod service_entry;
pub mod service_import;
mod time;
pub mod workload_entry;

pub use kind::{ApiKind, Recognised, recognise};
pub use meta::RawMeta;
pub use port::RawPort;
pub use time::system_time;

use std::net::IpAddr;

use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Defect, Key, Object};

/// Who wrote an object, and so what it means when a field is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file: no API server has filled in what it would assign.
    Manifest,
    /// The API server.
    ApiServer,
}

/// What became of one API object.
#[derive(Debug)]
pub struct Reading {
    /// What it is called, also when it was refused, if so much could be read. An Endpoints object goes by the key
    /// of its first slice.
    pub key: Option<Key>,
    /// What it stands for, usually one object; `None` when it was refused.
    pub objects: Option<Vec<Object>>,
    /// What could not be used, with `key` filled in and without a place.
    pub defects: Vec<Defect>,
}

/// Reads one object of a known kind.
pub fn read(kind: ApiKind, json: Value, origin: Origin) -> Reading {
    let key = key(kind, &json);
    reading(key, decode(kind, json, origin))
}

/// The same for JSON as text. What nobody uses of it costs little.
pub fn read_text(kind: ApiKind, json: &str, origin: Origin) -> Reading {
    let (objects, defects) = decode(kind, &mut serde_json::Deserializer::from_str(json), origin);
    let key = match objects.as_deref() {
        Some([object, ..]) => Some(object.key()),
        _ => key_of_text(kind, json),
    };
    reading(key, (objects, defects))
}

/// The key of an object that need not decode otherwise, if its name can be read.
pub fn key_of_text(kind: ApiKind, json: &str) -> Option<Key> {
    key(kind, &serde_json::from_str(json).ok()?)
}

fn reading(key: Option<Key>, (objects, mut defects): (Option<Vec<Object>>, Vec<Defect>)) -> Reading {
    for defect in &mut defects {
        defect.object.clone_from(&key);
    }
    Reading { key, objects, defects }
}

fn decode<'de, D: Deserializer<'de>>(
    kind: ApiKind,
    json: D,
    origin: Origin,
) -> (Option<Vec<Object>>, Vec<Defect>) {
    let one = |object: Object| vec![object];
    match kind {
        ApiKind::Namespace => convert(json, namespace::convert, |o| one(Object::Namespace(o))),
        ApiKind::Service => convert(json, |raw| service::convert(raw, origin), |o| one(Object::Service(o))),
        ApiKind::Pod => convert(json, pod::convert, |o| one(Object::Pod(o))),
        ApiKind::Endpoints => convert(json, endpoints::convert, |slices| {
            slices.into_iter().map(Object::EndpointSlice).collect()
        }),
        ApiKind::EndpointSlice => convert(json, endpoint_slice::convert, |o| one(Object::EndpointSlice(o))),
        ApiKind::ServiceImport => convert(json, service_import::convert, |o| one(Object::ServiceImport(o))),
        ApiKind::ServiceEntry => convert(json, service_entry::convert, |o| one(Object::ServiceEntry(o))),
        ApiKind::WorkloadEntry => convert(json, workload_entry::convert, |o| one(Object::WorkloadEntry(o))),
    }
}

/// Decodes, converts and wraps.
fn convert<'de, D: Deserializer<'de>, R: DeserializeOwned, T>(
    json: D,
    convert: impl FnOnce(R) -> (Option<T>, Vec<Defect>),
    wrap: impl FnOnce(T) -> Vec<Object>,
) -> (Option<Vec<Object>>, Vec<Defect>) {
    match serde_path_to_error::deserialize(json) {
        Ok(raw) => {
            let (object, defects) = convert(raw);
            (object.map(wrap), defects)
        }
        Err(error) => {
            let path = error.path().to_string();
            let message = error.inner().to_string().replace("expected i64", "expected a whole number");
            (None, vec![Defect::of_field(if path == "." { "" } else { &path }, message)])
        }
    }
}

/// The key of an object that need not decode otherwise, if its name can be read.
pub fn key(kind: ApiKind, json: &Value) -> Option<Key> {
    let metadata = json.get("metadata")?;
    let namespace = metadata.get("namespace").unwrap_or(&Value::Null);
    if !namespace.is_null() && !namespace.is_string() {
        return None;
    }
    let name = metadata.get("name").and_then(Value::as_str);
    let mut name = meta::object_name(name, namespace.as_str(), kind.name_rule()).ok()?;
    match kind {
        ApiKind::Namespace => name.namespace = "".into(),
        ApiKind::Endpoints => name = endpoints::slice_name(&name, 0),
        _ => {}
    }
    Some(Key { kind: kind.kind(), name })
}

/// Reads the address in `field`.
fn address(field: &str, text: &str, defects: &mut Vec<Defect>) -> Option<IpAddr> {
    let address = text.parse().ok();
    if address.is_none() {
        defects.push(Defect::of_field(field, format!("`{text}` is not an IP address")));
    }
    address
}

#[cfg(test)]
mod tests;
