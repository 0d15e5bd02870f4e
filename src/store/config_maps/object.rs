//! A shard as a ConfigMap, with the labels and annotations that say what it is.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ObjectMeta;

use super::shard::Shard;
use super::text;

/// The format that is written.
pub(super) const FORMAT: &str = "1";
/// The label that finds the shards of a ledger; its value is the ledger's name.
pub(super) const LEDGER: &str = "meshdns.io/ledger";
const FORMAT_KEY: &str = "meshdns.io/ledger-format";
const SHARDS_KEY: &str = "meshdns.io/ledger-shards";
const NOTICE_KEY: &str = "meshdns.io/notice";
/// What people set to lose what a broken shard had.
const BEGIN_ANEW: &str = "meshdns.io/begin-anew";
const NOTICE: &str = "Written by meshdns, which remembers here which ServiceEntry host has which address. Do not edit: \
                      a shard whose checksum does not fit is not used.";

/// A ConfigMap as it was read.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Which state of the object this is.
    pub(super) version: String,
    /// What it says, or why it cannot be used.
    pub(super) content: Result<Shard, Refused>,
}

/// Why a ConfigMap is no shard for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is broken.
    Damaged(String),
    /// The whole ledger is another one than we are set for.
    Foreign(String),
}

/// The ConfigMap of shard `number` of so many, to create or, with a version, to replace that state of it.
pub(super) fn write(
    name: &str,
    number: usize,
    shards: u32,
    shard: &Shard,
    version: Option<&str>,
) -> ConfigMap {
    let labels = [
        ("app.kubernetes.io/managed-by", "meshdns"),
        ("app.kubernetes.io/component", "ledger"),
        (LEDGER, name),
    ];
    let shards = shards.to_string();
    let annotations = [(FORMAT_KEY, FORMAT), (SHARDS_KEY, &shards), (NOTICE_KEY, NOTICE)];
    let owned = |pairs: [(&str, &str); 3]| -> BTreeMap<String, String> {
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    };
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(format!("{name}-{number}")),
            labels: Some(owned(labels)),
            annotations: Some(owned(annotations)),
            resource_version: version.map(str::to_owned),
            ..ObjectMeta::default()
        },
        data: Some(text::encode(shard)),
        ..ConfigMap::default()
    }
}

/// Reads the ConfigMap of a shard.
pub(super) fn read(object: &ConfigMap, shards: u32) -> Stored {
    let version = object.metadata.resource_version.clone().unwrap_or_default();
    Stored { version, content: content(object, shards) }
}

fn content(object: &ConfigMap, shards: u32) -> Result<Shard, Refused> {
    let annotations = object.metadata.annotations.clone().unwrap_or_default();
    if annotations.contains_key(BEGIN_ANEW) {
        return Ok(Shard::new(0, Vec::new(), true));
    }
    let said = |key: &str| annotations.get(key).map(String::as_str);
    match said(FORMAT_KEY) {
        Some(FORMAT) => {}
        Some(format) if format.parse::<u64>().is_ok() => {
            return Err(Refused::Foreign(format!(
                "it has format {format}, this version knows {FORMAT}: use the version that wrote it, or a later one"
            )));
        }
        _ => return Err(Refused::Damaged(format!("its annotation {FORMAT_KEY} is missing"))),
    }
    match said(SHARDS_KEY).and_then(|text| text.parse::<u32>().ok()) {
        Some(count) if count == shards => {}
        Some(count) => {
            return Err(Refused::Foreign(format!(
                "the ledger has {count} shards, and serviceEntries.ledger.kubernetes.shards says {shards}: the number \
                 cannot be changed; say {count}, or take another name for a new ledger"
            )));
        }
        None => return Err(Refused::Damaged(format!("its annotation {SHARDS_KEY} is missing"))),
    }
    text::decode(object.data.as_ref().unwrap_or(&BTreeMap::new())).map_err(Refused::Damaged)
}

/// The number of the shard that a ConfigMap of the ledger `name` is by its name.
pub(super) fn number(object: &ConfigMap, name: &str, shards: u32) -> Option<usize> {
    let digits = object.metadata.name.as_deref()?.strip_prefix(name)?.strip_prefix('-')?;
    let number: u32 = digits.parse().ok()?;
    (number < shards && number.to_string() == digits).then_some(number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_back_and_what_was_edited_does_not() {
        let shard = Shard::new(7, Vec::new(), true);
        let object = write("addresses", 3, 8, &shard, Some("12"));
        assert_eq!(number(&object, "addresses", 8), Some(3));
        assert_eq!(number(&object, "addresses", 3), None);
        let stored = read(&object, 8);
        assert_eq!((stored.version.as_str(), stored.content), ("12", Ok(shard.clone())));
        let refused = |change: &dyn Fn(&mut ConfigMap)| {
            let mut object = object.clone();
            change(&mut object);
            match read(&object, 8).content.unwrap_err() {
                Refused::Damaged(told) => format!("damaged: {told}"),
                Refused::Foreign(told) => format!("foreign: {told}"),
            }
        };
        let annotate = |key: &'static str, value: &'static str| {
            move |object: &mut ConfigMap| {
                object.metadata.annotations.as_mut().unwrap().insert(key.to_owned(), value.to_owned());
            }
        };
        let data = |object: &mut ConfigMap| object.data = None;
        assert_eq!(refused(&data), "damaged: `header` is missing in its data");
        assert!(
            refused(&annotate(FORMAT_KEY, "2")).starts_with("foreign: it has format 2, this version knows 1")
        );
        assert!(refused(&annotate(FORMAT_KEY, "")).contains("ledger-format is missing"));
        assert!(refused(&annotate(SHARDS_KEY, "64")).contains("has 64 shards, and serviceEntries"));
        let edit = |object: &mut ConfigMap| {
            object
                .data
                .as_mut()
                .unwrap()
                .insert("rows".into(), "shop a.example own 1 - 192.0.2.1 -\n".into());
        };
        assert!(refused(&edit).contains("its checksum does not fit"));
        let mut anew = object.clone();
        edit(&mut anew);
        annotate(BEGIN_ANEW, "yes")(&mut anew);
        assert_eq!(read(&anew, 8).content.map(|shard| shard.revision), Ok(0));
    }
}
