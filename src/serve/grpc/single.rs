//! One connection as all that ever comes in.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;
use tokio_stream::Stream;

use crate::serve::connection::Connection;

/// Gives the connection, and ends when that is closed.
#[derive(Debug)]
pub(super) struct Single {
    connection: Option<Connection>,
    /// Fails when the connection is gone.
    open: oneshot::Receiver<Infallible>,
}

impl Single {
    pub(super) fn new(mut connection: Connection) -> Self {
        let open = connection.watch();
        Self { connection: Some(connection), open }
    }
}

impl Stream for Single {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(connection) = self.connection.take() {
            return Poll::Ready(Some(Ok(connection)));
        }
        let Err(_) = ready!(Pin::new(&mut self.open).poll(cx));
        Poll::Ready(None)
    }
}
