//! The running server: what builds, connects and awaits the parts.
//!
//! Rules: everything is bound before anything runs. The shape of the runtime is decided here and nowhere else: one
//! current-thread runtime per worker, because that answers a query for about half the CPU of a work-stealing one, and a
//! control runtime on the calling thread for sources, keeper and admin. A part that ends without being told to ends
//! the process.
//!
//! Stopping: readiness and health go first. Then everything goes on for a while, if the settings say so (`lameduck`), so
//! that whoever sends us clients has sent them elsewhere before we send them away. Then listening sockets close (a refused
//! connection makes CoreDNS ask another upstream at once), connections are asked to go and calls under way finish, all
//! within a limit. Calls are answered to the end, because what we know is still true.
//!
//! A worker that is stuck for long ends the process too; it cannot be waited for.

mod address;
mod bound;
mod failure;
mod settings;
mod signals;
mod worker;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use address::{Addresses, GrpcAddress};
pub use failure::RunError;
pub use settings::{Limits, RunSettings};

use crate::catalog::Catalog;
use crate::config::Inspect;
use crate::serve::chase::Chaser;
use crate::serve::{
    Dealer, Gate, Hello, Identities, Listening, Liveness, Permits, Readiness, Stop, StopSignal, accept, admin,
};
use crate::telemetry::metrics::{Listener, Metrics};
use crate::telemetry::witness::Witness;
use bound::Bound;
use worker::{Ended, Worker, Workers};

/// How long threads, and what is told last, may take to end, and how often threads are looked at.
const LAST_MOMENT: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// A part that runs beside the listeners: a source, the keeper.
pub struct Task {
    /// What messages call it.
    pub name: &'static str,
    /// It must not end before it is dropped.
    pub future: Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>,
}

/// What the server consists of, besides itself.
pub struct Parts {
    /// What is answered from.
    pub catalog: Arc<Catalog>,
    /// What must have happened before answering; all handles are taken.
    pub readiness: Readiness,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who sees to queries that are told about one by one.
    pub witness: Arc<Witness>,
    /// The certificates of gRPC over TCP; none: it is plaintext.
    pub identities: Option<Identities>,
    /// Admin pages of others.
    pub pages: axum::Router,
    /// Sources and keeper.
    pub tasks: Vec<Task>,
    /// What tasks still have to do when stopping begins. It is awaited while calls under way finish, and has the same time.
    pub farewell: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// What they still have to do when no call is under way any more. It has a moment.
    pub last: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Runs the process until a signal stops it. A second signal ends it at once, with exit code 1.
pub fn run(settings: RunSettings, parts: Parts) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(RunError::Runtime)?;
    runtime.block_on(async {
        let (signal, stop) = StopSignal::new();
        let signals = signals::Signals::new().map_err(RunError::Runtime)?;
        tokio::spawn(signals.stop_then_exit(signal));
        serve(settings, parts, stop, |_| {}).await
    })
}

/// Serves until stopped. `told` gets the addresses that are bound, before the first query is taken.
pub async fn serve(
    settings: RunSettings,
    parts: Parts,
    stop: Stop,
    told: impl FnOnce(&Addresses),
) -> Result<(), RunError> {
    let bound = Bound::bind(&settings)?;
    bound.addresses.log();
    if let Some(path) = &settings.ports_file {
        bound.addresses.write(path)?;
    }
    told(&bound.addresses);
    let Bound { grpc, socket_files, dns, admin, addresses: _ } = bound;
    let (stop_workers, workers_stop) = StopSignal::new();
    let (stop_admin, admin_stop) = StopSignal::new();

    let (dealer, incoming) = Dealer::new(dns.len(), Hello { within: settings.limits.hello, ..Hello::HTTP2 });
    let liveness = Liveness::new(dns.len(), settings.limits.pulse);
    let workers = workers(&settings, &parts, &liveness, &workers_stop);
    let mut accepting = Some((grpc, dealer));
    let (ended, mut endings) = mpsc::unbounded_channel();
    let mut started = Vec::new();
    for (number, (incoming, dns)) in incoming.into_iter().zip(dns).enumerate() {
        // One worker accepts for all: CoreDNS connects rarely.
        let (grpc, dealer) =
            accepting.take().map_or((Vec::new(), None), |(grpc, dealer)| (grpc, Some(dealer)));
        let worker = Worker { number, grpc, dealer, incoming, dns };
        started.push(workers.start(worker, ended.clone())?);
    }

    let mut control = JoinSet::new();
    for task in parts.tasks {
        control.spawn(async move { (task.name, task.future.await) });
    }
    if let Some(listener) = admin {
        let (readiness, metrics) = (parts.readiness.clone(), Arc::clone(&parts.metrics));
        let inspecting = match settings.inspect {
            Inspect::Local => admin::local_only(parts.pages),
            Inspect::Anywhere => parts.pages,
        };
        let pages = admin::router(liveness.clone(), readiness, metrics, inspecting);
        serve_admin(&mut control, listener, pages, &settings, &parts.metrics, &admin_stop)?;
    }

    let mut working = started.len();
    let fails = async {
        tokio::select! {
            Some(Ended { worker, outcome }) = endings.recv() => (1, RunError::worker(worker, outcome)),
            worker = liveness.lost() => (1, RunError::stuck(worker, liveness.patience())),
            Some(task) = control.join_next() => (0, RunError::task(task)),
        }
    };
    let told_to_stop = async {
        stop.requested().await;
        tracing::info!("stopping");
        parts.readiness.stop();
        sleep(settings.lameduck).await;
    };
    let unexpected = tokio::select! {
        () = told_to_stop => None,
        (workers, error) = fails => {
            working -= workers;
            tracing::info!("stopping");
            parts.readiness.stop();
            Some(error)
        }
    };
    stop_workers.stop();
    let calls = async {
        for _ in 0..working {
            if let Some(Ended { worker, outcome: Err(error) }) = endings.recv().await {
                tracing::warn!(worker, error, "worker failed while stopping");
            }
        }
    };
    let drained = timeout(settings.limits.drain, async { tokio::join!(calls, parts.farewell) });
    if drained.await.is_err() {
        tracing::warn!("not everything was finished in time");
    }
    // Workers wait for each other: a lookup that one of them began may be awaited by another.
    workers.release();
    join(started).await;
    if timeout(LAST_MOMENT, parts.last).await.is_err() {
        tracing::warn!("not everything was told in time");
    }
    drop(socket_files);
    stop_admin.stop();
    match unexpected {
        Some(error) => Err(error),
        None => {
            tracing::info!("stopped");
            Ok(())
        }
    }
}

/// Waits for threads that were let go. One that is stuck ends with the process.
async fn join(started: Vec<JoinHandle<()>>) {
    let ending = async {
        while !started.iter().all(JoinHandle::is_finished) {
            sleep(LOOK).await;
        }
    };
    if timeout(LAST_MOMENT, ending).await.is_err() {
        tracing::error!("a worker does not end");
    }
    for thread in started.into_iter().filter(JoinHandle::is_finished) {
        // How it ended was told already.
        let _ = thread.join();
    }
}

fn workers(settings: &RunSettings, parts: &Parts, liveness: &Liveness, stop: &Stop) -> Workers {
    let limits = &settings.limits;
    let permits =
        |total, per_source, listener| Permits::new(total, per_source, parts.metrics.connections(listener));
    Workers::new(worker::Shared {
        catalog: Arc::clone(&parts.catalog),
        readiness: parts.readiness.clone(),
        liveness: liveness.clone(),
        metrics: Arc::clone(&parts.metrics),
        witness: Arc::clone(&parts.witness),
        chaser: Chaser::new(settings.upstreams.clone(), limits.chase, &parts.metrics),
        grpc_permits: permits(limits.grpc_connections, limits.grpc_connections, Listener::Grpc),
        gate: parts.identities.clone().map(|identities| Gate::new(identities, parts.metrics.tls())),
        tcp_permits: permits(limits.tcp_connections, limits.tcp_connections_per_source, Listener::Tcp),
        limits: *limits,
        stop: stop.clone(),
    })
}

fn serve_admin(
    control: &mut JoinSet<(&'static str, anyhow::Result<()>)>,
    listener: std::net::TcpListener,
    pages: axum::Router,
    settings: &RunSettings,
    metrics: &Metrics,
    stop: &Stop,
) -> Result<(), RunError> {
    let listener = tokio::net::TcpListener::from_std(listener).map_err(RunError::Runtime)?;
    let hello = Hello { within: settings.limits.hello, ..Hello::HTTP1 };
    let (dealer, incoming) = Dealer::alone(hello);
    let limit = settings.limits.admin_connections;
    let permits = Permits::new(limit, limit, metrics.connections(Listener::Admin));
    let accepting = accept(Listening::Tcp(listener), permits, dealer, stop.clone());
    control.spawn(async move {
        accepting.await;
        ("admin", Ok(()))
    });
    let served = admin::serve(incoming, pages, stop.clone());
    control.spawn(async move { ("admin", served.await.map_err(Into::into)) });
    Ok(())
}
