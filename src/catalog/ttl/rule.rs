//! A TTL for what fulfils conditions.

use super::{Class, HostPattern, TtlSetting};
use crate::model::{LabelSelector, Labels};

/// So many rules there can be: a unit has a bit for each.
pub const MAX_RULES: usize = 64;

/// A TTL for records that fulfil all conditions. Of a condition with several values one has to hold; an empty one always
/// does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TtlRule {
    /// What people call it.
    pub name: Option<Box<str>>,
    /// The TTL.
    pub ttl: TtlSetting,
    /// The namespace of the object.
    pub namespaces: Box<[Box<str>]>,
    /// The labels of the object.
    pub selector: Option<LabelSelector>,
    /// The name asked.
    pub hosts: Box<[HostPattern]>,
    /// The class of the records.
    pub classes: Box<[Class]>,
}

impl TtlRule {
    /// Whether objects decide.
    pub fn asks_for_objects(&self) -> bool {
        !self.namespaces.is_empty() || self.selector.is_some()
    }

    /// Whether an object fulfils what it asks of objects; a rule that asks nothing of them has no use for the answer.
    pub(super) fn takes_object(&self, namespace: &str, labels: &Labels) -> bool {
        self.asks_for_objects()
            && (self.namespaces.is_empty() || self.namespaces.iter().any(|own| **own == *namespace))
            && self.selector.as_ref().is_none_or(|selector| selector.matches(|key| labels.get(key)))
    }

    /// Whether records of a class can fulfil its conditions.
    pub fn concerns(&self, class: Class) -> bool {
        (self.classes.is_empty() || self.classes.contains(&class))
            && (class.is_of_objects() || !self.asks_for_objects())
    }

    /// Whether it gives the TTL of records of a class under a name, whose object fulfils its conditions or not.
    pub(super) fn holds(&self, class: Class, name: &[u8], takes_object: bool) -> bool {
        (takes_object || !self.asks_for_objects())
            && self.concerns(class)
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| host.matches(name)))
    }

    /// Whether this rule, standing before another one, leaves nothing to it.
    pub fn hides(&self, other: &Self) -> bool {
        let all = |ours: bool, theirs: bool, within: bool| ours || (!theirs && within);
        let namespaces = other.namespaces.iter().all(|namespace| self.namespaces.contains(namespace));
        let hosts = other.hosts.iter().all(|host| self.hosts.iter().any(|own| own.covers(host)));
        let classes = other.classes.iter().all(|class| self.classes.contains(class));
        all(self.namespaces.is_empty(), other.namespaces.is_empty(), namespaces)
            && all(self.hosts.is_empty(), other.hosts.is_empty(), hosts)
            && all(self.classes.is_empty(), other.classes.is_empty(), classes)
            && self.selector.as_ref().is_none_or(|selector| other.selector.as_ref() == Some(selector))
    }
}
