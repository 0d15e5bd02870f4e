//! What was looked at on the way to an answer.

use std::borrow::Cow;

use super::{Origin, Scope};
use crate::catalog::{Class, GivenTtl};
use crate::model::{Key, Kind, ObjectName};

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Which zone the name lies in.
    Zone,
    /// How the name was read.
    Name,
    /// An object that was considered.
    Object,
    /// What the answer is, and why.
    Outcome,
    /// How long it may be kept, and why.
    Ttl,
    /// Why it may be wrong by now.
    Stale,
}

impl Topic {
    /// The topic as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Topic::Zone => "zone",
            Topic::Name => "name",
            Topic::Object => "object",
            Topic::Outcome => "outcome",
            Topic::Ttl => "ttl",
            Topic::Stale => "stale",
        }
    }
}

/// How much an answer rests on a step. The last of the weightiest steps is its cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Not at all.
    #[default]
    Aside,
    /// It is a cause where there is no better one, together with others like it.
    Fallback,
    /// Something that would have to be there is not.
    Absent,
    /// Something is there and gives just this.
    Cause,
}

/// One step on the way to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is about.
    pub topic: Topic,
    /// What was found.
    pub text: Cow<'static, str>,
    /// The objects that were considered, whether they exist or not.
    pub objects: Vec<Key>,
    /// Whether the answer rests on it.
    pub weight: Weight,
}

impl Step {
    /// A step in words.
    pub fn of(topic: Topic, text: impl Into<Cow<'static, str>>) -> Self {
        Self { topic, text: text.into(), objects: Vec::new(), weight: Weight::Aside }
    }

    /// The step, with an object that was considered.
    pub fn about(mut self, kind: Kind, name: &ObjectName) -> Self {
        self.objects.push(Key { kind, name: name.clone() });
        self
    }

    /// The step, with more objects of one kind.
    pub fn about_all<'a>(mut self, kind: Kind, names: impl IntoIterator<Item = &'a ObjectName>) -> Self {
        self.objects.extend(names.into_iter().map(|name| Key { kind, name: name.clone() }));
        self
    }

    /// The step, as one that the answer rests on.
    pub fn weighing(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }
}

/// Takes the steps down. The servers pass `()`, for which the steps are never even made.
pub trait Notes {
    /// Takes one step down.
    fn say(&mut self, step: impl FnOnce() -> Step);

    /// Takes down which TTL records of a class were given. A reply with aliases has the smallest of several.
    fn gave(&mut self, _class: Class, _ttl: GivenTtl) {}

    /// Takes down which record type is asked for.
    fn asked(&mut self, _kind: u16) {}

    /// Takes down where a name lies: first the one that was asked for, then those that aliases lead to.
    fn lies_in(&mut self, _scope: Scope) {}

    /// Takes down what knows a name, in the same order.
    fn known_to(&mut self, _origin: Origin) {}
}

impl Notes for () {
    #[inline]
    fn say(&mut self, _step: impl FnOnce() -> Step) {}
}

/// Keeps all steps.
#[derive(Debug, Default)]
pub struct Recorder {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

impl Notes for Recorder {
    fn say(&mut self, step: impl FnOnce() -> Step) {
        self.steps.push(step());
    }
}
