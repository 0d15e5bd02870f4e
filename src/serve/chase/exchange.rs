//! One question to one upstream.
//!
//! Rules: a new connected UDP socket each time, so that the source port is random and only the upstream's own
//! packets arrive (RFC 5452 §9.2); packets that do not answer the query are passed over, not believed and not taken
//! for a failure; a truncated reply is asked for again over TCP (RFC 7766 §5).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::wire::{Chase, ChaseKey};

/// More than the 1232 octets that the query offers, for upstreams that do not care.
const LARGEST_DATAGRAM: usize = 4096;

/// A question, to whom, and under which id.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) key: &'a ChaseKey,
    pub(super) server: SocketAddr,
    pub(super) id: u16,
}

/// What came back.
#[derive(Debug)]
pub(super) enum Reply {
    /// NOERROR or NXDOMAIN.
    Usable(Arc<[u8]>),
    /// The server says that it cannot or will not answer: another one may.
    Unable,
}

impl Exchange<'_> {
    /// Asks. It waits as long as it is let.
    pub(super) async fn run(&self) -> io::Result<Reply> {
        let query = self.key.query(self.id);
        let mut packet = self.over_udp(&query).await?;
        if Chase::is_truncated(&packet) {
            packet = self.over_tcp(&query).await?;
        }
        let usable = packet.get(3).is_some_and(|octet| matches!(octet & 0x0f, 0 | 3));
        Ok(if usable { Reply::Usable(packet.into()) } else { Reply::Unable })
    }

    async fn over_udp(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        let any: SocketAddr = match self.server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(self.server).await?;
        socket.send(query).await?;
        let mut packet = vec![0; LARGEST_DATAGRAM];
        loop {
            let length = socket.recv(&mut packet).await?;
            if self.key.accepts(self.id, &packet[..length]) {
                packet.truncate(length);
                return Ok(packet);
            }
        }
    }

    async fn over_tcp(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.server).await?;
        let length = u16::try_from(query.len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes()[..], query].concat()).await?;
        let mut packet = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut packet).await?;
        if self.key.accepts(self.id, &packet) {
            Ok(packet)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the reply does not answer the query"))
        }
    }
}
