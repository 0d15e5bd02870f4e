//! Which ConfigMaps a ledger is kept in.

use std::fmt;
use std::num::NonZeroU32;

use crate::apiserver::{ApiServerSettings, Rule};
use crate::model::Cidr;

/// The ConfigMaps `<name>-0` to `<name>-N` of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMapSettings {
    /// Which API server has them.
    pub api: ApiServerSettings,
    /// Their namespace.
    pub namespace: String,
    /// How their names begin; a dash and a number follow.
    pub name: String,
    /// How many there are; never changes for a ledger.
    pub shards: NonZeroU32,
    /// The ranges that addresses come from. A range that the ledger knows is never cut otherwise.
    pub ranges: Vec<Cidr>,
}

/// What is done with the ConfigMaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// To read one again after somebody else wrote it.
    Get,
    /// To read all of them at the start.
    List,
    /// To hear what other replicas write.
    Watch,
    /// To make them at the first start.
    Create,
    /// To store addresses.
    Update,
}

impl Verb {
    /// All of them.
    pub const ALL: [Verb; 5] = [Verb::Get, Verb::List, Verb::Watch, Verb::Create, Verb::Update];

    /// The word of Kubernetes for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
        }
    }

    /// What goes on without it.
    pub const fn without(self) -> &'static str {
        match self {
            Verb::Get => "all of them are listed where one would do",
            Verb::List => "they are read one by one",
            Verb::Watch => "they are listed every 5 s, and what other replicas give is known that much later",
            Verb::Create => "a ledger that is there is used; a new one cannot be begun",
            Verb::Update => "known hosts are answered, and new ones wait",
        }
    }

    /// The rule that allows it in a namespace.
    pub fn rule(self, namespace: &str) -> Rule {
        let verbs: &'static [&'static str] = match self {
            Verb::Get => &["get"],
            Verb::List => &["list"],
            Verb::Watch => &["watch"],
            Verb::Create => &["create"],
            Verb::Update => &["update"],
        };
        Rule { group: "", resource: "configmaps", verbs, namespace: Some(namespace.to_owned()) }
    }
}

/// As `namespace/name-*`.
impl fmt::Display for ConfigMapSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigMaps {}/{}-*", self.namespace, self.name)
    }
}
