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
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::permits::Permit;
use crate::tls::CertificateDer;

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
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// What it still says is read in pieces of that size, and dropped.
pub(super) const DREGS: usize = 1024;

/// A byte stream of either family, or over TLS.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// When something ends.
type Moment = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a connection is from; nowhere, if not from a network.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub(super) Option<SocketAddr>);

/// A connection that holds its permit and has to say hello.
pub struct Connection {
    stream: Stream,
    hello: Option<(usize, Pin<Box<Sleep>>)>,
    /// Until when we wait for the peer, once we have said our last.
    linger: Option<Pin<Box<Sleep>>>,
    /// Its last moment, if it has one.
    last: Option<Moment>,
    /// Dropped with the connection.
    watched: Option<oneshot::Sender<Infallible>>,
    _permit: Permit,
    _load: Arc<()>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(stream: Stream, hello: Hello, permit: Permit, load: Arc<()>) -> Self {
        let hello = Some((hello.octets, Box::pin(tokio::time::sleep(hello.within))));
        Self { stream, hello, linger: None, last: None, watched: None, _permit: permit, _load: load }
    }

    /// Closes it at that moment at the latest.
    pub(super) fn close_at(&mut self, moment: impl Future<Output = ()> + Send + 'static) {
        self.last = Some(Box::pin(moment));
    }

    /// The address of the other end, if it is on a network.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        match &self.stream {
            Stream::Tcp(stream) => stream.peer_addr().ok(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr().ok(),
            Stream::Unix(_) => None,
        }
    }

    /// Whether it is over a Unix socket.
    pub(super) fn is_unix(&self) -> bool {
        matches!(self.stream, Stream::Unix(_))
    }

    /// Whether it is open to a network as it is.
    pub(super) fn is_plain_tcp(&self) -> bool {
        matches!(self.stream, Stream::Tcp(_))
    }

    /// Does a handshake, which has to be over when the first words of the client must be there. Unix sockets have none.
    pub(super) async fn secured<E>(
        self,
        handshake: impl AsyncFnOnce(TcpStream, Instant) -> Result<TlsStream<TcpStream>, E>,
    ) -> Result<Self, E> {
        let deadline = self.hello.as_ref().map_or_else(Instant::now, |(_, sleep)| sleep.deadline());
        let stream = match self.stream {
            Stream::Tcp(stream) => Stream::Tls(Box::new(handshake(stream, deadline).await?)),
            other => other,
        };
        Ok(Self { stream, ..self })
    }

    /// The certificates that the other end has shown, its own first.
    pub(super) fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        match &self.stream {
            Stream::Tls(stream) => stream.get_ref().1.peer_certificates(),
            Stream::Tcp(_) | Stream::Unix(_) => None,
        }
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
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
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
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
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
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
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
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer(self.peer())
    }
}
