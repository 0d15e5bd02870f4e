//! Tests of the whole: the built command, real CoreDNS, real clients.

mod corefiles;
mod layers;
mod properties;
mod scenario;
mod support;
