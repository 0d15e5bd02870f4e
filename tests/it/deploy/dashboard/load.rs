//! Clients: queries over UDP at a pace that can be changed.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};

/// Between two looks at how many queries are due.
const PACE: Duration = Duration::from_millis(5);

/// They ask until the value goes.
pub(super) struct Load {
    a_second: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    asking: Option<JoinHandle<()>>,
}

impl Load {
    /// Asks these questions of these servers in turn, so many a second.
    pub(super) fn start(servers: &[SocketAddr], questions: &[(String, RecordType)], a_second: u32) -> Self {
        let (a_second, stop) = (Arc::new(AtomicU32::new(a_second)), Arc::<AtomicBool>::default());
        let packets: Vec<_> = questions.iter().map(|(name, kind)| packet(name, *kind)).collect();
        let sockets: Vec<_> = servers.iter().map(|server| connected(*server)).collect();
        let asking = {
            let (a_second, stop) = (Arc::clone(&a_second), Arc::clone(&stop));
            thread::spawn(move || ask(&sockets, &packets, &a_second, &stop))
        };
        Self { a_second, stop, asking: Some(asking) }
    }

    /// From now on so many a second.
    pub(super) fn set(&self, a_second: u32) {
        self.a_second.store(a_second, Ordering::Relaxed);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.asking.take().map(JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|ended| ended.is_ok()), "clients gave up");
    }
}

fn ask(sockets: &[UdpSocket], packets: &[Vec<u8>], a_second: &AtomicU32, stop: &AtomicBool) {
    let (mut due, mut at, mut sent) = (0.0, Instant::now(), 0);
    let mut reply = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        due += at.elapsed().as_secs_f64() * f64::from(a_second.load(Ordering::Relaxed));
        at = Instant::now();
        while due >= 1.0 {
            due -= 1.0;
            // Nobody listens there for a moment, maybe.
            let _ = sockets[sent % sockets.len()].send(&packets[sent / sockets.len() % packets.len()]);
            sent += 1;
        }
        sockets.iter().for_each(|socket| while socket.recv(&mut reply).is_ok() {});
        thread::sleep(PACE);
    }
}

fn connected(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn packet(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}
