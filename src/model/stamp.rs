//! When something happened.

use std::num::NonZeroU32;

/// Whole seconds since 1970-01-01T00:00:00Z, until 2106.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(NonZeroU32);

impl Stamp {
    /// `None` for a moment before 1970-01-01T00:00:01Z or after 2106-02-07T06:28:15Z.
    pub fn new(seconds: i64) -> Option<Self> {
        u32::try_from(seconds).ok().and_then(NonZeroU32::new).map(Self)
    }

    /// Unix seconds.
    pub const fn seconds(self) -> u32 {
        self.0.get()
    }
}
