//! A TTL as settings give it.

use crate::model::Ttl;

/// A number, or one that follows churn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtlSetting {
    /// So many seconds.
    Fixed(Ttl),
    /// As [`Churn`](super::Churn) has it.
    Churn,
}

impl From<Ttl> for TtlSetting {
    fn from(ttl: Ttl) -> Self {
        Self::Fixed(ttl)
    }
}
