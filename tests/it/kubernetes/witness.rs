//! Somebody who asks for the same names all the time and remembers every wrong answer.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// Pause between two questions.
const PACE: Duration = Duration::from_millis(5);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The names and their addresses, asked in turn.
pub(crate) struct Witness {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    wrong: Option<JoinHandle<Vec<String>>>,
}

impl Witness {
    /// Begins to ask.
    pub(crate) fn of(server: SocketAddr, names: Vec<(String, IpAddr)>) -> Self {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (over, count, begin) = (Arc::clone(&stop), Arc::clone(&asked), Instant::now());
        let wrong = spawn(move || {
            let mut wrong = Vec::new();
            for (id, (name, address)) in (0u16..).cycle().zip(names.iter().cycle()) {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let reply = ask(server, id, name);
                count.fetch_add(1, Ordering::Relaxed);
                if !reply.as_ref().is_some_and(|reply| has(reply, *address)) {
                    let rcode =
                        reply.map_or("no answer".to_owned(), |reply| format!("rcode {}", reply[3] & 15));
                    wrong.push(format!("{:?}: {name} has not {address}: {rcode}", begin.elapsed()));
                }
                std::thread::sleep(PACE);
            }
            wrong
        });
        Self { stop, asked, wrong: Some(wrong) }
    }

    /// How many questions were answered so far, rightly or not.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Every wrong answer; there must have been questions at all.
    pub(crate) fn wrong(mut self) -> Vec<String> {
        assert!(self.asked() > 0, "nobody asked anything");
        self.stop.store(true, Ordering::Relaxed);
        self.wrong.take().unwrap().join().unwrap()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Asks once for addresses of the family that the name has; `None` without a reply.
fn ask(server: SocketAddr, id: u16, name: &str) -> Option<Vec<u8>> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    let socket = UdpSocket::bind(("127.0.0.1", 0)).ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    socket.send_to(&query, server).ok()?;
    let mut reply = vec![0; 4096];
    let length = socket.recv(&mut reply).ok()?;
    reply.truncate(length);
    (length > 12 && reply[..2] == query[..2]).then_some(reply)
}

/// Whether a reply is positive and has this address.
fn has(reply: &[u8], address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { panic!("only IPv4 addresses are asked for") };
    reply[3] & 15 == 0 && reply.windows(6).any(|part| part[..2] == [0, 4] && part[2..] == address.octets())
}
