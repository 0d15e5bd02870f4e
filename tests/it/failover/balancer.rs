//! A Service, as kube-proxy makes it: one address, whose connections go to the endpoints that are ready.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::process::readiness;

/// Between two looks at the endpoints; a kubelet takes longer.
const PROBED: Duration = Duration::from_millis(50);

/// Which endpoint a connection goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turns {
    /// The next one, as with IPVS.
    Taken,
    /// The same one as before, as long as it is ready, as with `sessionAffinity: ClientIP`.
    Kept,
}

/// Passes connections on until it is dropped.
pub(super) struct Balancer {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    turns: Turns,
    ended: AtomicBool,
    /// Endpoints that are ready; the first one gets the next connection.
    ready: Mutex<Vec<SocketAddr>>,
    /// Where connections went, one after the other.
    dealt: Mutex<Vec<SocketAddr>>,
}

impl Balancer {
    /// In front of these endpoints: gRPC, and the admin listener that says whether they are ready.
    pub(super) fn start(endpoints: Vec<(SocketAddr, SocketAddr)>, turns: Turns) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            turns,
            ended: AtomicBool::new(false),
            ready: Mutex::default(),
            dealt: Mutex::default(),
        });
        shared.probe(&endpoints);
        let (prober, dealer) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || {
            while !prober.ended.load(Ordering::SeqCst) {
                prober.probe(&endpoints);
                thread::sleep(PROBED);
            }
        });
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if dealer.ended.load(Ordering::SeqCst) {
                    return;
                }
                dealer.deal(&client);
            }
        });
        Self { address, shared }
    }

    /// Where connections went so far, in order.
    pub(super) fn dealt(&self) -> Vec<SocketAddr> {
        self.shared.dealt.lock().unwrap().clone()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // So that the listener looks.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// Those that are not ready lose their turn; those that are again come last.
    fn probe(&self, endpoints: &[(SocketAddr, SocketAddr)]) {
        for (grpc, admin) in endpoints {
            let is_ready = readiness(*admin).starts_with("200 ");
            let mut ready = self.ready.lock().unwrap();
            match ready.iter().position(|known| known == grpc) {
                Some(place) if !is_ready => {
                    ready.remove(place);
                }
                None if is_ready => ready.push(*grpc),
                _ => {}
            }
        }
    }

    fn deal(&self, client: &TcpStream) {
        let mut ready = self.ready.lock().unwrap();
        let Some(chosen) = ready.first().copied() else { return };
        if self.turns == Turns::Taken {
            ready.rotate_left(1);
        }
        drop(ready);
        // As with kube-proxy, nobody else is tried.
        let Ok(server) = TcpStream::connect(chosen) else { return };
        self.dealt.lock().unwrap().push(chosen);
        pass_on(client, &server);
        pass_on(&server, client);
    }
}

fn pass_on(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    from.set_nodelay(true).unwrap();
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
