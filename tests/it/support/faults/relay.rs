//! The way of a response's body through the proxy.

use std::collections::VecDeque;
use std::io;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame};
use serde_json::Value;
use tokio::time::sleep;

use super::super::http::Parts;
use super::board::{Board, Inflicted};
use super::fault::{self, Fault};
use super::requests::{Asked, Kind};

/// How many octets are garbled.
const GARBLED: usize = 16;

/// A body on its way.
pub(super) struct Relay<'a> {
    pub(super) board: &'a Board,
    pub(super) asked: &'a Asked,
    /// What this response alone suffers from.
    pub(super) own: Option<Inflicted>,
    pub(super) to: Parts,
}

/// What has been passed on, and what not yet.
#[derive(Default)]
struct Passing {
    /// The part of an event that has come so far.
    begun: Vec<u8>,
    /// What is to be sent: whole events of a watch, anything of a list.
    ready: VecDeque<Bytes>,
    /// An event that waits for the next one.
    held: Option<Bytes>,
    /// The number of the fault.
    under: Option<u64>,
    /// Octets since it began.
    passed: usize,
}

/// Nobody listens any more, or nobody shall hear any more.
struct Over;

impl Relay<'_> {
    /// Passes everything on, or not, until either side ends.
    pub(super) async fn run(self, mut from: kube::client::Body) {
        let mut changes = self.board.changes();
        let mut passing = Passing::default();
        loop {
            changes.mark_unchanged();
            let inflicted = self.own.clone().or_else(|| self.board.weigh_on(self.asked));
            passing.begin(inflicted.as_ref().map(|inflicted| inflicted.number));
            let fault = inflicted.map(|inflicted| inflicted.fault);
            let mut waits = passing.ready.is_empty();
            match &fault {
                Some(Fault::Freeze) => waits = true,
                Some(Fault::ErrorEvent { code }) if self.is_watch() => {
                    let event = format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", fault::status(*code));
                    let _ = self.send(event.into()).await;
                    return;
                }
                Some(Fault::HangUp) => return self.break_off().await,
                Some(Fault::Cut { after }) if passing.passed >= *after => return self.break_off().await,
                _ => {}
            }
            if !waits {
                if self.pass(&mut passing, fault.as_ref()).await.is_err() {
                    return;
                }
                continue;
            }
            let frozen = fault == Some(Fault::Freeze);
            tokio::select! {
                frame = from.frame(), if !frozen => match frame {
                    Some(Ok(frame)) => passing.take(frame.into_data().unwrap_or_default(), self.is_watch()),
                    Some(Err(_)) => return self.break_off().await,
                    None => return self.end(passing).await,
                },
                _ = changes.changed() => {}
                () = self.to.closed() => return,
            }
        }
    }

    fn is_watch(&self) -> bool {
        matches!(self.asked.kind, Kind::Watch | Kind::StreamedList)
    }

    /// Sends the next piece as the fault has it.
    async fn pass(&self, passing: &mut Passing, fault: Option<&Fault>) -> Result<(), Over> {
        let Some(mut piece) = passing.ready.pop_front() else { return Ok(()) };
        match fault {
            Some(Fault::Duplicate) if self.is_watch() => self.send(piece.clone()).await?,
            Some(Fault::Reorder) if self.is_watch() => match passing.held.take() {
                Some(held) => {
                    self.send(piece).await?;
                    piece = held;
                }
                None => {
                    passing.held = Some(piece);
                    return Ok(());
                }
            },
            Some(Fault::Lose(kind)) if event_type(&piece).as_deref() == Some(kind) => return Ok(()),
            Some(Fault::Cut { after }) => piece.truncate(after - passing.passed),
            Some(Fault::Garble { after, with }) => piece = garbled(&piece, passing.passed, *after, *with),
            Some(Fault::Trickle { octets, every }) => {
                if piece.len() > *octets {
                    passing.ready.push_front(piece.split_off(*octets));
                }
                sleep(*every).await;
            }
            _ => {}
        }
        passing.passed += piece.len();
        self.send(piece).await
    }

    async fn send(&self, piece: Bytes) -> Result<(), Over> {
        self.to.send(Ok(Frame::data(piece))).await.map_err(|_| Over)
    }

    /// The end of a body that is not its end.
    async fn break_off(&self) {
        let _ = self.to.send(Err(io::Error::other("broken off by the test"))).await;
    }

    /// What is left, and the end.
    async fn end(&self, passing: Passing) {
        for piece in passing.held.into_iter().chain(passing.ready).chain([passing.begun.into()]) {
            if self.send(piece).await.is_err() {
                return;
            }
        }
    }
}

impl Passing {
    /// Starts to count anew if this is another fault.
    fn begin(&mut self, under: Option<u64>) {
        if self.under != under {
            self.under = under;
            self.passed = 0;
            if let Some(held) = self.held.take() {
                self.ready.push_front(held);
            }
        }
    }

    /// What came; events wait until they are whole.
    fn take(&mut self, data: Bytes, in_lines: bool) {
        if !in_lines {
            return self.ready.push_back(data);
        }
        for part in data.split_inclusive(|&octet| octet == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.ready.push_back(std::mem::take(&mut self.begun).into());
            }
        }
    }
}

/// The type of a watch event.
fn event_type(event: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(event).ok()?;
    event["type"].as_str().map(str::to_owned)
}

/// A piece that begins at `passed` with some octets overwritten.
fn garbled(piece: &Bytes, passed: usize, after: usize, with: u8) -> Bytes {
    let mut octets = piece.to_vec();
    for (place, octet) in octets.iter_mut().enumerate() {
        if (after..after + GARBLED).contains(&(passed + place)) {
            *octet = with;
        }
    }
    octets.into()
}
