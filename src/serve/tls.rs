//! TLS handshakes of the gRPC listener.
//!
//! Rules: a handshake runs beside everything else, has until the moment when a client must have said something, and only so
//! many run at once, of one address fewer, so that slow peers keep nobody else out. Who is refused is counted by the reason
//! and logged, of each reason a line in ten seconds at most. Without a certificate that can be used nobody is let in, and the
//! connection is closed at once: CoreDNS then asks another upstream. A client that would not be let in any more, after the
//! authorities or the list of names have changed, is asked to go like one whose connection is old.

mod sparing;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connection::{Connection, DREGS, LINGER};
use super::permits::Permits;
use crate::telemetry::metrics::{Handshake, TlsMetrics};
use crate::tls::{Certificate, CertificateDer, Identity, Reception, Refusal};
use sparing::Sparing;

/// Handshakes at once, of all peers and of one address. One takes a millisecond or two and a round trip or two.
const HANDSHAKES: usize = 256;
const HANDSHAKES_PER_SOURCE: usize = 64;

/// What is in force; empty as long as nothing can be used.
pub type Identities = watch::Receiver<Option<Arc<Identity>>>;

/// Lets clients in. Clones are the same.
#[derive(Clone, Debug)]
pub struct Gate {
    identities: Identities,
    under_way: Permits,
    metrics: TlsMetrics,
    log: Arc<Sparing>,
}

/// A client that was let in.
#[derive(Debug)]
pub(super) struct Guest {
    identities: Identities,
    /// What it has shown; empty: nothing was asked for.
    chain: Vec<CertificateDer<'static>>,
}

impl Gate {
    /// One that shows and trusts what is in force at the time.
    pub fn new(identities: Identities, metrics: &TlsMetrics) -> Self {
        let under_way = Permits::new(HANDSHAKES, HANDSHAKES_PER_SOURCE, metrics.under_way());
        Self { identities, under_way, metrics: metrics.clone(), log: Arc::default() }
    }

    /// Does the handshake; `None` when the client is refused, which is counted and told.
    pub(super) async fn admit(&self, connection: Connection) -> Option<(Connection, Guest)> {
        let peer = connection.peer();
        let permit = self.under_way.admit(peer.map(|peer| peer.ip()));
        // From here on: a change during the handshake counts as one after it.
        let mut identities = self.identities.clone();
        let identity = identities.borrow_and_update().clone();
        let secured = match (permit, identity) {
            (None, _) => Err(Refusal::new(Handshake::TooMany, "too many handshakes are under way")),
            (_, None) => Err(Refusal::new(Handshake::NotReady, "there is no certificate that can be used")),
            (Some(_permit), Some(identity)) => {
                connection.secured(async |stream, deadline| greet(&identity, stream, deadline).await).await
            }
        };
        match secured {
            Ok(connection) => {
                self.metrics.ended(Handshake::Accepted);
                let chain = connection.peer_certificates().unwrap_or_default().to_vec();
                Some((connection, Guest { identities, chain }))
            }
            Err(refusal) => {
                self.metrics.ended(refusal.outcome);
                self.log.tell(peer, &refusal);
                None
            }
        }
    }
}

async fn greet(
    identity: &Identity,
    stream: TcpStream,
    deadline: Instant,
) -> Result<TlsStream<TcpStream>, Refusal> {
    let reception =
        identity.receive().map_err(|error| Refusal::new(Handshake::NotReady, error.to_string()))?;
    let shaken =
        timeout_at(deadline, TlsAcceptor::from(Arc::clone(&reception.config)).accept(stream).into_fallible())
            .await;
    let slow = |_| Refusal::new(Handshake::TimedOut, "its handshake took too long");
    let mut stream = match shaken.map_err(slow)? {
        Ok(stream) => stream,
        Err((error, mut stream)) => {
            part(&mut stream, deadline).await;
            return Err(reception.refusal(&error));
        }
    };
    if Reception::is_h2(stream.get_ref().1.alpn_protocol()) {
        return Ok(stream);
    }
    part(&mut stream, deadline).await;
    Err(Refusal::no_h2())
}

/// Ends a connection so that what was said last arrives: closing on what the client still sends would reset it, and clients of
/// TLS 1.3 send before they know whether they are let in.
async fn part(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), deadline: Instant) {
    let end = deadline.min(Instant::now() + LINGER);
    let dregs = async {
        stream.shutdown().await?;
        let mut octets = [0; DREGS];
        while stream.read(&mut octets).await? > 0 {}
        std::io::Result::Ok(())
    };
    // However that ends.
    let _ = timeout_at(end, dregs).await;
}

impl Guest {
    /// Waits until it would not be let in any more: its certificate expires, or is no longer trusted.
    pub(super) async fn outstays(mut self) {
        if self.chain.is_empty() {
            return std::future::pending().await;
        }
        let expires = self.chain.first().and_then(Certificate::read).map_or(u64::MAX, |own| own.not_after);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // In its last second it would be let in again.
        let expiry = tokio::time::sleep(Duration::from_secs(expires.saturating_add(1)).saturating_sub(now));
        tokio::select! {
            () = expiry => tracing::debug!("a client is asked to go: its certificate has expired"),
            refusal = self.loses_trust() => tracing::info!(%refusal, "a client is asked to go"),
        }
    }

    async fn loses_trust(&mut self) -> Refusal {
        while self.identities.changed().await.is_ok() {
            let identity = self.identities.borrow_and_update().clone();
            if let Some(Err(refusal)) = identity.map(|identity| identity.still_trusts(&self.chain)) {
                return refusal;
            }
        }
        // Nobody changes anything any more: we are stopping.
        std::future::pending().await
    }
}
