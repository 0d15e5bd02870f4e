//! What an answer rests on, of all the steps that led to it.

use super::{Step, Weight};

/// What an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// In words.
    pub text: Option<String>,
    /// The object, if it is one.
    pub object: Option<String>,
    /// How much it rests on that.
    pub weight: Weight,
}

impl Cause {
    /// The last of the weightiest steps; where there are only makeshifts, all of them.
    pub fn of(steps: &[Step]) -> Self {
        let weight = steps.iter().map(|step| step.weight).max().unwrap_or_default();
        let mut weightiest: Vec<&Step> = steps.iter().filter(|step| step.weight == weight).collect();
        let text = match weight {
            Weight::Aside => None,
            Weight::Fallback => {
                weightiest.dedup_by(|a, b| a.text == b.text);
                Some(weightiest.iter().map(|step| &*step.text).collect::<Vec<_>>().join(", and "))
            }
            Weight::Absent | Weight::Cause => weightiest.last().map(|step| step.text.to_string()),
        };
        let object = weightiest.last().and_then(|step| step.objects.first()).map(ToString::to_string);
        Self { text, object, weight }
    }
}
