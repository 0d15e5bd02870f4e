//! Which names a rule is for.

use std::fmt;

use crate::model::{Name, NameError};

/// A pattern of names.
///
/// `db.shop.example` is that name; `*.shop.example` every name below, any number of labels deep; `.shop.example` that name and every
/// one below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    name: Name,
    reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    At,
    Below,
    AtAndBelow,
}

/// Why a text is not a pattern of names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPatternError {
    /// What stands after the star or the dot is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A star elsewhere than as the whole first label.
    #[error("`{0}` has a star that is not the whole first label")]
    MisplacedStar(String),
}

impl HostPattern {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, HostPatternError> {
        let (rest, reach) = match (text.strip_prefix("*."), text.strip_prefix('.')) {
            (Some(rest), _) => (rest, Reach::Below),
            (None, Some(rest)) if !rest.is_empty() => (rest, Reach::AtAndBelow),
            _ => (text, Reach::At),
        };
        if rest.contains('*') {
            return Err(HostPatternError::MisplacedStar(text.to_owned()));
        }
        Ok(Self { name: Name::parse(rest)?, reach })
    }

    /// Whether it is for a name (lower-case wire form, root octet included).
    pub fn matches(&self, name: &[u8]) -> bool {
        let own = self.name.wire();
        let Some(labels_before) = name.len().checked_sub(own.len()) else { return false };
        let mut at = 0;
        while at < labels_before {
            at += usize::from(name[at]) + 1;
        }
        // It may end within a label.
        at == labels_before
            && &name[at..] == own
            && match self.reach {
                Reach::At => at == 0,
                Reach::Below => at > 0,
                Reach::AtAndBelow => true,
            }
    }

    /// The name without star or dot.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether it is for names below that one.
    pub fn reaches_below(&self) -> bool {
        self.reach != Reach::At
    }

    /// Whether every name that the other one is for is one that this one is for too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.reach, other.reach) {
            (Reach::At, Reach::At) => self.name == other.name,
            (Reach::At, _) => false,
            (Reach::AtAndBelow, _) => other.name.is_within(&self.name),
            (Reach::Below, Reach::Below) => other.name.is_within(&self.name),
            (Reach::Below, _) => other.name != self.name && other.name.is_within(&self.name),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let front = match self.reach {
            Reach::At => "",
            Reach::Below => "*.",
            Reach::AtAndBelow => ".",
        };
        write!(f, "{front}{}", self.name)
    }
}
