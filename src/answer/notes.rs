//! What was looked at on the way to an answer.

use std::borrow::Cow;

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
        }
    }
}

/// One step on the way to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is about.
    pub topic: Topic,
    /// What was found.
    pub text: Cow<'static, str>,
}

impl Step {
    /// A step in words.
    pub fn of(topic: Topic, text: impl Into<Cow<'static, str>>) -> Self {
        Self { topic, text: text.into() }
    }
}

/// Takes the steps down. The servers pass `()`, for which the steps are never even made.
pub trait Notes {
    /// Takes one step down.
    fn say(&mut self, step: impl FnOnce() -> Step);
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
