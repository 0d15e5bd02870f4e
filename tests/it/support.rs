//! What the tests share: other programs, and how to talk to them.
#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

pub(crate) mod coredns;
pub(crate) mod dig;
pub(crate) mod process;
