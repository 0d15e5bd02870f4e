//! The listeners, asked over real sockets by clients that are not ours.

mod admin;
mod chase;
mod dns;
mod drain;
mod grpc;
mod limits;
mod packet;
mod process;
mod proxy;
mod server;
mod stale;
mod stuck;
mod upstream;
