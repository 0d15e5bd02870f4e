//! Two entries that want one address.

use std::fmt;
use std::net::IpAddr;

use crate::model::ObjectName;

/// An address that two entries wanted, and how that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The address.
    pub address: IpAddr,
    /// The entry that keeps it.
    pub kept: ObjectName,
    /// Why that one.
    pub why: Why,
    /// The entry whose hosts get others.
    pub moved: ObjectName,
    /// When it was found, in Unix seconds.
    pub at: u64,
}

/// Why an entry keeps an address that another one wanted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has it in `spec.addresses`.
    Literal,
    /// It is older, or of equal age and earlier by namespace and name.
    Older,
    /// It was given the address before, and what became of it is not known yet.
    Remembered,
}

impl Why {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Why::Literal => "has it in spec.addresses",
            Why::Older => "is older",
            Why::Remembered => "was given it before",
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, kept, why, moved, .. } = self;
        let why = why.as_str();
        write!(
            f,
            "{address}: ServiceEntry {kept} keeps it because it {why}; ServiceEntry {moved} gets others"
        )
    }
}
