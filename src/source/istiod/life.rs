//! A connection that knows when something was last heard on it.
//!
//! HTTP/2 gives up a connection whose pings are not answered, but then its streams only see that it is gone, as they
//! would if the peer had closed it. Here the difference shows, and how long ago the peer was last known to live.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What was heard of the peer; clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Life(Arc<Mutex<Heard>>);

#[derive(Debug)]
struct Heard {
    last: Instant,
    /// The peer, or the system in its place, said that this is the end.
    ended: bool,
}

/// A socket that keeps a [`Life`].
#[derive(Debug)]
pub(super) struct Heeded {
    socket: TcpStream,
    life: Life,
}

impl Life {
    /// Begins now.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Heard { last: Instant::now(), ended: false })))
    }

    /// For how long nothing was heard, if the connection did not end by then.
    pub(super) fn silence(&self) -> Option<Duration> {
        let heard = self.heard();
        (!heard.ended).then(|| heard.last.elapsed())
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heeded {
    /// A socket, and where to write down what is heard on it.
    pub(super) fn new(socket: TcpStream, life: Life) -> Self {
        Self { socket, life }
    }
}

impl AsyncRead for Heeded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.socket).poll_read(cx, buffer));
        let mut heard = self.life.heard();
        heard.last = Instant::now();
        heard.ended = read.is_err() || buffer.filled().len() == before;
        Poll::Ready(read)
    }
}

impl AsyncWrite for Heeded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
