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
mod zones;

use proptest::test_runner::Config;

/// So many cases, and no file written when one fails: the smallest failing input is in the message.
fn cases(count: u32) -> Config {
    Config { cases: count, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() }
}
