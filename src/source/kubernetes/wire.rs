//! What the API server sends, decoded no further than needed to tell objects apart.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::Since;
use crate::source::objects::system_time;

/// Marks the bookmark after the last object of a streamed list.
pub(super) const END_OF_LIST: &str = "k8s.io/initial-events-end";

/// An object as it came.
pub(super) type Raw = Box<RawValue>;

/// One page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    pub(super) metadata: PageMeta,
    pub(super) items: Option<Vec<Raw>>,
}

/// Where a list stands.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PageMeta {
    pub(super) resource_version: String,
    #[serde(rename = "continue")]
    pub(super) next: Option<String>,
}

/// What an event tells of its object besides the object.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    /// The version, if it can be compared.
    pub(super) version: Option<u64>,
    /// When what led to it happened, if somebody wrote that down.
    pub(super) trigger: Option<Since>,
}

#[derive(Deserialize)]
struct Stamped<'t> {
    #[serde(borrow)]
    metadata: StampedMeta<'t>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StampedMeta<'t> {
    #[serde(borrow)]
    resource_version: Option<Cow<'t, str>>,
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Annotations {
    /// Written by the controllers of endpoints (Kubernetes `staging/src/k8s.io/api/core/v1/annotation_key_constants.go`).
    #[serde(rename = "endpoints.kubernetes.io/last-change-trigger-time")]
    trigger: Option<String>,
}

impl Stamp {
    /// Reads it; nothing of an object that is odd.
    pub(super) fn of(raw: &RawValue) -> Self {
        let Ok(Stamped { metadata }) = serde_json::from_str(raw.get()) else { return Self::default() };
        let trigger = metadata.annotations.and_then(|annotations| system_time(&annotations.trigger?));
        Self {
            version: metadata.resource_version.as_deref().and_then(number),
            trigger: trigger.map(Since::Trigger),
        }
    }
}

/// A resource version as a number, by which two of one kind can be compared (Kubernetes enhancement 5504).
pub(super) fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn raw(text: &str) -> Raw {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn stamps_are_read_of_what_is_there() {
        let text = r#"{"kind": "EndpointSlice", "metadata": {"name": "a", "resourceVersion": "17", "annotations":
            {"endpoints.kubernetes.io/last-change-trigger-time": "1970-01-01T00:00:05.25Z", "other": "x"}}, "endpoints": []}"#;
        let stamp = Stamp::of(&raw(text));
        assert_eq!(stamp.version, Some(17));
        assert_eq!(stamp.trigger, Some(Since::Trigger(UNIX_EPOCH + Duration::from_millis(5250))));
        for odd in [
            "{}",
            "7",
            r#"{"metadata": {"resourceVersion": 7}}"#,
            r#"{"metadata": {"resourceVersion": "x"}}"#,
        ] {
            let stamp = Stamp::of(&raw(odd));
            assert!(stamp.version.is_none() && stamp.trigger.is_none(), "{odd}");
        }
    }

    #[test]
    fn pages_are_read_of_what_is_there() {
        let page: Page = serde_json::from_str(
            r#"{"kind": "ServiceList", "metadata": {"resourceVersion": "9", "continue": "abc", "remainingItemCount": 3},
                "items": [{"metadata": {"name": "a"}}, 7]}"#,
        )
        .unwrap();
        assert_eq!(
            (page.metadata.resource_version.as_str(), page.metadata.next.as_deref()),
            ("9", Some("abc"))
        );
        assert_eq!(page.items.unwrap().len(), 2);
        let page: Page =
            serde_json::from_str(r#"{"metadata": {"resourceVersion": "9"}, "items": null}"#).unwrap();
        assert!(page.items.is_none() && page.metadata.next.is_none());
    }
}
