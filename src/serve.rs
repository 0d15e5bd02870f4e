//! The edges: listeners that CoreDNS, DNS clients and operators talk to.
//!
//! Rules: a server receives bound sockets, handles and a stop signal; it reads no settings and starts nothing that
//! it does not wait for. What a reply says is decided in [`wire`](crate::wire); here are only transports, limits
//! and time.

mod accept;
pub mod admin;
mod answerer;
pub mod chase;
mod connection;
mod dns;
pub mod grpc;
pub mod inspect;
pub mod level;
mod liveness;
mod permits;
mod proto;
mod readiness;
pub mod socket;
mod stop;
pub mod tcp;
mod tls;
pub mod udp;
pub mod unix;

pub use accept::{Accepted, Dealer, Incoming, Listening, accept};
pub use answerer::Answerer;
pub use connection::{Connection, Hello};
pub use liveness::{Liveness, PulseLimits};
pub use permits::{Permit, Permits};
pub use proto::{DnsPacket, DnsServiceClient};
pub use readiness::{Readiness, ReadinessHandle};
pub use stop::{Stop, StopSignal};
pub use tls::{Gate, Identities};
