//! A proxy in front of a real API server that makes it fail, in ways that change while it runs.
//!
//! Clients speak plain HTTP to it; it passes their tokens on. Of several faults that a request falls under, the one that
//! was inflicted last holds.

mod board;
mod fault;
mod relay;
mod requests;

use std::io;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, TRANSFER_ENCODING,
};
use hyper::{Request, Response};
use kube::Client;

pub(crate) use fault::{Fault, status};
pub(crate) use requests::{Asked, Kind, Requests};

use self::board::Board;
use self::relay::Relay;
use super::http::{Body, HttpServer, in_parts, whole};
use super::kube::{ControlPlane, until};

/// A proxy that can be told to fail. It ends with the value.
pub(crate) struct FaultyProxy {
    server: HttpServer,
    board: Arc<Board>,
}

impl FaultyProxy {
    /// One in front of this control plane, without any fault yet.
    pub(crate) fn before(plane: &ControlPlane) -> Self {
        let board = Arc::new(Board::default());
        let (shared, config) = (Arc::clone(&board), plane.unauthenticated());
        let server = HttpServer::start(move || {
            let upstream = Client::try_from(config).expect("the control plane can be connected to");
            move |request| answer(Arc::clone(&shared), upstream.clone(), request)
        });
        Self { server, board }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// From now on these requests suffer this, and those of them that are being answered where the fault says so.
    pub(crate) fn inflict(&self, on: Requests, fault: Fault) {
        self.board.inflict(on, fault, None);
    }

    /// Only as many of these requests suffer this, and only new ones.
    pub(crate) fn inflict_times(&self, times: usize, on: Requests, fault: Fault) {
        self.board.inflict(on, fault, Some(times));
    }

    /// Takes away what was inflicted on exactly these.
    pub(crate) fn heal(&self, on: Requests) {
        self.board.heal(&on);
    }

    /// Breaks all connections off and refuses new ones.
    pub(crate) fn part(&self) {
        self.server.part();
    }

    /// Takes connections again after that.
    pub(crate) fn rejoin(&self) {
        self.server.rejoin();
    }

    /// The requests so far, in their order.
    pub(crate) fn asked(&self, requests: Requests) -> Vec<Asked> {
        self.board.asked(&requests)
    }

    /// How many of these were answered so far, by whom and with what ever.
    pub(crate) fn answered(&self, requests: Requests) -> usize {
        self.asked(requests).iter().filter(|asked| asked.answered.is_some()).count()
    }

    /// How many of these are being answered now: watches that stand.
    pub(crate) fn running(&self, requests: Requests) -> usize {
        self.asked(requests).iter().filter(|asked| asked.answered == Some(200) && !asked.over).count()
    }

    /// Waits until so many of these were answered.
    pub(crate) fn wait_for(&self, requests: Requests, answered: usize) {
        until(&format!("{answered} answers to {requests:?}"), || {
            (self.answered(requests) >= answered).then_some(())
        });
    }
}

/// Notes that an answer is over when it is dropped, for whatever reason.
struct Noted {
    board: Arc<Board>,
    number: usize,
}

impl Noted {
    fn answered(&self, code: u16) {
        self.board.update(self.number, |asked| asked.answered = Some(code));
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.board.update(self.number, |asked| asked.over = true);
    }
}

async fn answer(
    board: Arc<Board>,
    upstream: Client,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let asked = Asked::read(request.method(), request.uri(), request.headers());
    let noted = Noted { number: board.note(asked.clone()), board: Arc::clone(&board) };
    let struck = board.strike(&asked);
    match struck.as_ref().map(|inflicted| &inflicted.fault) {
        Some(&Fault::Answer { code, retry_after }) => {
            noted.answered(code);
            let mut reply = Response::builder().status(code).header(CONTENT_TYPE, "application/json");
            if let Some(seconds) = retry_after {
                reply = reply.header(RETRY_AFTER, seconds);
            }
            return Ok(reply.body(whole(status(code))).unwrap());
        }
        Some(&Fault::Page(code)) => {
            noted.answered(code);
            let reply = Response::builder().status(code).header(CONTENT_TYPE, "text/html");
            return Ok(reply.body(whole("<html><body><h1>Bad gateway</h1></body></html>")).unwrap());
        }
        Some(Fault::HangUp) => return Err(io::Error::other("the test hangs up")),
        Some(&Fault::Delay(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let own = struck.filter(|inflicted| inflicted.is_for_few());
    let mut changes = board.changes();
    while own
        .as_ref()
        .or(board.weigh_on(&asked).as_ref())
        .is_some_and(|inflicted| inflicted.fault == Fault::Freeze)
    {
        // The board outlives its changes.
        let _ = changes.changed().await;
    }
    let reply = upstream.send(forwarded(request).await?).await.map_err(io::Error::other)?;
    noted.answered(reply.status().as_u16());
    let (mut head, body) = reply.into_parts();
    // How the body is framed is for this connection to say.
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION] {
        head.headers.remove(name);
    }
    let (to, parts) = in_parts();
    tokio::task::spawn_local(async move {
        Relay { board: &board, asked: &asked, own, to }.run(body).await;
        drop(noted);
    });
    Ok(Response::from_parts(head, parts))
}

/// The request as it goes on: nothing compressed, since faults are about events and octets.
async fn forwarded(request: Request<Incoming>) -> io::Result<Request<kube::client::Body>> {
    let (mut head, body) = request.into_parts();
    for name in [HOST, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Request::from_parts(head, kube::client::Body::from(body.to_vec())))
}
