//! The keeper with a store: nothing is answered before it is stored, and a store that fails holds up addresses only.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::allocate::ledger::Listing;
use crate::catalog::Catalog;
use crate::config::{Overrides, Settings};
use crate::keeper::{Inbox, Keeper, Page, Question, Questions, keep};
use crate::model::Change;
use crate::source::{SourceId, Update, manifests};
use crate::telemetry::metrics::Metrics;

/// A store in memory that fails while it is told to.
#[derive(Clone, Default)]
struct Moody {
    memory: MemoryStore,
    fails: Arc<AtomicBool>,
}

impl Store for Moody {
    async fn load(&mut self) -> Result<Vec<(HostKey, Row)>, StoreError> {
        self.memory.load().await
    }

    async fn commit(&mut self, claims: Arc<[Claim]>) -> Result<Vec<Outcome>, StoreError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(StoreError::Commit { name: "moody".into(), what: "no".into() });
        }
        self.memory.commit(claims).await
    }
}

/// A keeper that runs.
struct Running {
    catalog: Arc<Catalog>,
    updates: mpsc::Sender<Update>,
    questions: Questions,
    listed: mpsc::UnboundedReceiver<SourceId>,
    metrics: Arc<Metrics>,
}

impl Running {
    async fn start(mut store: Moody) -> Self {
        let text = "zones: [cluster.local]\nserviceEntries: {addresses: ledger, ranges: [192.0.2.0/24]}";
        let settings = Settings::read("settings", text, &Overrides::default()).unwrap();
        let catalog = Arc::new(Catalog::new(settings.policy()));
        let rows = store.load().await.unwrap();
        let keeper =
            Keeper::with_allocator(Arc::clone(&catalog), settings.allocator_from(store.slices(), 1, rows));
        let (updates, incoming) = mpsc::channel(8);
        let (inbox, questions) = Inbox::new(incoming);
        let metrics = Arc::new(Metrics::new());
        let sources = BTreeSet::from([SourceId::MANIFESTS]);
        let (journal, writer) = Journal::connect(store, sources, metrics.ledger().clone());
        let (tell, listed) = mpsc::unbounded_channel();
        tokio::spawn(writer.run());
        tokio::spawn(keep(inbox, keeper, journal, move |source| tell.send(source).unwrap()));
        Self { catalog, updates, questions, listed, metrics }
    }

    async fn say(&self, hosts: &[&str], replace: bool) {
        let entry = |host: &&str| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: {host}, namespace: \
                 shop}}\nspec: {{hosts: [{host}], resolution: STATIC, ports: [{{name: a, number: 1, protocol: \
                 TCP}}]}}\n"
            )
        };
        let objects = manifests::load_text("objects", &hosts.iter().map(entry).collect::<String>()).objects;
        let change = match replace {
            true => Change::Replace(objects),
            false => Change::Batch(objects.into_iter().map(Change::Upsert).collect()),
        };
        self.updates.send(Update::new(SourceId::MANIFESTS, change)).await.unwrap();
    }

    async fn listing(&self) -> Listing {
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question::Ledger(answer)).await.unwrap();
        answered.await.unwrap()
    }

    fn answered(&self) -> Vec<String> {
        self.catalog.records().into_iter().map(|line| format!("{} {}", line.name, line.data)).collect()
    }

    /// Waits until exactly this is answered.
    async fn becomes(&self, expected: &[&str]) {
        let met = async {
            while self.answered() != expected {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let within = tokio::time::timeout(Duration::from_secs(120), met).await;
        assert!(within.is_ok(), "{:?} instead of {expected:?}", self.answered());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_holds_up_new_addresses_only() {
    let store = Moody::default();
    let mut running = Running::start(store.clone()).await;
    running.say(&["a.example"], true).await;
    assert_eq!(running.listed.recv().await, Some(SourceId::MANIFESTS));
    assert_eq!(running.answered(), ["a.example. 192.0.2.1"], "ready means answered");

    store.fails.store(true, Ordering::Relaxed);
    running.say(&["a.example", "b.example"], true).await;
    assert_eq!(running.listed.recv().await, Some(SourceId::MANIFESTS), "told though nothing is stored");
    running.say(&["c.example"], false).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(running.answered(), ["a.example. 192.0.2.1"]);
    let text = running.metrics.text();
    assert!(!text.contains("meshdns_ledger_store_errors_total 0\n"), "{text}");

    store.fails.store(false, Ordering::Relaxed);
    running.becomes(&["a.example. 192.0.2.1", "b.example. 192.0.2.2", "c.example. 192.0.2.3"]).await;
    assert_eq!(running.listing().await.hosts.len(), 3);
    let text = running.metrics.text();
    assert!(text.contains("meshdns_ledger_entries{state=\"in_use\"} 3\n"), "{text}");
    assert!(text.contains("meshdns_ledger_used{range=\"192.0.2.0/24\"} 3\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn replicas_that_share_a_store_give_equal_addresses() {
    let store = Moody::default();
    let (one, two) = (Running::start(store.clone()).await, Running::start(store.clone()).await);
    one.say(&["a.example", "b.example"], true).await;
    two.say(&["b.example", "a.example", "c.example"], true).await;
    let all = ["a.example. 192.0.2.1", "b.example. 192.0.2.2", "c.example. 192.0.2.3"];
    one.becomes(&all[..2]).await;
    two.becomes(&all).await;
    // What one gives while the other does not know the host yet is not given again.
    one.say(&["d.example"], false).await;
    one.becomes(&[all[0], all[1], "d.example. 192.0.2.4"]).await;
    two.say(&["e.example"], false).await;
    two.becomes(&[all[0], all[1], all[2], "e.example. 192.0.2.5"]).await;
}

#[tokio::test]
async fn what_the_other_replica_has_at_the_start_is_read() {
    let store = Moody::default();
    let one = Running::start(store.clone()).await;
    one.say(&["z.example"], true).await;
    one.becomes(&["z.example. 192.0.2.1"]).await;
    let two = Running::start(store).await;
    two.say(&["a.example", "z.example"], true).await;
    two.becomes(&["a.example. 192.0.2.2", "z.example. 192.0.2.1"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_keeper_hands_objects_out_in_pages() {
    let mut running = Running::start(Moody::default()).await;
    let page = async |running: &Running, source, after| {
        let (answer, answered) = oneshot::channel();
        running.questions.send(Question::Page { source, after, count: 2, answer }).await.unwrap();
        answered.await.unwrap()
    };
    assert_eq!(page(&running, SourceId::MANIFESTS, None).await, Page::default());
    running.say(&["c.example", "a.example", "b.example"], true).await;
    assert_eq!(running.listed.recv().await, Some(SourceId::MANIFESTS));
    let names =
        |page: &Page| -> Vec<String> { page.objects.iter().map(|o| o.key().name.name.to_string()).collect() };
    let first = page(&running, SourceId::MANIFESTS, None).await;
    assert_eq!(names(&first), ["shop", "a.example"]);
    let last = first.objects.last().map(crate::model::Object::key);
    let second = page(&running, SourceId::MANIFESTS, last).await;
    assert_eq!(
        (names(&second), second.revision),
        (["b.example", "c.example"].map(String::from).into(), first.revision)
    );
    // It has what was sent before it was asked for.
    running.say(&["d.example"], true).await;
    let after = page(&running, SourceId::MANIFESTS, None).await;
    assert_eq!(names(&after), ["shop", "d.example"]);
    assert!(after.revision > first.revision, "it tells that something changed");
    assert_eq!(page(&running, SourceId::ISTIOD, None).await, Page::default());
}
