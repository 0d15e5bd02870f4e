//! Asking a server over UDP, and waiting.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support;

/// How often it is looked whether something has happened.
const PACE: Duration = Duration::from_micros(250);
/// How long something may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A socket that asks there.
pub(crate) fn connected(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    socket
}

/// What is answered for the addresses of a name, if anything is.
pub(crate) fn asked(socket: &UdpSocket, name: &str) -> Option<Vec<u8>> {
    let mut reply = [0; 4096];
    socket.send(&support::query(name, 1)).ok()?;
    let length = socket.recv(&mut reply).ok()?;
    Some(reply[..length].to_vec())
}

/// Whether an address is in a reply.
pub(crate) fn contains(reply: &[u8], address: Ipv4Addr) -> bool {
    reply.windows(4).any(|octets| octets == address.octets())
}

/// Waits until something is so.
pub(crate) fn until(what: &str, met: impl FnMut() -> bool) {
    until_every(PACE, what, met);
}

/// The same, looking so often.
pub(crate) fn until_every(pace: Duration, what: &str, mut met: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !met() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(pace);
    }
}
