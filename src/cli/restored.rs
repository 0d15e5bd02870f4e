//! What the API server said in an earlier run: answered until it says more, and kept for the next run.

use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use meshdns::apiserver::ApiServer;
use meshdns::catalog::{StaleFrom, Staleness};
use meshdns::config::{Settings, SnapshotSettings};
use meshdns::keeper::{Question, Questions};
use meshdns::model::{Change, Key};
use meshdns::source::kubernetes::{self, KubernetesSource, Status};
use meshdns::source::{SourceId, Update};
use meshdns::store::snapshot::{Plan, Snapshot, SnapshotError, Standing, Wanted};
use meshdns::store::unix_seconds;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// How long the API server may take to list everything before answers of an earlier run are given: as long as it is not
/// known to be away, they would be replaced in a moment.
const GRACE: Duration = Duration::from_secs(5);

/// Where snapshots of which cluster are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: PathBuf,
    scope: String,
    settings: SnapshotSettings,
}

/// What was restored.
#[derive(Debug, Default)]
struct Restored {
    keys: Vec<Key>,
    /// The last moment when it was how things stood, in Unix seconds; `None`: nothing was restored.
    live: Option<u64>,
}

impl Place {
    /// The one of the settings, if there is one. A state directory that nobody named is made.
    pub(super) fn of(configured: &Settings, source: &KubernetesSource) -> Result<Option<Self>> {
        let Some(settings) = configured.sources.snapshot.clone() else { return Ok(None) };
        let file = settings.file_or_default(|variable| std::env::var(variable).ok())?;
        if let (None, Some(directory)) = (&settings.file, file.parent()) {
            std::fs::create_dir_all(directory).with_context(|| {
                format!(
                    "{} cannot be created for the snapshot; name a file in sources.kubernetes.snapshot.file",
                    directory.display()
                )
            })?;
        }
        // What is not kept of objects now is missing when it is asked for later.
        let scope = format!("{}, {}", scope(source)?, configured.policy().fields());
        Ok(Some(Self { file, scope, settings }))
    }

    /// What to write there.
    pub(super) fn plan(&self) -> Plan {
        let Self { file, scope, settings } = self.clone();
        let SnapshotSettings { every, max_age, .. } = settings;
        Plan { file, scope, source: SourceId::KUBERNETES, every, max_age }
    }
}

/// The source, with what an earlier run left to begin with.
pub(super) struct Source {
    pub(super) settings: KubernetesSource,
    pub(super) place: Option<Place>,
    pub(super) updates: mpsc::Sender<Update>,
    pub(super) status: watch::Sender<Status>,
    pub(super) questions: Questions,
}

impl Source {
    /// Runs it. `usable` is told once, when what was restored is answered because the API server is away.
    pub(super) async fn run(self, usable: impl FnOnce(u64) + Send) {
        let Self { settings, place, updates, status, questions } = self;
        let told = status.subscribe();
        let restored = match &place {
            Some(place) => restore(place, &updates).await,
            None => Restored::default(),
        };
        let answered = async {
            if let Some(live) = restored.live
                && wait_for_api_server(told).await.is_err()
                && flushed(&questions).await
            {
                usable(live);
            }
            pending::<()>().await;
        };
        tokio::select! {
            () = kubernetes::run(settings, restored.keys, updates, status, pending()) => {}
            () = answered => {}
        }
    }
}

/// How the keeper's state stands with a source that stands so.
pub(super) fn standing(status: &Status) -> Standing {
    match status.stale_since() {
        _ if !status.is_settled() => Standing::Partial,
        _ if status.is_live() => Standing::Live,
        Some(since) => Standing::Since(seconds(since)),
        None => Standing::Partial,
    }
}

/// Whether answers may be wrong by now: made of a snapshot, or the API server has been away for a while. `restored` is the
/// time of the snapshot that is answered; 0: none.
pub(super) fn staleness(status: &Status, restored: u64) -> Option<Staleness> {
    if !status.is_settled() {
        return (restored > 0).then_some(Staleness { since: restored, from: StaleFrom::Snapshot });
    }
    let since = status.stale_for_long_since()?;
    Some(Staleness { since: seconds(since), from: StaleFrom::Memory })
}

/// The time that it was then by the clock as it is set now, in Unix seconds.
fn seconds(at: Instant) -> u64 {
    unix_seconds().saturating_sub(at.elapsed().as_secs())
}

/// The scope of snapshots, as far as the way to the API server is known.
fn scope(settings: &KubernetesSource) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let address = match runtime.block_on(ApiServer::find(&settings.api)) {
        Ok(api) => api.address().to_owned(),
        Err(_) => "an unknown API server".to_owned(),
    };
    Ok(settings.scope(&address))
}

async fn restore(place: &Place, updates: &mpsc::Sender<Update>) -> Restored {
    let Place { file, scope, settings } = place.clone();
    let (most, updates) = (settings.max_age, updates.clone());
    let reading = spawn_blocking(move || {
        let wanted = Wanted { scope: &scope, now: unix_seconds(), most };
        read(&file, &wanted, &updates)
    });
    let file = place.file.display();
    match reading.await {
        Ok(Ok(None)) => {
            tracing::info!(source = "kubernetes", %file, "there is no snapshot of an earlier run");
            Restored::default()
        }
        Ok(Ok(Some(restored))) => {
            let age_seconds = restored.live.map_or(0, |live| unix_seconds().saturating_sub(live));
            let objects = restored.keys.len();
            tracing::info!(source = "kubernetes", %file, objects, age_seconds, "snapshot of an earlier run read");
            restored
        }
        Ok(Err(error)) => {
            tracing::error!(source = "kubernetes", %error, "the snapshot of an earlier run is not used");
            Restored::default()
        }
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Err(_) => pending().await,
        },
    }
}

/// Sends everything to the keeper, block by block.
fn read(
    file: &std::path::Path,
    wanted: &Wanted<'_>,
    updates: &mpsc::Sender<Update>,
) -> Result<Option<Restored>, SnapshotError> {
    let Some(snapshot) = Snapshot::open(file, wanted)? else { return Ok(None) };
    let mut restored = Restored { keys: Vec::new(), live: Some(snapshot.taken().live) };
    for block in snapshot.blocks()? {
        let objects = block?.objects;
        restored.keys.extend(objects.iter().map(|object| object.key()));
        let changes = objects.into_iter().map(Change::Upsert).collect();
        let update = Update::new(SourceId::KUBERNETES, Change::Batch(changes));
        if updates.blocking_send(update).is_err() {
            // The keeper is gone, and with it the process soon.
            break;
        }
    }
    Ok(Some(restored))
}

/// Waits until everything was listed; an error when that would take too long.
async fn wait_for_api_server(mut status: watch::Receiver<Status>) -> Result<(), ()> {
    let told = status.wait_for(|status| status.is_settled() || status.is_away());
    tokio::select! {
        told = told => match told {
            Ok(status) if status.is_settled() => Ok(()),
            _ => Err(()),
        },
        () = sleep(GRACE) => Err(()),
    }
}

/// Waits until the keeper has taken in what was sent to it.
async fn flushed(questions: &Questions) -> bool {
    let (answer, answered) = oneshot::channel();
    let question = Question::Page { source: SourceId::KUBERNETES, after: None, count: 0, answer };
    questions.send(question).await.is_ok() && answered.await.is_ok()
}
