//! Asks one server very many questions, many at a time, over UDP and TCP.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Questions under way over UDP: their replies fit into the buffer of the socket.
const UDP_AT_ONCE: usize = 24;
/// And on one connection, where CoreDNS answers one after the other.
const TCP_AT_ONCE: usize = 24;
/// Connections.
const CONNECTIONS: usize = 3;
/// How long a reply may take, try by try. A reply that never comes is an answer too.
const PATIENCE: [Duration; 3] = [Duration::from_millis(700), Duration::from_secs(2), Duration::from_secs(5)];
/// How long to wait for anything to happen.
const PAUSE: Duration = Duration::from_millis(20);

/// A question as it is sent. The first two octets are the client's.
pub(super) struct Packet {
    pub(super) octets: Vec<u8>,
    pub(super) over_tcp: bool,
}

/// The replies, in the order of the questions; `None`: there was none after several tries.
pub(super) fn ask(server: SocketAddr, packets: &[Packet]) -> Vec<Option<Vec<u8>>> {
    let (tcp, udp): (Vec<usize>, Vec<usize>) = (0..packets.len()).partition(|at| packets[*at].over_tcp);
    let mut replies: Vec<Option<Vec<u8>>> = vec![None; packets.len()];
    std::thread::scope(|scope| {
        let over_udp = scope.spawn(|| Datagrams::to(server).ask(packets, &udp));
        let part = tcp.len().div_ceil(CONNECTIONS).max(1);
        let over_tcp: Vec<_> =
            tcp.chunks(part).map(|part| scope.spawn(|| over_connection(server, packets, part))).collect();
        for task in [over_udp].into_iter().chain(over_tcp) {
            for (at, reply) in task.join().unwrap() {
                replies[at] = Some(reply);
            }
        }
    });
    replies
}

/// Replies by the place of their question.
type Replies = BTreeMap<usize, Vec<u8>>;

struct Datagrams {
    socket: UdpSocket,
    octets: Vec<u8>,
}

/// A question that was sent.
struct Sent {
    at: usize,
    since: Instant,
    tries: usize,
}

impl Datagrams {
    fn to(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(PAUSE)).unwrap();
        Self { socket, octets: vec![0; 65_535] }
    }

    fn ask(&mut self, packets: &[Packet], places: &[usize]) -> Replies {
        let (mut replies, mut waiting) = (Replies::new(), BTreeMap::<u16, Sent>::new());
        let mut next = places.iter();
        let mut id = 0_u16;
        loop {
            while waiting.len() < UDP_AT_ONCE
                && let Some(at) = next.next()
            {
                id = id.wrapping_add(1);
                self.send(id, &packets[*at]);
                waiting.insert(id, Sent { at: *at, since: Instant::now(), tries: 1 });
            }
            if waiting.is_empty() {
                return replies;
            }
            if let Ok(length) = self.socket.recv(&mut self.octets)
                && let Some(sent) = self.octets[..length]
                    .first_chunk()
                    .and_then(|id| waiting.remove(&u16::from_be_bytes(*id)))
            {
                replies.insert(sent.at, self.octets[..length].to_vec());
                continue;
            }
            waiting.retain(|id, sent| {
                if sent.since.elapsed() < PATIENCE[sent.tries - 1] {
                    return true;
                }
                sent.tries += 1;
                if sent.tries <= PATIENCE.len() {
                    self.send(*id, &packets[sent.at]);
                    sent.since = Instant::now();
                }
                sent.tries <= PATIENCE.len()
            });
        }
    }

    fn send(&self, id: u16, packet: &Packet) {
        let mut octets = packet.octets.clone();
        octets[..2].copy_from_slice(&id.to_be_bytes());
        self.socket.send(&octets).unwrap();
    }
}

/// Asks on connections, one after the other; what stays without a reply is asked once more on one of its own.
fn over_connection(server: SocketAddr, packets: &[Packet], places: &[usize]) -> Replies {
    let mut replies = Replies::new();
    for group in places.chunks(TCP_AT_ONCE) {
        let mut stream = connected(server, PATIENCE[1]);
        replies.extend(exchange(&mut stream, packets, group));
        for at in group {
            if !replies.contains_key(at) {
                let mut stream = connected(server, PATIENCE[1]);
                replies.extend(exchange(&mut stream, packets, &[*at]));
            }
        }
    }
    replies
}

fn connected(server: SocketAddr, patience: Duration) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream
}

/// Sends these and reads as many replies as come.
fn exchange(stream: &mut TcpStream, packets: &[Packet], places: &[usize]) -> Replies {
    let mut octets = Vec::new();
    for (id, at) in places.iter().enumerate() {
        let packet = &packets[*at].octets;
        octets.extend((packet.len() as u16).to_be_bytes());
        octets.extend((id as u16).to_be_bytes());
        octets.extend(&packet[2..]);
    }
    stream.write_all(&octets).unwrap();
    let mut replies = Replies::new();
    while replies.len() < places.len()
        && let Some(reply) = framed(stream)
    {
        let id = u16::from_be_bytes(*reply.first_chunk().unwrap());
        replies.insert(places[usize::from(id)], reply);
    }
    replies
}

fn framed(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut octets).ok()?;
    Some(octets)
}
