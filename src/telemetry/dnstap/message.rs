//! What is said of a message.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message as _;

use super::Tapped;
use super::frames::put_data;
use crate::telemetry::metrics::Listener;
use proto::message::Type;
use proto::{Dnstap, Message, SocketFamily, SocketProtocol, dnstap};

#[expect(unreachable_pub, reason = "generated")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/dnstap.rs"));
}

/// What all messages of a server have in common.
#[derive(Debug)]
pub(super) struct Signature {
    /// What the server is called.
    pub(super) identity: String,
}

impl Signature {
    /// Puts a frame with this message behind what is there.
    pub(super) fn put(&self, tapped: Tapped, scratch: &mut Vec<u8>, frames: &mut Vec<u8>) {
        scratch.clear();
        // A vector grows as it has to.
        let _ = self.signed(tapped).encode(scratch);
        put_data(frames, scratch);
    }

    fn signed(&self, tapped: Tapped) -> Dnstap {
        Dnstap {
            identity: (!self.identity.is_empty()).then(|| self.identity.clone().into_bytes()),
            version: Some(concat!("meshdns ", env!("CARGO_PKG_VERSION")).into()),
            extra: Some(tapped.number.id().to_string().into_bytes()),
            r#type: Some(dnstap::Type::Message.into()),
            message: Some(message(tapped)),
        }
    }
}

fn message(tapped: Tapped) -> Message {
    let Tapped { number: _, listener, peer, asked, answered, octets } = tapped;
    let (query_time_sec, query_time_nsec) = since_epoch(asked);
    let mut message = Message {
        // dnstap has no word for gRPC, which is spoken over TCP; who asks at a Unix socket has no address.
        socket_protocol: Some(
            match listener {
                Listener::Udp => SocketProtocol::Udp,
                Listener::Tcp | Listener::Grpc | Listener::GrpcUnix | Listener::Admin => SocketProtocol::Tcp,
            }
            .into(),
        ),
        query_time_sec: Some(query_time_sec),
        query_time_nsec: Some(query_time_nsec),
        ..Message::default()
    };
    if let Some(peer) = peer {
        // IPv4 clients of a socket for both families are IPv4 clients.
        let (family, octets) = match peer.ip().to_canonical() {
            IpAddr::V4(address) => (SocketFamily::Inet, address.octets().to_vec()),
            IpAddr::V6(address) => (SocketFamily::Inet6, address.octets().to_vec()),
        };
        message.socket_family = Some(family.into());
        message.query_address = Some(octets);
        message.query_port = Some(peer.port().into());
    }
    match answered {
        None => {
            message.r#type = Some(Type::AuthQuery.into());
            message.query_message = Some(octets.into_vec());
        }
        Some(answered) => {
            let (response_time_sec, response_time_nsec) = since_epoch(answered);
            message.r#type = Some(Type::AuthResponse.into());
            message.response_time_sec = Some(response_time_sec);
            message.response_time_nsec = Some(response_time_nsec);
            message.response_message = Some(octets.into_vec());
        }
    }
    message
}

/// Seconds and nanoseconds; before the epoch: none of both.
fn since_epoch(time: SystemTime) -> (u64, u32) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), since.subsec_nanos())
}
