//! Whose address it is: a host in a namespace.

use std::fmt;

use crate::inventory::UnitKey;
use crate::model::{Host, HostError, Name};

/// A ServiceEntry host of one namespace. Spellings that differ in letter case or a final dot are the same host, and
/// all entries of the namespace that name it share its addresses.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostKey {
    /// The namespace of the entries.
    pub namespace: Box<str>,
    /// The host; of a wildcard, what stands after the star.
    pub name: Name,
    /// Whether it is a wildcard.
    pub wildcard: bool,
}

impl HostKey {
    /// A host as a namespace's entries name it.
    pub fn new(namespace: &str, host: &Host) -> Self {
        Self { namespace: namespace.into(), name: host.name.clone(), wildcard: host.wildcard }
    }

    /// Reads both parts back from text.
    pub fn parse(namespace: &str, host: &str) -> Result<Self, HostError> {
        Ok(Self::new(namespace, &Host::parse(host)?))
    }

    /// The host as text: lower-case, without a final dot.
    pub fn host(&self) -> String {
        let name = self.name.to_string();
        let star = if self.wildcard { "*." } else { "" };
        format!("{star}{}", name.trim_end_matches('.'))
    }

    /// The unit that is compiled anew when its addresses change.
    pub fn unit(&self) -> UnitKey {
        UnitKey::Host { name: self.name.clone(), wildcard: self.wildcard }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.host())
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
