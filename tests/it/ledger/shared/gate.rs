//! The way of one replica to the API server, which can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

const OPEN: u8 = 0;
const SILENT: u8 = 1;
const CLOSED: u8 = 2;
const PACE: Duration = Duration::from_millis(5);

/// A relay. While it is silent, it keeps what comes and passes it on later; closed, it breaks every connection.
pub(super) struct Gate {
    pub(super) address: SocketAddr,
    state: Arc<AtomicU8>,
}

impl Gate {
    pub(super) fn new(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(AtomicU8::new(OPEN));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.load(Ordering::SeqCst) == CLOSED {
                    continue;
                }
                let Ok(server) = TcpStream::connect(to) else { continue };
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                relay(up, server, Arc::clone(&shared));
                relay(down, client, Arc::clone(&shared));
            }
        });
        Self { address, state }
    }

    pub(super) fn open(&self) {
        self.state.store(OPEN, Ordering::SeqCst);
    }

    pub(super) fn silence(&self) {
        self.state.store(SILENT, Ordering::SeqCst);
    }

    pub(super) fn close(&self) {
        self.state.store(CLOSED, Ordering::SeqCst);
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, state: Arc<AtomicU8>) {
    from.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    thread::spawn(move || {
        let mut octets = [0; 16 << 10];
        loop {
            let read = from.read(&mut octets);
            while state.load(Ordering::SeqCst) == SILENT {
                thread::sleep(PACE);
            }
            if state.load(Ordering::SeqCst) == CLOSED {
                break;
            }
            match read {
                Ok(0) => break,
                Ok(count) if to.write_all(&octets[..count]).is_ok() => {}
                Ok(_) => break,
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(_) => break,
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
