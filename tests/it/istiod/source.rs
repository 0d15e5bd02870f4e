//! The source, running by itself.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use meshdns::model::{Change, Object};
use meshdns::source::istiod::{Endpoint, IstiodSettings, Kept, Limits, Link, NodeIdentity, Status, run};
use meshdns::source::{SourceId, Update};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running source.
pub(crate) struct Running {
    updates: mpsc::Receiver<Update>,
    status: watch::Receiver<Status>,
    task: JoinHandle<()>,
}

/// Plaintext at an address, with pauses that a test can wait for.
pub(crate) fn settings(address: SocketAddr) -> IstiodSettings {
    let soon = Duration::from_millis(20);
    IstiodSettings {
        endpoint: Endpoint { host: address.ip().to_string(), port: address.port() },
        tls: None,
        token: None,
        node: NodeIdentity::default(),
        keep: Duration::from_secs(3600),
        limits: Limits { first_pause: soon, longest_pause: soon, ..Limits::default() },
    }
}

/// What comes in time.
pub(crate) async fn within<T>(coming: impl Future<Output = T>) -> T {
    timeout(PATIENCE, coming).await.expect("in time")
}

/// A directory of a test's own, and a file in it.
pub(crate) fn file(directory: &tempfile::TempDir, name: &str, text: &str) -> std::path::PathBuf {
    let path = directory.path().join(name);
    write(&path, text);
    path
}

/// Replaces a file as a whole, as a mounted secret changes.
pub(crate) fn write(path: &Path, text: &str) {
    let half = path.with_extension("half");
    std::fs::write(&half, text).unwrap();
    std::fs::rename(half, path).unwrap();
}

impl Running {
    pub(crate) fn start(settings: IstiodSettings) -> Self {
        Self::with_kept(settings, None)
    }

    /// Starts with a table of an earlier run.
    pub(crate) fn with_kept(settings: IstiodSettings, kept: Option<Kept>) -> Self {
        let (sender, updates) = mpsc::channel(8);
        let (told, status) = watch::channel(Status::default());
        let task = tokio::spawn(run(settings, kept, sender, told, std::future::pending()));
        Self { updates, status, task }
    }

    /// The next update, one line for each step: `= host [addresses]` of a replacement, `+` and `-`.
    pub(crate) async fn update(&mut self) -> Vec<String> {
        let update = within(self.updates.recv()).await.expect("an update");
        assert_eq!(update.source, SourceId::ISTIOD);
        match update.change {
            Change::Replace(objects) => objects.iter().map(|object| told('=', object)).collect(),
            Change::Batch(changes) => changes.iter().map(step).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a status.
    pub(crate) async fn until(&mut self, met: impl Fn(&Status) -> bool) -> Status {
        let found = timeout(PATIENCE, self.status.wait_for(|status| met(status)))
            .await
            .map(|found| found.unwrap().clone());
        found.unwrap_or_else(|_| panic!("not in time: {:?}", self.status.borrow()))
    }

    /// Waits until no stream stands, and says why.
    pub(crate) async fn failure(&mut self) -> String {
        match self.until(|status| matches!(status.link, Link::Down(_))).await.link {
            Link::Down(cause) => cause,
            other => panic!("{other:?}"),
        }
    }

    /// How it stands now.
    pub(crate) fn now(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Whether an update is waiting.
    pub(crate) fn has_update(&mut self) -> bool {
        !self.updates.is_empty()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn told(sign: char, object: &Object) -> String {
    let Object::TableRow(row) = object else { panic!("{object:?}") };
    let addresses: Vec<String> = row.addresses.iter().map(ToString::to_string).collect();
    format!("{sign} {:?} {}", row.host, addresses.join(","))
}

fn step(change: &Change) -> String {
    match change {
        Change::Upsert(object) => told('+', object),
        Change::Remove(key) => format!("- {}", key.name),
        other => panic!("{other:?}"),
    }
}
