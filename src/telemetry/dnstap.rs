//! dnstap: queries and replies as they were on the wire, sent to whoever collects them.
//!
//! Rules: nobody waits for the collector. A worker copies a message into a queue, and what does not fit is dropped and counted. Both
//! messages of a query belong to the sample or neither does, and both carry the id of the query, which log and traces have too.

mod frames;
mod message;
mod stream;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Instant, SystemTime};

use tokio::sync::mpsc;

use super::metrics::{DnstapMetrics, Listener, Rcode};
use super::witness::{Begun, Ended, QueryNumber, Share};

pub use stream::{Farewell, Sending};

/// Messages that wait to be sent, and their octets; more are dropped.
const WAITING: usize = 8192;
const WAITING_OCTETS: usize = 8 << 20;

/// Where messages go, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct DnstapSettings {
    /// Who collects them.
    pub endpoint: DnstapEndpoint,
    /// Of all queries this part, above 0 and up to 1.
    pub ratio: f64,
    /// What this server is called; none: by the name of its machine.
    pub identity: Option<String>,
}

/// Who collects messages, over frame streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnstapEndpoint {
    /// At a Unix socket.
    Unix(PathBuf),
    /// At a TCP port: `host:port`.
    Tcp(String),
}

impl fmt::Display for DnstapEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

/// A message of the sample.
#[derive(Debug)]
struct Tapped {
    number: QueryNumber,
    listener: Listener,
    peer: Option<SocketAddr>,
    asked: SystemTime,
    /// Of a reply.
    answered: Option<SystemTime>,
    octets: Box<[u8]>,
}

/// Where workers put messages.
#[derive(Debug)]
pub struct Tap {
    share: Share,
    queue: mpsc::Sender<Tapped>,
    /// In the queue.
    waiting: Arc<AtomicUsize>,
    metrics: DnstapMetrics,
}

impl Tap {
    /// A way to the collector. Nothing is sent before [`Sending::run`].
    pub fn new(settings: &DnstapSettings, metrics: &DnstapMetrics) -> (Self, Sending, Farewell) {
        let (queue, tapped) = mpsc::channel(WAITING);
        let waiting = Arc::<AtomicUsize>::default();
        let (sending, farewell) = Sending::new(settings, tapped, Arc::clone(&waiting), metrics);
        (
            Self { share: Share::of(settings.ratio), queue, waiting, metrics: metrics.clone() },
            sending,
            farewell,
        )
    }

    /// Sees to a query that was read.
    #[inline]
    pub(super) fn begun(&self, query: &Begun<'_>) {
        if self.share.has(query.number) {
            self.put(Tapped {
                number: query.number,
                listener: query.listener,
                peer: query.peer,
                asked: at(query.started),
                answered: None,
                octets: query.packet.into(),
            });
        }
    }

    /// Sees to the reply of a query, if there is one.
    #[inline]
    pub(super) fn ended(&self, query: &Ended<'_>) {
        let is_reply = !matches!(query.rcode, Rcode::Status | Rcode::Dropped);
        if is_reply && self.share.has(query.number) {
            self.put(Tapped {
                number: query.number,
                listener: query.listener,
                peer: query.peer,
                asked: at(query.started),
                answered: Some(SystemTime::now()),
                octets: query.message.into(),
            });
        }
    }

    fn put(&self, tapped: Tapped) {
        let octets = tapped.octets.len();
        let had = self.waiting.fetch_add(octets, Relaxed);
        if had > WAITING_OCTETS || self.queue.try_send(tapped).is_err() {
            self.waiting.fetch_sub(octets, Relaxed);
            self.metrics.dropped(1);
        }
    }
}

/// What the clock said then, if nobody has set it since.
fn at(moment: Instant) -> SystemTime {
    let now = SystemTime::now();
    now.checked_sub(moment.elapsed()).unwrap_or(now)
}

#[cfg(test)]
mod tests;
