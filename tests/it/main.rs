//! Tests of the whole: the built command, real CoreDNS, real clients.

mod corefiles;
mod properties;
mod support;
