//! A worker: one thread, one runtime, and the listeners that it serves.
//!
//! Rules: nothing that a query needs is shared with other workers, but the catalog, the lookups under way and
//! counters of connections. A worker tells when it is done, and then waits to be released.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinError, JoinSet};

use super::bound::GrpcSocket;
use super::failure::RunError;
use super::settings::Limits;
use crate::catalog::Catalog;
use crate::serve::chase::Chaser;
use crate::serve::socket::DnsSockets;
use crate::serve::{
    Answerer, Dealer, Gate, Incoming, Listening, Liveness, Permits, Readiness, Stop, StopSignal, accept,
    grpc, tcp, udp,
};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::witness::Witness;

/// What all workers have in common.
pub(super) struct Shared {
    pub(super) catalog: Arc<Catalog>,
    pub(super) readiness: Readiness,
    pub(super) liveness: Liveness,
    pub(super) metrics: Arc<Metrics>,
    pub(super) witness: Arc<Witness>,
    pub(super) chaser: Arc<Chaser>,
    pub(super) grpc_permits: Permits,
    /// For gRPC over TCP, if TLS is spoken.
    pub(super) gate: Option<Gate>,
    pub(super) tcp_permits: Permits,
    pub(super) limits: Limits,
    pub(super) stop: Stop,
}

/// What one worker serves.
pub(super) struct Worker {
    pub(super) number: usize,
    /// Accepted here for all workers.
    pub(super) grpc: Vec<GrpcSocket>,
    /// Who deals them out, if this worker accepts.
    pub(super) dealer: Option<Dealer>,
    pub(super) incoming: Incoming,
    pub(super) dns: Vec<DnsSockets>,
}

/// A worker has nothing more to do.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) worker: usize,
    pub(super) outcome: Result<(), String>,
}

/// Starts workers and lets them go.
pub(super) struct Workers {
    shared: Arc<Shared>,
    release: StopSignal,
    released: Stop,
}

type Parts = JoinSet<Result<(), String>>;

impl Workers {
    pub(super) fn new(shared: Shared) -> Self {
        let (release, released) = StopSignal::new();
        Self { shared: Arc::new(shared), release, released }
    }

    /// Starts a thread that serves until stopped, says so to `ended`, and ends when released.
    pub(super) fn start(
        &self,
        worker: Worker,
        ended: UnboundedSender<Ended>,
    ) -> Result<JoinHandle<()>, RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(RunError::Runtime)?;
        let (shared, released) = (Arc::clone(&self.shared), self.released.clone());
        let name = format!("worker-{}", worker.number);
        let ending = Ending { worker: worker.number, outcome: None, ended };
        let serve = move || {
            runtime.block_on(async move {
                let (pulse, number) = (shared.liveness.clone(), worker.number);
                tokio::spawn(async move { pulse.beat(number).await });
                tokio::select! {
                    outcome = worker.serve(&shared) => ending.tell(outcome),
                    // The time to finish is over.
                    () = released.requested() => {}
                }
                released.requested().await;
            });
        };
        std::thread::Builder::new().name(name).spawn(serve).map_err(RunError::Runtime)
    }

    /// Lets all workers end.
    pub(super) fn release(&self) {
        self.release.stop();
    }
}

/// Tells that a worker ended, even if it panicked.
struct Ending {
    worker: usize,
    outcome: Option<Result<(), String>>,
    ended: UnboundedSender<Ended>,
}

impl Ending {
    fn tell(mut self, outcome: Result<(), String>) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err("it panicked".to_owned()));
        // Nobody listens any more when the time to finish is over.
        let _ = self.ended.send(Ended { worker: self.worker, outcome });
    }
}

impl Worker {
    /// Serves until stopped and finished; an error if a part ends before.
    async fn serve(self, shared: &Arc<Shared>) -> Result<(), String> {
        let Shared { stop, limits, .. } = &**shared;
        let answerer = Arc::new(Answerer::new(
            Arc::clone(&shared.catalog),
            shared.readiness.clone(),
            Arc::clone(&shared.chaser),
            shared.metrics.query_shard(),
            Arc::clone(&shared.witness),
        ));
        let mut parts = Parts::new();
        if let Some(dealer) = self.dealer {
            for socket in self.grpc {
                let listening = listening(socket).map_err(|error| format!("grpc: {error}"))?;
                let accepting = accept(listening, shared.grpc_permits.clone(), dealer.clone(), stop.clone());
                parts.spawn(async move {
                    accepting.await;
                    Ok(())
                });
            }
            // Kept until the end: without a dealer there is nothing to come in.
            parts.spawn(keep(dealer, stop.clone()));
        }
        let grpc =
            grpc::serve(self.incoming, Arc::clone(&answerer), shared.gate.clone(), limits.grpc, stop.clone());
        parts.spawn(async move { grpc.await.map_err(|error| format!("grpc: {error}")) });
        for sockets in self.dns {
            let udp = udp::serve(sockets.udp, Arc::clone(&answerer), stop.clone());
            parts.spawn(async move { udp.await.map_err(|error| format!("dns over UDP: {error}")) });
            let permits = shared.tcp_permits.clone();
            let tcp = tcp::serve(sockets.tcp, Arc::clone(&answerer), permits, limits.tcp, stop.clone());
            parts.spawn(async move { tcp.await.map_err(|error| format!("dns over TCP: {error}")) });
        }
        finish(parts, stop).await
    }
}

async fn finish(mut parts: Parts, stop: &Stop) -> Result<(), String> {
    let mut outcome = Ok(());
    tokio::select! {
        () = stop.requested() => {}
        ended = parts.join_next() => {
            outcome = joined(ended);
            // It may have heard of the stop before we did.
            if !stop.is_requested() {
                return outcome.and(Err("a listener ended".to_owned()));
            }
        }
    }
    // One that fails now must not take the others with it.
    while let Some(ended) = parts.join_next().await {
        outcome = outcome.and(joined(Some(ended)));
    }
    outcome
}

fn joined(ended: Option<Result<Result<(), String>, JoinError>>) -> Result<(), String> {
    ended.map_or(Ok(()), |ended| ended.map_err(|error| error.to_string()).flatten())
}

async fn keep(dealer: Dealer, stop: Stop) -> Result<(), String> {
    stop.requested().await;
    drop(dealer);
    Ok(())
}

fn listening(socket: GrpcSocket) -> std::io::Result<Listening> {
    Ok(match socket {
        GrpcSocket::Tcp(listener) => Listening::Tcp(tokio::net::TcpListener::from_std(listener)?),
        GrpcSocket::Unix(listener) => Listening::Unix(tokio::net::UnixListener::from_std(listener)?),
    })
}
