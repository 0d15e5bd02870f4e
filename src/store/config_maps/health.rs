//! What stands in the way of a shared ledger, for people.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::settings::{ConfigMapSettings, Verb};

/// What is wrong now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What we may not do.
    pub missing: BTreeSet<Verb>,
    /// Shards that cannot be used, and why.
    pub unusable: Vec<Arc<str>>,
    /// Why nothing is heard of what other replicas write.
    pub deaf: Option<String>,
}

impl Health {
    /// One line for each.
    pub fn lines(&self, settings: &ConfigMapSettings) -> Vec<String> {
        let rule = |verb: &Verb| {
            let (rule, without) = (verb.rule(&settings.namespace), verb.without());
            format!("may not {} {settings}: {without}; this rule is missing: {rule}", verb.as_str())
        };
        let missing = self.missing.iter().map(rule);
        let deaf = self.deaf.iter().map(|why| format!("{settings} are not heard of: {why}"));
        missing.chain(self.unusable.iter().map(ToString::to_string)).chain(deaf).collect()
    }
}
