//! `serviceEntries.addresses: hash`: the addresses are those that istiod computes.
//!
//! `vectors.json` has cases that were checked against istiod 1.29.6: `entries` and, by host or `namespace/host`, the
//! two addresses of each, or null where there is none.

mod facts;
mod mesh;
mod reference;
mod steps;
mod vectors;
