//! Kubernetes and Istio names for CoreDNS.
//!
//! ```text
//! objects                    changes            units              names              bytes
//! manifest files ──► source ───► keeper ──► compile ─► catalog ─► answer ─► wire ──► gRPC | DNS over UDP and TCP
//!                    convert     (one       (per unit)  (readers     (pure)   (pure)
//!                                 writer)                never lock)
//! ```
//!
//! Without the feature `server` this is the pure core: no clock, socket, file, environment or random source; it
//! builds for `wasm32-unknown-unknown`.

pub mod allocate;
pub mod answer;
#[cfg(feature = "server")]
pub mod apiserver;
pub mod catalog;
#[cfg(feature = "server")]
pub mod config;
pub mod corefile;
pub mod inventory;
pub mod keeper;
pub mod model;
#[cfg(feature = "server")]
mod random;
#[cfg(feature = "server")]
pub mod report;
#[cfg(feature = "server")]
pub mod run;
#[cfg(feature = "server")]
pub mod serve;
#[cfg(feature = "server")]
pub mod source;
#[cfg(feature = "server")]
mod spelling;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod telemetry;
#[cfg(feature = "server")]
pub mod tls;
pub mod wire;
#[cfg(feature = "server")]
pub mod yaml;
