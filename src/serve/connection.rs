//! An accepted connection, as HTTP servers get it.
//!
//! Rules: a client that connects and says nothing is closed: its first octets (for HTTP/2 the connection preface
//! and the head of a frame, RFC 9113 §3.4) must be there by a deadline. HTTP libraries wait for them for ever.
//! Afterwards HTTP/2 pings or HTTP/1 header deadlines take over. A connection that we end is not closed before the
//! peer has ended it too, or a little time is over: closing on what is still on its way resets the connection, and
//! that can take the last replies with it (RFC 9112 §9.6). A connection may have a last moment, after which it is
//! closed whatever happens on it.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::time::Sleep;
use tonic::transport::server::Connected;

use super::permits::Permit;

/// What a client must say soon after it connected.
#[derive(Clone, Copy, Debug)]
pub struct Hello {
    /// How many octets.
    pub octets: usize,
    /// How soon.
    pub within: Duration,
}

impl Hello {
    /// HTTP/2: the preface of 24 octets and a frame's head of 9.
    pub const HTTP2: Self = Self { octets: 33, within: Duration::from_secs(10) };
    /// HTTP/1: as much as the shortest request line.
    pub const HTTP1: Self = Self { octets: 16, within: Duration::from_secs(10) };
}

/// How long a peer may take to end its side after us.
const LINGER: Duration = Duration::from_secs(1);
/// What it still says is read in pieces of that size, and dropped.
const DREGS: usize = 1024;

/// A byte stream of either family.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection that holds its permit and has to say hello.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    hello: Option<(usize, Pin<Box<Sleep>>)>,
    /// Until when we wait for the peer, once we have said our last.
    linger: Option<Pin<Box<Sleep>>>,
    /// Its last moment, if it has one.
    last: Option<Pin<Box<Sleep>>>,
    /// Dropped with the connection.
    watched: Option<oneshot::Sender<Infallible>>,
    _permit: Permit,
    _load: Arc<()>,
}

impl Connection {
    pub(super) fn new(stream: Stream, hello: Hello, permit: Permit, load: Arc<()>) -> Self {
        let hello = Some((hello.octets, Box::pin(tokio::time::sleep(hello.within))));
        Self { stream, hello, linger: None, last: None, watched: None, _permit: permit, _load: load }
    }

    /// Closes it after that time at the latest.
    pub(super) fn close_within(&mut self, time: Duration) {
        self.last = Some(Box::pin(tokio::time::sleep(time)));
    }

    /// What fails when the connection is gone.
    pub(super) fn watch(&mut self) -> oneshot::Receiver<Infallible> {
        let (watched, open) = oneshot::channel();
        self.watched = Some(watched);
        open
    }
}

impl Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    /// Reads until there is nothing more, or never will be.
    fn poll_drop_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut octets = [0; DREGS];
        loop {
            let mut buf = ReadBuf::new(&mut octets);
            match ready!(self.poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = this.stream.poll_read(cx, buf);
        if let Some((missing, deadline)) = &mut this.hello {
            *missing = missing.saturating_sub(buf.filled().len() - before);
            if *missing == 0 {
                this.hello = None;
            } else if polled.is_pending() && deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        if polled.is_pending()
            && let Some(last) = &mut this.last
            && last.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(this.stream.poll_shutdown(cx))?;
        }
        let linger = this.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if this.stream.poll_drop_rest(cx).is_ready() || linger.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}
