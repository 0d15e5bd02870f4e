//! How long a resolver may keep a record.

/// Whole seconds, 0 to 3600: the range in which an operator may set a TTL (RFC 2181 §8 allows more, a mesh
/// that moves does not).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u32);

/// A TTL out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is out of range: seconds from 0 to 3600")]
pub struct TtlError(pub i64);

impl Ttl {
    /// The annotation by which an object asks for one.
    pub const ANNOTATION: &str = "meshdns.io/ttl";
    /// The shortest that may be set.
    pub const MIN: Ttl = Ttl(0);
    /// The longest that may be set.
    pub const MAX: Ttl = Ttl(3600);

    /// Checks the range.
    pub fn new(seconds: i64) -> Result<Self, TtlError> {
        match u32::try_from(seconds) {
            Ok(seconds) if seconds <= Self::MAX.0 => Ok(Self(seconds)),
            _ => Err(TtlError(seconds)),
        }
    }

    /// The number of seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// For constants that a specification fixes, in or out of the operator's range.
    pub(crate) const fn fixed(seconds: u32) -> Self {
        Self(seconds)
    }
}
