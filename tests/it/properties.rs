//! Properties that hold for every cluster, every question and every packet.
//!
//! Clusters are made of a few names and addresses, so that what random objects do not often do happens all the
//! time here: the same address in two services, a host below a service, an endpoint called like a protocol.

mod ask;
mod changes;
mod cluster;
mod oracle;
mod packets;
mod policy;
mod readers;
mod serials;
mod stale;
mod zones;

use proptest::test_runner::Config;

/// So many cases, or as many as `PROPTEST_CASES` says. No file is written when one fails: the smallest failing input
/// is in the message.
pub(crate) fn cases(count: u32) -> Config {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    Config { cases: given.unwrap_or(count), failure_persistence: None, ..Config::default() }
}
