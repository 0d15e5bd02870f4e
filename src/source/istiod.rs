//! The name table of istiod: the hosts and addresses that the DNS proxy of a sidecar in some namespace would know.
//!
//! We are an xDS client that introduces itself as such a sidecar ([`NodeIdentity`]) and subscribes to its name table
//! (NDS), state of the world over one aggregated stream. `run` keeps that up for as long as the process lives;
//! [`fetch`] does it once, for commands. Facts: istio/istio `pkg/dns/proto/nds.proto`, `pilot/pkg/xds/nds.go`.
//!
//! A table is taken as a whole or not at all, but a row that is no name, or an address that is none, is left out by
//! itself and reported. What istiod sent stays in use until it sends something else: a stream that breaks, an answer
//! that does not decode and a refused token withdraw nothing.

mod connect;
mod convert;
mod error;
mod exchange;
mod fetch;
mod kept;
mod life;
mod node;
pub mod proto;
mod run;
mod settings;
mod status;
mod table;

pub use convert::{ListenerAddress, Rows, listeners, name_table};
pub use error::IstiodError;
pub use exchange::{Exchange, Step, Subscriptions};
pub use fetch::{Fetched, fetch};
pub use kept::{Kept, NotUsed, View};
pub use node::NodeIdentity;
pub use run::run;
pub use settings::{Endpoint, IstiodSettings, Limits, PLAINTEXT_PORT, TLS_PORT, Tls};
pub use status::{Link, Status};
pub use table::Table;

#[cfg(test)]
mod tests;
