//! Accepting connections and dealing them out to workers.
//!
//! Rules: one task accepts and gives each connection to the worker with the fewest, because CoreDNS opens few
//! connections and keeps them; chance would put several on one core. Failing to accept never ends the task and
//! never spins: out of file descriptors, it waits a little (accept(2), EMFILE). Beyond the limit a connection is
//! accepted and closed, which tells the client sooner than a full queue would.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::connection::{Connection, Hello, Stream};
use super::permits::{Permit, Permits};
use super::stop::Stop;

/// How long accepting rests when the system has no room for another connection.
const REST: Duration = Duration::from_millis(100);
/// Connections on the way to one worker.
const QUEUE: usize = 64;

/// A socket that connections come in on.
#[derive(Debug)]
pub enum Listening {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixListener),
}

/// A connection that no runtime has taken charge of yet.
#[derive(Debug)]
enum Peer {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// A connection on its way to a worker.
#[derive(Debug)]
pub struct Accepted {
    peer: Peer,
    permit: Permit,
    load: Arc<()>,
}

impl Listening {
    async fn next(&self) -> io::Result<(Peer, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Peer::Tcp(stream.into_std()?), Some(from.ip())))
            }
            Self::Unix(listener) => Ok((Peer::Unix(listener.accept().await?.0.into_std()?), None)),
        }
    }
}

/// Deals connections out.
#[derive(Clone, Debug)]
pub struct Dealer {
    seats: Vec<Seat>,
}

#[derive(Clone, Debug)]
struct Seat {
    queue: mpsc::Sender<Accepted>,
    /// Every connection of this worker holds a clone.
    load: Arc<()>,
}

impl Dealer {
    /// A dealer for that many workers, and what each of them takes its connections from.
    pub fn new(workers: usize, hello: Hello) -> (Self, Vec<Incoming>) {
        let (seats, incoming) = (0..workers).map(|_| Seat::new(hello)).unzip();
        (Self { seats }, incoming)
    }

    /// A dealer where there is only one to deal to.
    pub fn alone(hello: Hello) -> (Self, Incoming) {
        let (seat, incoming) = Seat::new(hello);
        (Self { seats: vec![seat] }, incoming)
    }

    async fn deal(&self, peer: Peer, permit: Permit) {
        let Some(seat) = self.seats.iter().min_by_key(|seat| Arc::strong_count(&seat.load)) else { return };
        // A worker that is gone is stopping: the connection is closed.
        let _ = seat.queue.send(Accepted { peer, permit, load: Arc::clone(&seat.load) }).await;
    }
}

impl Seat {
    fn new(hello: Hello) -> (Self, Incoming) {
        let (queue, accepted) = mpsc::channel(QUEUE);
        (Self { queue, load: Arc::new(()) }, Incoming { accepted, hello })
    }
}

/// Accepts and deals until stopped, then closes the listening socket.
pub async fn accept(listening: Listening, permits: Permits, dealer: Dealer, stop: Stop) {
    let accepting = async {
        loop {
            match listening.next().await {
                Ok((peer, from)) => match permits.admit(from) {
                    Some(permit) => dealer.deal(peer, permit).await,
                    None => tracing::debug!(?from, "connection closed: too many are open"),
                },
                Err(error) => rest(&error).await,
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.requested() => {}
    }
}

/// What to do after accepting failed: nothing if it was the peer's fault, else wait a little.
pub(super) async fn rest(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, NotConnected};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | InvalidInput | NotConnected)
    {
        tracing::debug!(%error, "connection lost before it was accepted");
    } else {
        tracing::warn!(%error, "connections cannot be accepted for the moment");
        tokio::time::sleep(REST).await;
    }
}

/// The connections of one worker.
#[derive(Debug)]
pub struct Incoming {
    accepted: mpsc::Receiver<Accepted>,
    hello: Hello,
}

impl tokio_stream::Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(Accepted { peer, permit, load }) = ready!(self.accepted.poll_recv(cx)) else {
            return Poll::Ready(None);
        };
        let stream = match peer {
            Peer::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
            Peer::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
        };
        Poll::Ready(Some(stream.map(|stream| Connection::new(stream, self.hello, permit, load))))
    }
}
