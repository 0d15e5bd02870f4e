//! Corefiles, read as CoreDNS reads them: which server block a name goes to, which of its plugins answers, and what its caches
//! make of a TTL.
//!
//! Rules: what CoreDNS accepts is accepted and what it refuses is refused, with file and line. Files and variables are given
//! by the caller ([`World`]). The text becomes tokens (`lexer`), imports and variables are put in while these become server
//! blocks (`parse`), and blocks are understood as far as our answers depend on them (`server`). Routes through one or
//! several Corefiles, in the order from the client, are followed in `route`.
//!
//! Facts are those of CoreDNS 1.14.7: `plugin.cfg`, `core/dnsserver/register.go`, `plugin/{cache,forward,grpc}/setup.go`,
//! and caddy's `caddyfile/{lexer,parse,dispenser}.go`.

mod cache;
mod dispenser;
mod duration;
mod error;
mod filter;
mod forward;
mod grpc;
mod key;
mod lexer;
mod order;
mod parse;
mod route;
mod seen;
mod server;
mod stanza;
mod variables;
mod world;
mod zone;

pub use cache::{Bound, Bounds, Cache, Passed, Side, Sign};
pub use error::{Error, Place};
pub use filter::{Filter, Partly};
pub use forward::{Forward, Upstream};
pub use grpc::{Grpc, GrpcTls, Misfit};
pub use key::{Key, Transport};
pub use route::{Corefiles, End, Hop, Route, Start, Through};
pub use seen::{Seen, Span};
pub use server::{Corefile, Rewrite, Server};
pub use world::{Nowhere, World};
pub use zone::Zone;

#[cfg(test)]
mod tests;
