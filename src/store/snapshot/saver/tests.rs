//! The saver beside a real keeper.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::catalog::Catalog;
use crate::config::{Overrides, Settings};
use crate::keeper::{Inbox, Keeper, keep};
use crate::model::{Change, Labels, Namespace};
use crate::source::Update;
use crate::store::Journal;
use crate::store::snapshot::{Snapshot, Wanted};
use crate::telemetry::metrics::Metrics;

const EVERY: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const SOURCE: SourceId = SourceId(1);

/// A keeper and a saver that run.
struct Running {
    directory: tempfile::TempDir,
    updates: mpsc::Sender<Update>,
    standing: watch::Sender<Standing>,
    metrics: Metrics,
    farewell: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Running {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::read("settings", "zones: [cluster.local]", &Overrides::default()).unwrap();
        let (updates, incoming) = mpsc::channel(64);
        let (inbox, questions) = Inbox::new(incoming);
        let keeper = Keeper::new(Arc::new(Catalog::new(settings.policy())));
        tokio::spawn(keep(inbox, keeper, Journal::none(), |_| {}));
        let (standing, told) = watch::channel(Standing::Partial);
        let metrics = Metrics::new();
        let file = directory.path().join("state").join("snapshot.meshdns");
        let plan = Plan { file, scope: "test".into(), source: SOURCE, every: EVERY, max_age: DAY };
        let (saving, farewell) = Saver::new(plan, told, questions, metrics.snapshot().clone()).tasks();
        tokio::spawn(saving);
        std::fs::create_dir(directory.path().join("state")).unwrap();
        Self { directory, updates, standing, metrics, farewell: Box::pin(farewell) }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("state").join("snapshot.meshdns")
    }

    async fn say(&self, change: Change) {
        self.updates.send(Update::new(SOURCE, change)).await.unwrap();
    }

    /// What a restart would begin with.
    fn saved(&self) -> Option<(u64, Vec<Object>)> {
        let wanted = Wanted { scope: "test", now: unix_seconds(), most: Duration::MAX };
        let snapshot = Snapshot::open(&self.file(), &wanted).unwrap()?;
        let live = snapshot.taken().live;
        let blocks = snapshot.blocks().unwrap();
        Some((live, blocks.flat_map(|block| block.unwrap().objects).collect()))
    }

    fn objects(&self) -> Option<Vec<Object>> {
        self.saved().map(|(_, objects)| objects)
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let met = async {
            while !is(self) {
                sleep(Duration::from_secs(1)).await;
            }
        };
        assert!(timeout(DAY * 30, met).await.is_ok(), "{what}");
    }

    fn remove(&self) {
        std::fs::remove_file(self.file()).unwrap();
    }

    fn failures(&self) -> u64 {
        let text = self.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix("meshdns_snapshot_failures_total "));
        line.map_or(0, |count| count.parse().unwrap())
    }
}

fn namespace(name: &str) -> Object {
    Object::Namespace(Namespace { name: name.into(), labels: Labels::default() })
}

fn namespaces(count: usize) -> Vec<Object> {
    (0..count).map(|number| namespace(&format!("ns-{number:05}"))).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_whole_is_saved_once_and_again_when_it_changes_or_gets_old() {
    let running = Running::start();
    let all = namespaces(2 * PAGE + 1);
    running.say(Change::Replace(all.clone())).await;
    running.standing.send_replace(Standing::Live);
    running.until("the first is written", |running| running.objects().is_some()).await;
    assert_eq!(running.objects(), Some(all));
    let text = running.metrics.text();
    assert!(text.contains(&format!("\nmeshdns_snapshot_objects {}\n", 2 * PAGE + 1)), "{text}");

    running.remove();
    sleep(EVERY * 5).await;
    assert_eq!(running.saved(), None, "nothing changed");
    running.say(Change::Replace(vec![namespace("new")])).await;
    running.until("a change is written", |running| running.saved().is_some()).await;
    assert_eq!(running.objects(), Some(vec![namespace("new")]));
    // The clock of the system stands still here, so a source that lost its connection shows what gets old.
    let (live, _) = running.saved().unwrap();
    running.standing.send_replace(Standing::Since(live + 3599));
    running.remove();
    sleep(EVERY * 5).await;
    assert_eq!(running.saved(), None, "it is not old");
    running.standing.send_replace(Standing::Since(live + 3600));
    running.until("an old one is written", |running| running.saved().is_some()).await;
    assert_eq!(running.saved(), Some((live + 3600, vec![namespace("new")])), "with the time of its content");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_saved_while_something_is_missing() {
    let mut running = Running::start();
    running.say(Change::Replace(namespaces(3))).await;
    sleep(EVERY * 5).await;
    assert_eq!(running.saved(), None);
    running.standing.send_replace(Standing::Live);
    running.until("it is whole", |running| running.saved().is_some()).await;
    running.standing.send_replace(Standing::Partial);
    running.say(Change::Replace(Vec::new())).await;
    sleep(EVERY * 5).await;
    std::mem::replace(&mut running.farewell, Box::pin(async {})).await;
    assert_eq!(running.objects(), Some(namespaces(3)), "the last whole one");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_has_said_nothing_has_no_snapshot() {
    let running = Running::start();
    running.standing.send_replace(Standing::Live);
    sleep(EVERY * 5).await;
    assert_eq!(running.saved(), None);
}

#[tokio::test(start_paused = true)]
async fn an_orderly_stop_saves_what_changed() {
    let mut running = Running::start();
    running.say(Change::Replace(namespaces(3))).await;
    running.standing.send_replace(Standing::Live);
    let begin = Instant::now();
    std::mem::replace(&mut running.farewell, Box::pin(async {})).await;
    assert_eq!(running.objects(), Some(namespaces(3)));
    assert!(begin.elapsed() < EVERY, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_counted_and_tried_again() {
    let running = Running::start();
    std::fs::remove_dir(running.directory.path().join("state")).unwrap();
    running.say(Change::Replace(namespaces(3))).await;
    running.standing.send_replace(Standing::Live);
    running.until("it fails", |running| running.failures() > 1).await;
    std::fs::create_dir(running.directory.path().join("state")).unwrap();
    running.until("it is tried again", |running| running.saved().is_some()).await;
    assert_eq!(running.objects(), Some(namespaces(3)));
}
