//! The task that writes snapshots of a source.
//!
//! Rules: nothing is written while something is missing, so that a good snapshot is never replaced by half of one. One is
//! written when something changed, and when the time of the last one gets old, so that a cluster in which nothing
//! happens is not forgotten; not more often than once in the interval, and once more at an orderly stop. The keeper is
//! asked for small pages, and updates go on in between: what comes or goes meanwhile is in the snapshot or is not, and
//! in the next one for certain.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::{SnapshotError, SnapshotWriter, Taken, Written};
use crate::keeper::{Page, Question, Questions};
use crate::model::{Key, Object};
use crate::source::SourceId;
use crate::store::unix_seconds;
use crate::telemetry::metrics::{SnapshotFigures, SnapshotMetrics};

/// Objects of one page.
const PAGE: usize = 1000;
/// An unchanged snapshot is written again when its age is this part of the age that is allowed.
const OLD: u64 = 24;

/// How what a source has told the keeper stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Something is missing: the source has not said everything yet.
    #[default]
    Partial,
    /// It is everything, and how things stand now. Not before all of it was sent to the keeper.
    Live,
    /// It is everything, and was how things stood at that time, in Unix seconds.
    Since(u64),
}

/// What to save, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to.
    pub file: PathBuf,
    /// The cluster, and the part of it that is looked at.
    pub scope: String,
    /// Whose objects.
    pub source: SourceId,
    /// The interval.
    pub every: Duration,
    /// How old a snapshot may be.
    pub max_age: Duration,
}

/// Writes snapshots.
#[derive(Debug)]
pub struct Saver {
    plan: Plan,
    standing: watch::Receiver<Standing>,
    questions: Questions,
    metrics: SnapshotMetrics,
    last: Option<Last>,
    /// The failure that was told last.
    told: Option<String>,
}

/// What the last snapshot has.
#[derive(Clone, Copy, Debug)]
struct Last {
    revision: u64,
    live: u64,
}

/// Why there may be a snapshot to write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Interval,
    Stop,
}

/// What the thread that writes gets.
enum Portion {
    Objects(Vec<Object>),
    /// There are no more. If this does not come, nothing is replaced.
    End,
}

impl Saver {
    /// One that writes while the source stands well.
    pub fn new(
        plan: Plan,
        standing: watch::Receiver<Standing>,
        questions: Questions,
        metrics: SnapshotMetrics,
    ) -> Self {
        Self { plan, standing, questions, metrics, last: None, told: None }
    }

    /// What has to run all the time and never ends, and what to await at an orderly stop.
    pub fn tasks(self) -> (impl Future<Output = ()> + Send, impl Future<Output = ()> + Send) {
        let (stop, stopped) = oneshot::channel();
        let (tell, done) = oneshot::channel();
        let run = async move {
            self.run(stopped).await;
            // Nobody may wait any more.
            let _ = tell.send(());
            std::future::pending::<()>().await;
        };
        let farewell = async move {
            if stop.send(()).is_ok() {
                let _ = done.await;
            }
        };
        (run, farewell)
    }

    async fn run(mut self, stopped: oneshot::Receiver<()>) {
        self.metrics.begin();
        let mut stopped = pin!(async {
            if stopped.await.is_err() {
                // There will be no orderly stop.
                std::future::pending::<()>().await;
            }
        });
        loop {
            tokio::select! {
                () = sleep(self.plan.every) => self.save(Occasion::Interval).await,
                () = &mut stopped => return self.save(Occasion::Stop).await,
            }
        }
    }

    /// Writes a snapshot if there is a reason to.
    async fn save(&mut self, occasion: Occasion) {
        let live = match *self.standing.borrow() {
            Standing::Partial => return,
            Standing::Live => unix_seconds(),
            Standing::Since(then) => then,
        };
        let Some(Page { revision, .. }) = self.page(None, 0).await else { return };
        if revision == 0 || !self.is_due(Last { revision, live }, occasion) {
            return;
        }
        match self.write(live).await {
            Ok(None) => {}
            Ok(Some(Written { objects, octets })) => {
                self.last = Some(Last { revision, live });
                let figures = SnapshotFigures { written: unix_seconds(), live, objects, octets };
                self.metrics.written(figures);
                if self.told.take().is_some() {
                    tracing::info!("snapshots can be written again");
                }
                tracing::debug!(objects, octets, "snapshot written");
            }
            Err(error) => {
                self.metrics.failed();
                let error = error.to_string();
                if self.told.as_ref() != Some(&error) {
                    tracing::warn!(
                        error,
                        "no snapshot can be written: a restart would begin with an older one"
                    );
                    self.told = Some(error);
                }
            }
        }
    }

    fn is_due(&self, now: Last, occasion: Occasion) -> bool {
        let Some(last) = self.last else { return true };
        let old = match occasion {
            Occasion::Interval => (self.plan.max_age.as_secs() / OLD).max(1),
            Occasion::Stop => 1,
        };
        // A clock that was set back makes a new one too.
        now.revision != last.revision || now.live.abs_diff(last.live) >= old
    }

    /// Writes one; none if something went missing meanwhile.
    async fn write(&mut self, live: u64) -> Result<Option<Written>, SnapshotError> {
        let (portions, incoming) = mpsc::channel(1);
        let (file, taken) = (self.plan.file.clone(), Taken { live, scope: self.plan.scope.clone() });
        let writing = spawn_blocking(move || write(&file, &taken, incoming));
        if self.walk(&portions).await.is_some() {
            // If it is gone, it says why.
            let _ = portions.send(Portion::End).await;
        }
        drop(portions);
        writing.await.unwrap_or_else(|error| {
            let source = std::io::Error::other(error);
            Err(SnapshotError::Io { path: self.plan.file.clone(), action: "write it", source })
        })
    }

    /// Hands all objects on; none if there is no use in going on.
    async fn walk(&mut self, portions: &mpsc::Sender<Portion>) -> Option<()> {
        let mut after = None;
        loop {
            let Page { objects, .. } = self.page(after, PAGE).await?;
            if *self.standing.borrow() == Standing::Partial {
                return None;
            }
            let Some(last) = objects.last() else { return Some(()) };
            after = Some(last.key());
            portions.send(Portion::Objects(objects)).await.ok()?;
        }
    }

    /// None when the keeper is gone, and with it the process soon.
    async fn page(&self, after: Option<Key>, count: usize) -> Option<Page> {
        let (answer, answered) = oneshot::channel();
        let source = self.plan.source;
        self.questions.send(Question::Page { source, after, count, answer }).await.ok()?;
        answered.await.ok()
    }
}

fn write(
    file: &Path,
    taken: &Taken,
    mut portions: mpsc::Receiver<Portion>,
) -> Result<Option<Written>, SnapshotError> {
    let mut writer = SnapshotWriter::create(file, taken)?;
    loop {
        match portions.blocking_recv() {
            Some(Portion::Objects(objects)) => writer.push(&objects)?,
            Some(Portion::End) => return writer.finish().map(Some),
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
