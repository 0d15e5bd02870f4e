//! Namespaces as written.

use serde::Deserialize;

use super::RawMeta;
use super::meta::{NameRule, mapping};
use crate::model::{Defect, Labels, Namespace};

/// The label that the API server gives to every namespace; its value is the name.
pub(super) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// `v1` Namespace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawNamespace {
    #[serde(deserialize_with = "mapping")]
    metadata: RawMeta,
}

/// Converts one Namespace; `None` if its name is no namespace name.
pub fn convert(raw: RawNamespace) -> (Option<Namespace>, Vec<Defect>) {
    match raw.metadata.object_name(NameRule::Label) {
        Err(defect) => (None, vec![defect]),
        Ok(name) => {
            let labels = raw.metadata.into_labels([(NAME_LABEL, &*name.name)]);
            (Some(Namespace { name: name.name, labels }), Vec::new())
        }
    }
}

/// The namespace that other objects imply by living in it.
pub fn implied(name: &str) -> Namespace {
    Namespace { name: name.into(), labels: Labels::from_iter([(NAME_LABEL, name)]) }
}
