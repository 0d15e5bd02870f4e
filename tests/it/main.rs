//! Tests of the whole: the built command, real CoreDNS, real clients.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

mod cluster;
mod commands;
mod corefile_check;
mod corefile_command;
mod corefiles;
mod deploy;
mod differential;
mod dnstap;
mod doctor;
mod everywhere;
mod failover;
mod fake_api;
mod faults;
mod fresh;
mod full_disk;
mod hash;
mod istiod;
mod kubernetes;
mod layers;
mod ledger;
mod listeners;
mod live;
mod metrics;
mod migrate;
mod packets;
mod parity;
mod planning;
mod properties;
mod query_log;
mod readme;
mod reload;
mod scenario;
mod support;
mod tls;
mod traces;
