//! What the server runs besides its listeners: the sources, the keeper, and what is told about both.

use std::collections::BTreeMap;
use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use meshdns::catalog::{Catalog, StaleFrom, Staleness};
use meshdns::config::{Settings, TelemetrySettings};
use meshdns::keeper::{Inbox, Keeper, Observer, keep};
use meshdns::report::ParityReport;
use meshdns::run::{Parts, Task};
use meshdns::serve::{Readiness, ReadinessHandle, inspect, level};
use meshdns::source::{Moment, Report, SourceId, Update, istiod, kubernetes, manifests};
use meshdns::store::snapshot::{Saver, Standing};
use meshdns::store::{Journal, unix_seconds};
use meshdns::telemetry::dnstap::{self, DnstapSettings, Tap};
use meshdns::telemetry::log::Level;
use meshdns::telemetry::metrics::{Metrics, SourceMetrics};
use meshdns::telemetry::spans::Spans;
use meshdns::telemetry::witness::Witness;
use tokio::sync::{mpsc, watch};

use super::certificates::Certificates;
use super::clock;
use super::keeping::Ledger;
use super::kept_table::Waiting;
use super::ledger_place;
use super::reload::SettingsFile;
use super::restored::{self, Place, Source};

/// Updates that wait for the keeper; a source waits when there are more.
const WAITING_UPDATES: usize = 64;
/// What `/readyz` calls istiod.
const ISTIOD: &str = "istiod";
/// What it calls the API server.
const KUBERNETES: &str = "kubernetes";

/// Builds and connects them.
pub(super) fn parts(settings: &Settings, file: SettingsFile, level: Level) -> Result<Parts> {
    let catalog = Arc::new(Catalog::new(settings.policy()));
    catalog.policy.ttl.clock().tell(unix_seconds(), None);
    let (readiness, metrics) = (Readiness::new(), Arc::new(Metrics::new()));
    let TelemetrySettings { query_log, traces, dnstap } = &settings.telemetry;
    let (tap, tapped) = dnstap.as_ref().map(|dnstap| tap(dnstap, &metrics)).unzip();
    let (witness, mut teller) = Witness::new(*query_log, traces.as_ref(), tap, metrics.witness());
    metrics.stale().watch(Arc::clone(&catalog));
    metrics.hosts().watch(Arc::clone(&catalog), |catalog| ParityReport::of(catalog).differences.len());
    let (updates, incoming) = mpsc::channel::<Update>(WAITING_UPDATES);
    let (inbox, questions) = Inbox::new(incoming);
    let (reports, joined) = Reports::new();
    let mut tasks = Vec::new();
    let listed = Listed::default();
    let mut farewell: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(ready(()));

    let (report, read) = watch::channel(Report::default());
    listed.wait_for(SourceId::MANIFESTS, readiness.handle("manifests"));
    let reading = manifests::run(settings.sources.manifests.clone(), updates.clone(), report, pending());
    tasks.push(task("manifests", reading));
    tasks.push(task(
        "manifests report",
        Arc::clone(&reports).follow(SourceId::MANIFESTS, read, Report::clone),
    ));

    if let Some(source) = settings.sources.kubernetes.clone() {
        let place = Place::of(settings, &source)?;
        let (status, told) = watch::channel(kubernetes::Status::default());
        listed.wait_for(SourceId::KUBERNETES, readiness.handle(KUBERNETES));
        let standing = watch::Sender::new(Standing::Partial);
        if let Some(place) = &place {
            let metrics = metrics.snapshot().clone();
            let saver = Saver::new(place.plan(), standing.subscribe(), questions.clone(), metrics);
            let (saving, last) = saver.tasks();
            tasks.push(task("kubernetes snapshot", saving));
            farewell = Box::pin(last);
        }
        let source = Source {
            settings: source,
            place,
            updates: updates.clone(),
            status,
            questions: questions.clone(),
        };
        let restored = Arc::new(AtomicU64::new(0));
        let usable = {
            let (listed, restored, catalog) = (listed.clone(), Arc::clone(&restored), Arc::clone(&catalog));
            move |live: u64| {
                restored.store(live, Ordering::Relaxed);
                let stale = Staleness { since: live, from: StaleFrom::Snapshot };
                catalog.staleness().set(Some(stale));
                let age_seconds = unix_seconds().saturating_sub(live);
                tracing::warn!(
                    source = "kubernetes",
                    age_seconds,
                    "the API server is away: the snapshot is answered"
                );
                listed.release(SourceId::KUBERNETES);
            }
        };
        tasks.push(task(KUBERNETES, source.run(usable)));
        let (readiness, metrics) = (readiness.clone(), Arc::clone(&metrics));
        let marked = Arc::clone(&catalog);
        let report = move |status: &kubernetes::Status| {
            readiness.explain(KUBERNETES, &status.waits_for());
            readiness.note(KUBERNETES, &status.notes());
            metrics.kubernetes().set(status.figures());
            marked.staleness().set(restored::staleness(status, restored.load(Ordering::Relaxed)));
            standing.send_replace(restored::standing(status));
            status.report()
        };
        let reports = Arc::clone(&reports);
        tasks.push(task("kubernetes report", reports.follow(SourceId::KUBERNETES, told, report)));
    }

    let ledger = ledger_place::to_write(settings)?;
    let mut waiting = None;
    if let Some(settings) = settings.sources.istiod.clone() {
        let (status, told) = watch::channel(istiod::Status::default());
        listed.wait_for(SourceId::ISTIOD, readiness.handle(ISTIOD));
        let mut kept = None;
        if ledger.as_ref().is_some_and(ledger_place::Place::is_file) {
            let (source, table) = Waiting::new(settings.clone(), told.clone());
            (waiting, kept) = (Some(source), Some(table));
        }
        let following = async move {
            let kept = match kept {
                // Without an answer the process ends.
                Some(table) => table.await.unwrap_or_default(),
                None => None,
            };
            istiod::run(settings, kept, updates, status, pending()).await;
        };
        tasks.push(task(ISTIOD, following));
        let (readiness, metrics) = (readiness.clone(), Arc::clone(&metrics));
        let report = move |status: &istiod::Status| {
            readiness.explain(ISTIOD, &status.waits_for());
            metrics.istiod().set(status.figures());
            status.report()
        };
        tasks.push(task("istiod report", reports.follow(SourceId::ISTIOD, told, report)));
    }

    tasks.push(task("clock", clock::tick(Arc::clone(&catalog))));
    tasks.push(Task {
        name: "settings",
        future: Box::pin(file.follow(
            listed.clone().complete(),
            questions.clone(),
            Arc::clone(&witness),
            metrics.reloads().clone(),
        )),
    });
    let mut identities = None;
    if let Some(tls) = settings.listen.grpc_tls.clone() {
        let (certificates, in_force) = Certificates::new(tls, &readiness, metrics.tls());
        identities = Some(in_force);
        tasks.push(Task { name: "certificates", future: Box::pin(certificates.follow()) });
    }
    let observer = Told { listed, metrics: Arc::clone(&metrics) };
    let of_ledger = ledger.is_some().then_some(questions);
    let keeping = match ledger {
        Some(place) => {
            let ledger = Ledger::new(place, settings.clone(), &readiness, Arc::clone(&metrics));
            ledger.with_istiod(waiting).keep(Arc::clone(&catalog), inbox, observer)
        }
        None => {
            let allocator = settings.allocator();
            let keeper = Keeper::with_allocator(Arc::clone(&catalog), allocator);
            Box::pin(keep(inbox, keeper, Journal::none(), observer))
        }
    };
    tasks.push(task("keeper", keeping));
    tasks.push(task("source metrics", count(joined.clone(), Arc::clone(&metrics))));
    let pages = inspect::router(Arc::clone(&catalog), joined, of_ledger, teller.recent());
    let pages = pages.merge(level::router(level));
    if let Some(traces) = traces {
        let (spans, sending) = Spans::new(traces, metrics.traces());
        teller = teller.with_spans(spans);
        tasks.push(task("traces", sending.run()));
    }
    tasks.push(task("query log", teller.tell(Arc::clone(&catalog))));
    let mut last: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(ready(()));
    if let Some((sending, farewell)) = tapped {
        tasks.push(task("dnstap", sending.run()));
        last = Box::pin(farewell.say());
    }
    Ok(Parts { catalog, readiness, metrics, witness, identities, pages, tasks, farewell, last })
}

/// Where queries and replies go, and who sends them.
fn tap(settings: &DnstapSettings, metrics: &Metrics) -> (Tap, (dnstap::Sending, dnstap::Farewell)) {
    let identity = settings.identity.clone().or_else(host_name);
    let settings = DnstapSettings { identity, ..settings.clone() };
    let (tap, sending, farewell) = Tap::new(&settings, metrics.dnstap());
    (tap, (sending, farewell))
}

/// The name of the machine, or of the pod.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The sources that have not said everything yet.
#[derive(Clone, Default)]
struct Listed(Arc<watch::Sender<BTreeMap<SourceId, ReadinessHandle>>>);

impl Listed {
    fn wait_for(&self, source: SourceId, handle: ReadinessHandle) {
        self.0.send_modify(|waiting| drop(waiting.insert(source, handle)));
    }

    fn release(&self, source: SourceId) {
        let mut released = None;
        self.0.send_if_modified(|waiting| {
            released = waiting.remove(&source);
            released.is_some()
        });
        if let Some(handle) = released {
            handle.release();
        }
    }

    /// Returns when there are none.
    async fn complete(self) {
        // The sender is here, so the wait ends in no other way.
        let _ = self.0.subscribe().wait_for(BTreeMap::is_empty).await;
    }
}

/// What follows from what the keeper has done.
struct Told {
    listed: Listed,
    metrics: Arc<Metrics>,
}

impl Observer for Told {
    fn listed(&mut self, source: SourceId) {
        self.listed.release(source);
    }

    fn published(&mut self, moment: Moment) {
        self.metrics.propagation().observe(moment);
    }
}

/// What every source reports, joined.
struct Reports {
    each: Mutex<BTreeMap<SourceId, Report>>,
    joined: watch::Sender<Report>,
}

impl Reports {
    fn new() -> (Arc<Self>, watch::Receiver<Report>) {
        let (joined, receiver) = watch::channel(Report::default());
        (Arc::new(Self { each: Mutex::default(), joined }), receiver)
    }

    fn publish(&self, source: SourceId, report: Report) {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        each.insert(source, report);
        self.joined.send_replace(Report::joined(each.values()));
    }

    /// Keeps the report of one source equal to what is `told` about it.
    async fn follow<T>(
        self: Arc<Self>,
        source: SourceId,
        mut told: watch::Receiver<T>,
        report: impl Fn(&T) -> Report,
    ) {
        loop {
            let new = report(&told.borrow_and_update());
            self.publish(source, new);
            if told.changed().await.is_err() {
                return;
            }
        }
    }
}

fn task(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Task {
    let future = Box::pin(async move {
        work.await;
        Ok(())
    });
    Task { name, future }
}

/// Keeps the metrics of sources equal to their report.
async fn count(mut reports: watch::Receiver<Report>, metrics: Arc<Metrics>) {
    loop {
        show(&reports.borrow_and_update(), metrics.sources());
        if reports.changed().await.is_err() {
            return;
        }
    }
}

fn show(report: &Report, metrics: &SourceMetrics) {
    metrics.set_objects(&report.objects);
    metrics.set_skipped(report.skipped.values().sum());
    metrics.set_defects(report.defects.len() as u64);
    metrics.set_reloads(report.reloads);
}
