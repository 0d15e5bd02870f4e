//! How long answers may be kept: by object, by rule, by class.
//!
//! The first of these counts: the annotation of the object that the records are of, if it is within the bounds; the first
//! rule all of whose conditions hold; the TTL of the class; the default. Negative answers are a class too, of no object.
//! One reply has one TTL, because caches give all of its records the smallest.

mod churn;
mod class;
mod clock;
mod host_pattern;
mod in_force;
mod rule;
mod setting;

pub use churn::Churn;
pub use class::Class;
pub use clock::{Clock, Seen};
pub use host_pattern::{HostPattern, HostPatternError};
pub use in_force::{InForce, TtlPolicies};
pub use rule::{MAX_RULES, TtlRule};
pub use setting::TtlSetting;

use crate::model::{Labels, Stamp, Ttl};

/// The longest that negative answers are kept without a setting of their own.
const NEGATIVE_DEFAULT: Ttl = Ttl::fixed(300);

/// How long answers may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TtlPolicy {
    /// Every class without a TTL of its own.
    pub default: TtlSetting,
    /// What TTLs are that follow churn.
    pub churn: Churn,
    /// TTLs of single classes.
    pub classes: ClassTtls,
    /// TTL and minimum of the SOA in negative answers (RFC 2308 §5). `None`: the default, but a TTL of 300 at most, as CoreDNS's
    /// kubernetes plugin has it.
    pub negative: Option<Ttl>,
    /// Names that may come any moment.
    pub negative_pending: NegativePending,
    /// What annotations may ask for; `None`: they are not read.
    pub annotations: Option<TtlBounds>,
    /// Rules, the first that holds counts; at most [`MAX_RULES`].
    pub rules: Box<[TtlRule]>,
}

/// How negative answers for names that may come any moment are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegativePending {
    /// Not at all: no SOA, so no cache stores them (RFC 2308 §5).
    Uncached,
    /// As long as this.
    For(Ttl),
}

/// TTLs by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassTtls([Option<TtlSetting>; Class::ALL.len()]);

impl ClassTtls {
    /// That of a class, if it has one of its own.
    pub fn get(&self, class: Class) -> Option<TtlSetting> {
        self.0[class as usize]
    }

    /// Gives a class its own; `None` takes it away.
    pub fn set(&mut self, class: Class, ttl: Option<TtlSetting>) {
        self.0[class as usize] = ttl;
    }
}

/// The smallest and the largest TTL, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtlBounds {
    /// The smallest.
    pub min: Ttl,
    /// The largest, not below the smallest.
    pub max: Ttl,
}

impl TtlBounds {
    /// Whether a TTL lies within.
    pub fn contains(&self, ttl: Ttl) -> bool {
        (self.min..=self.max).contains(&ttl)
    }
}

impl Default for TtlBounds {
    fn default() -> Self {
        Self { min: Ttl::MIN, max: Ttl::MAX }
    }
}

/// What is known of a unit that its TTLs depend on: what its objects say, and how long it has been the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitTtl {
    /// What its annotation asks for.
    annotation: Option<Ttl>,
    /// A bit for each rule with conditions on objects that hold.
    rules: u64,
    /// Which settings these are the rules of.
    generation: u32,
    /// Since when its records are what they are. While it is compiled: when its objects were written.
    changed: Option<Stamp>,
}

/// A TTL and where it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenTtl {
    /// The TTL.
    pub ttl: Ttl,
    /// What gave it.
    pub source: TtlSource,
    /// What the annotation asked for when that is out of bounds.
    pub refused: Option<Ttl>,
    /// For how many seconds the records have stayed the same, if the TTL follows that.
    pub unchanged: Option<u32>,
}

/// What gives a TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtlSource {
    /// The object's annotation.
    Annotation,
    /// A rule, by its index.
    Rule(usize),
    /// The setting of this class.
    Class(Class),
    /// The default.
    Default,
    /// The setting for negative answers about names that may come any moment.
    NegativePending,
}

impl TtlPolicy {
    /// The TTL of a class without any rule or annotation, of records that have just changed.
    pub fn of(&self, class: Class) -> Ttl {
        self.at(self.by_class(class).0, 0)
    }

    /// What a setting gives to records that have stayed the same for so many seconds.
    fn at(&self, setting: TtlSetting, unchanged: u32) -> Ttl {
        match setting {
            TtlSetting::Fixed(ttl) => ttl,
            TtlSetting::Churn => self.churn.ttl(unchanged),
        }
    }

    fn by_class(&self, class: Class) -> (TtlSetting, TtlSource) {
        match class {
            Class::Negative => {
                let default = || self.at(self.default, 0).min(NEGATIVE_DEFAULT);
                (self.negative.unwrap_or_else(default).into(), TtlSource::Class(class))
            }
            _ => match self.classes.get(class) {
                Some(ttl) => (ttl, TtlSource::Class(class)),
                None => (self.default, TtlSource::Default),
            },
        }
    }

    /// The TTL of records of a class under a name (lower-case wire form) that are of a unit.
    pub fn give(&self, class: Class, name: &[u8], unit: UnitTtl, clock: &Clock) -> GivenTtl {
        let asked = unit.annotation.filter(|_| class != Class::Negative && self.annotations.is_some());
        let allowed = |ttl: &Ttl| self.annotations.is_some_and(|bounds| bounds.contains(*ttl));
        if let Some(ttl) = asked.filter(allowed) {
            return GivenTtl { ttl, source: TtlSource::Annotation, refused: None, unchanged: None };
        }
        let mut rules = self.rules.iter().enumerate();
        let held = rules.find(|(index, rule)| rule.holds(class, name, unit.rules & 1 << index != 0));
        let (setting, source) = match held {
            Some((index, rule)) => (rule.ttl, TtlSource::Rule(index)),
            None => self.by_class(class),
        };
        let unchanged = (setting == TtlSetting::Churn).then(|| clock.since(unit.changed));
        GivenTtl { ttl: self.at(setting, unchanged.unwrap_or_default()), source, refused: asked, unchanged }
    }

    /// A bit for each rule whose conditions on objects such an object fulfils.
    fn rules_for(&self, namespace: &str, labels: &Labels) -> u64 {
        let held = self.rules.iter().enumerate().filter(|(_, rule)| rule.takes_object(namespace, labels));
        held.fold(0, |bits, (index, _)| bits | 1 << index)
    }

    /// Whether any rule has conditions on objects.
    fn asks_for_objects(&self) -> bool {
        self.rules.iter().any(TtlRule::asks_for_objects)
    }

    /// Whether any TTL follows churn.
    pub fn follows_churn(&self) -> bool {
        let classes = Class::ALL.into_iter().map(|class| self.by_class(class).0);
        classes.chain(self.rules.iter().map(|rule| rule.ttl)).any(|setting| setting == TtlSetting::Churn)
    }

    /// Whether labels of objects are asked for.
    pub fn asks_for_labels(&self) -> bool {
        self.rules.iter().any(|rule| rule.selector.is_some())
    }

    /// The setting that gave a TTL, and what it followed.
    pub fn tell(&self, given: GivenTtl) -> String {
        let source = self.in_words(given.source);
        match given.unchanged {
            Some(seconds) => format!("{source}, unchanged for {seconds} s"),
            None => source,
        }
    }

    /// The setting that gave a TTL.
    pub fn in_words(&self, source: TtlSource) -> String {
        match source {
            TtlSource::Annotation => format!("annotation {}", Ttl::ANNOTATION),
            TtlSource::Rule(index) => match self.rules.get(index).and_then(|rule| rule.name.as_deref()) {
                Some(name) => format!("ttl.rules[{index}], {name}"),
                None => format!("ttl.rules[{index}]"),
            },
            TtlSource::Class(class) => format!("ttl.{}", class.as_str()),
            TtlSource::Default => "ttl.default".to_owned(),
            TtlSource::NegativePending => "ttl.negativePending".to_owned(),
        }
    }

    /// The minimum field of the SOA in a negative answer that is kept for `given` (RFC 2308 §4).
    pub fn minimum(&self, given: GivenTtl) -> Ttl {
        match (given.source, self.negative) {
            (TtlSource::Class(_), None) => self.at(self.default, 0),
            _ => given.ttl,
        }
    }

    /// The TTLs that records of a class can have, annotations aside: that of the class first, if no rule takes all of it,
    /// then those of rules. `reaches` says whether there can be records under names of a pattern.
    pub fn possible(
        &self,
        class: Class,
        reaches: impl Fn(&HostPattern) -> bool,
    ) -> Vec<(TtlSource, TtlBounds)> {
        let given = |setting, source| (source, self.bounds(setting, class));
        let mut found = Vec::new();
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.concerns(class)) {
            if rule.hosts.is_empty() || rule.hosts.iter().any(&reaches) {
                found.push(given(rule.ttl, TtlSource::Rule(index)));
            }
            if rule.hosts.is_empty() && !rule.asks_for_objects() {
                return found;
            }
        }
        let (own, source) = self.by_class(class);
        found.insert(0, given(own, source));
        found
    }

    /// The smallest and the largest TTL that a setting gives to records of a class.
    fn bounds(&self, setting: TtlSetting, class: Class) -> TtlBounds {
        let longest = if class.is_of_objects() { u32::MAX } else { 0 };
        TtlBounds { min: self.at(setting, 0), max: self.at(setting, longest) }
    }
}

impl UnitTtl {
    /// What several objects with the same records say: the smallest annotation, and every rule that one of them is under.
    pub fn and(self, other: Self) -> Self {
        let annotation = match (self.annotation, other.annotation) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let changed = self.changed.zip(other.changed).map(|(one, other)| one.max(other));
        Self { annotation, rules: self.rules | other.rules, generation: self.generation, changed }
    }

    /// The same of records that have been what they are since then.
    pub(super) fn since(self, changed: Option<Stamp>) -> Self {
        Self { changed, ..self }
    }

    /// Since when its records are what they are.
    pub(super) fn changed(self) -> Option<Stamp> {
        self.changed
    }
}

impl Default for TtlPolicy {
    fn default() -> Self {
        let five = Ttl::fixed(5);
        Self {
            default: five.into(),
            churn: Churn::default(),
            classes: ClassTtls::default(),
            negative: None,
            negative_pending: NegativePending::Uncached,
            annotations: Some(TtlBounds::default()),
            rules: Box::default(),
        }
    }
}

#[cfg(test)]
mod tests;
