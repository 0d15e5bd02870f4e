//! Sockets, bound but not served yet.
//!
//! Rules: bound before anything starts, so that a bad address is an error of the start. Workers that share an
//! address each have a socket of their own (SO_REUSEPORT, socket(7)): the kernel spreads clients over them. Since
//! that option would also let a second process in, the address is first taken without it. An IPv6 wildcard serves
//! IPv4 too.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// Queries that wait to be read; the system may allow less.
const RECEIVE_BUFFER: usize = 4 << 20;
/// How often a free port for UDP is tried that turns out to be taken for TCP.
const TRIES: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Workers,
}

/// The sockets of one worker for plain DNS.
#[derive(Debug)]
pub struct DnsSockets {
    /// For datagrams.
    pub udp: UdpSocket,
    /// For connections.
    pub tcp: TcpListener,
}

/// A listening TCP socket. Port 0 takes any free one.
pub fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    listening(address, Sharing::Alone)
}

/// UDP and TCP on the same port, for that many workers. Port 0 takes any that is free for both.
pub fn dns(address: SocketAddr, workers: usize) -> io::Result<Vec<DnsSockets>> {
    let first = both(address)?;
    let address = first.udp.local_addr()?;
    let mut sockets = vec![first];
    while sockets.len() < workers {
        sockets.push(DnsSockets {
            udp: datagrams(address, Sharing::Workers)?,
            tcp: listening(address, Sharing::Workers)?,
        });
    }
    Ok(sockets)
}

fn both(address: SocketAddr) -> io::Result<DnsSockets> {
    let mut tries = if address.port() == 0 { TRIES } else { 1 };
    loop {
        let address = datagrams(address, Sharing::Alone)?.local_addr()?;
        tries -= 1;
        match listening(address, Sharing::Alone) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            Err(error) => return Err(error),
            Ok(alone) => {
                drop(alone);
                let udp = datagrams(address, Sharing::Workers)?;
                return Ok(DnsSockets { udp, tcp: listening(address, Sharing::Workers)? });
            }
        }
    }
}

fn listening(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let socket = bound(address, Type::STREAM, Protocol::TCP, sharing)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn datagrams(address: SocketAddr, sharing: Sharing) -> io::Result<UdpSocket> {
    let socket = bound(address, Type::DGRAM, Protocol::UDP, sharing)?;
    if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
        tracing::debug!(%error, "receive buffer stays small");
    }
    Ok(socket.into())
}

fn bound(address: SocketAddr, kind: Type, protocol: Protocol, sharing: Sharing) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    if kind == Type::STREAM {
        // Or a restart would have to wait for old connections to be forgotten.
        socket.set_reuse_address(true)?;
    }
    if sharing == Sharing::Workers {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn workers_share_one_port_for_udp_and_tcp() {
        let sockets = dns(local(0), 3).unwrap();
        let address = sockets[0].udp.local_addr().unwrap();
        assert_ne!(address.port(), 0);
        for worker in &sockets {
            assert_eq!(worker.udp.local_addr().unwrap(), address);
            assert_eq!(worker.tcp.local_addr().unwrap(), address);
        }
    }

    #[test]
    fn a_second_server_is_not_let_in() {
        let sockets = dns(local(0), 2).unwrap();
        let address = sockets[0].udp.local_addr().unwrap();
        assert_eq!(dns(address, 2).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(tcp(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
