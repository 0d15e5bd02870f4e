//! An HTTP server on a thread of its own, which can be cut off from its clients.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;

use super::kube::until;
use super::process::free_address;

/// A body, whole or in the making.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;
/// Where the parts of a body in the making go. An error breaks the connection off.
pub(crate) type Parts = mpsc::Sender<Result<Frame<Bytes>, io::Error>>;

/// A body of this text.
pub(crate) fn whole(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body whose parts come one by one.
pub(crate) fn in_parts() -> (Parts, Body) {
    let (parts, receiver) = mpsc::channel(1);
    (parts, StreamBody::new(ReceiverStream::new(receiver)).boxed_unsync())
}

/// A running server. It ends with the value.
pub(crate) struct HttpServer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    reachable: Option<watch::Sender<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Starts it. `prepare` runs on its runtime and gives what answers; an error there closes the connection unanswered.
    pub(crate) fn start<A, F>(prepare: impl FnOnce() -> A + Send + 'static) -> Self
    where
        A: Fn(Request<Incoming>) -> F + 'static,
        F: Future<Output = io::Result<Response<Body>>> + 'static,
    {
        let (reachable, receiver) = watch::channel(true);
        let address = free_address();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let tasks = tokio::task::LocalSet::new();
            tasks.block_on(&runtime, async move { serve(address, receiver, Arc::new(prepare())).await });
        });
        let server = Self { address, reachable: Some(reachable), thread: Some(thread) };
        server.rejoin();
        server
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks all connections off and refuses new ones.
    pub(crate) fn part(&self) {
        self.reachable.as_ref().unwrap().send_replace(false);
        until("connections refused", || TcpStream::connect(self.address).is_err().then_some(()));
    }

    /// Listens again after that.
    pub(crate) fn rejoin(&self) {
        self.reachable.as_ref().unwrap().send_replace(true);
        until("connections taken", || TcpStream::connect(self.address).is_ok().then_some(()));
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.reachable = None;
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "a server of the test panicked");
        }
    }
}

/// How long a port may be taken.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is tried.
const PACE: Duration = Duration::from_millis(20);

/// The port is ours, but somebody else may hold it for a moment as the near end of a connection.
async fn bind(address: SocketAddr) -> TcpListener {
    let begin = Instant::now();
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{address}: {error}"),
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Serves as long as somebody may say whether it is reachable.
async fn serve<A, F>(address: SocketAddr, mut reachable: watch::Receiver<bool>, answer: Arc<A>)
where
    A: Fn(Request<Incoming>) -> F + 'static,
    F: Future<Output = io::Result<Response<Body>>> + 'static,
{
    loop {
        if !*reachable.borrow_and_update() {
            if reachable.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = bind(address).await;
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    let answer = Arc::clone(&answer);
                    connections.spawn_local(async move {
                        let service = service_fn(move |request| answer(request));
                        // How it ends is the client's business.
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    });
                }
                Some(ended) = connections.join_next() => ended.expect("an answer panics"),
                changed = reachable.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    break;
                }
            }
        }
        // Whoever finds the port closed finds the connections broken off.
        connections.shutdown().await;
    }
}
