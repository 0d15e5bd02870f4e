//! A server that is killed while istiod is away, and what it answers when it is started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use meshdns::source::istiod::Kept;
use meshdns::store::{FileStore, Store};

use super::peer::{Peer, Stream};
use super::source::within;
use super::whole::Server;
use crate::support::process::{free_address, written};

const USED: &str = "a name table of an earlier run is used until istiod sends one";
const NOT_USED: &str = "the name table of an earlier run is not used";

/// Where istiod is, and what it leaves behind.
struct Place {
    istiod: SocketAddr,
    ledger: PathBuf,
}

impl Place {
    fn new() -> Self {
        Self { istiod: free_address(), ledger: written("README", "").with_file_name("ledger.redb") }
    }

    /// A server; `more` are settings of istiod.
    fn start(&self, more: &str) -> Server {
        let (istiod, ledger) = (self.istiod, self.ledger.display());
        Server::start_with(&format!(
            "zones: [cluster.local]\nsources: {{istiod: {{address: '{istiod}', tls: off{more}}}}}\nserviceEntries: \
             {{addresses: status, ledger: {{file: {ledger}}}}}\n"
        ))
    }

    async fn peer(&self) -> (Peer, Stream) {
        let mut peer = Peer::start_at(self.istiod, None).await;
        let mut stream = within(peer.stream()).await;
        stream.request().await;
        (peer, stream)
    }

    /// A server has taken a table and kept it, was killed, and istiod is gone.
    async fn left_behind(&self) {
        let server = self.start("");
        let (peer, mut stream) = self.peer().await;
        stream.accepted_table("1", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2,fd00::2")]).await;
        server.until("/readyz", "ok").await;
        // One commit: there are no hosts of the ledger.
        server.until("/metrics", "meshdns_ledger_commit_duration_seconds_count 1").await;
        drop(server); // by SIGKILL
        peer.go(vec![stream]).await;
    }
}

/// What stands in the file.
async fn read(ledger: &Path) -> (FileStore, Kept) {
    let mut store = FileStore::new(ledger.to_owned());
    store.load().await.unwrap();
    let kept = store.name_table().await.unwrap().expect("a table");
    (store, kept)
}

#[tokio::test]
async fn the_last_table_is_answered_after_a_restart_without_istiod() {
    let place = Place::new();
    place.left_behind().await;
    let mut server = place.start("");
    server.until("/readyz", "ok").await;
    server.wait_for_log(USED);
    assert_eq!(server.answers("a.internal").await, ["10.0.0.1"]);
    assert_eq!(server.answers("b.internal").await, ["10.0.0.2"]);
    let metrics = server.until("/metrics", "meshdns_istiod_rows 2.0").await;
    assert!(metrics.contains("\nmeshdns_istiod_connected 0.0\n"), "{metrics}");
    assert!(age(&metrics) > 0.0, "{metrics}");

    let (peer, mut stream) = place.peer().await;
    stream.accepted_table("2", &[("a.internal", "10.0.0.9"), ("c.internal", "10.0.0.3")]).await;
    server.becomes("a.internal", &["10.0.0.9"]).await;
    server.becomes("b.internal", &[]).await;
    server.becomes("c.internal", &["10.0.0.3"]).await;
    server.until("/metrics", "\nmeshdns_istiod_table_age_seconds 0.0\n").await;
    server.until("/metrics", "meshdns_ledger_commit_duration_seconds_count 1").await;
    drop(server);
    peer.go(vec![stream]).await;
    let (_, kept) = read(&place.ledger).await;
    let hosts: Vec<&str> = kept.table.rows.keys().map(|host| &**host).collect();
    assert_eq!((kept.table.version.as_str(), hosts), ("2", vec!["a.internal", "c.internal"]));
}

fn age(metrics: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix("meshdns_istiod_table_age_seconds "));
    line.expect("an age").parse().unwrap()
}

/// Starts again with further settings of istiod: the table is not used, and this is said about it.
async fn is_not_used(place: &Place, more: &str, cause: &str) {
    let mut server = place.start(more);
    server.wait_for_log(NOT_USED);
    server.wait_for_log(cause);
    server.until("/readyz", "istiod: istiod at").await;
    let (peer, mut stream) = place.peer().await;
    stream.accepted_table("3", &[("n.internal", "10.0.0.8")]).await;
    server.until("/readyz", "ok").await;
    assert_eq!(server.answers("n.internal").await, ["10.0.0.8"]);
    assert_eq!(server.answers("a.internal").await, Vec::<String>::new());
    drop(server);
    peer.go(vec![stream]).await;
}

#[tokio::test]
async fn a_table_of_another_identity_is_not_used() {
    let place = Place::new();
    place.left_behind().await;
    let cause = "it was taken as `namespace default`, which is `namespace shop` now";
    is_not_used(&place, ", node: {namespace: shop}", cause).await;
    let place = Place::new();
    place.left_behind().await;
    is_not_used(&place, ", node: {ips: [192.0.2.9]}", "which is `addresses 192.0.2.9` now").await;
}

#[tokio::test]
async fn a_table_that_is_too_old_is_not_used() {
    let place = Place::new();
    place.left_behind().await;
    let (mut store, kept) = read(&place.ledger).await;
    let confirmed = kept.confirmed - Duration::from_secs(100);
    store.keep(Kept { confirmed, ..kept }).await.unwrap();
    drop(store);
    let mut server = place.start(", keep: 1000");
    server.until("/readyz", "ok").await;
    server.wait_for_log(USED);
    assert!(age(&server.until("/metrics", "table_age_seconds").await) > 99.0);
    drop(server);
    is_not_used(&place, ", keep: 60", "and sources.istiod.keep allows 60 s").await;
}

#[tokio::test]
async fn none_is_kept_or_used_when_that_is_not_wanted() {
    let place = Place::new();
    place.left_behind().await;
    let (store, before) = read(&place.ledger).await;
    drop(store);
    let server = place.start(", keep: 0");
    server.until("/readyz", "istiod: istiod at").await;
    let (peer, mut stream) = place.peer().await;
    stream.accepted_table("2", &[("a.internal", "10.0.0.9")]).await;
    server.until("/readyz", "ok").await;
    server.becomes("a.internal", &["10.0.0.9"]).await;
    let metrics = server.page("/metrics").await;
    assert!(metrics.contains("\nmeshdns_ledger_commit_duration_seconds_count 0\n"), "{metrics}");
    drop(server);
    peer.go(vec![stream]).await;
    assert_eq!(read(&place.ledger).await.1, before);
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_alone() {
    let place = Place::new();
    place.left_behind().await;
    let mut content = std::fs::read(&place.ledger).unwrap();
    let host = b"b.internal";
    let places: Vec<usize> = (0..content.len()).filter(|at| content[*at..].starts_with(host)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| content[*at] = b'z');
    std::fs::write(&place.ledger, &content).unwrap();
    let mut server = place.start("");
    server.wait_for_log("the ledger cannot be read; not ready until it can");
    let told = server.until("/readyz", "ledger: ").await;
    let expected = format!("{}: the ledger is damaged: its checksums do not fit", place.ledger.display());
    assert!(told.contains(&expected), "{told}");
    assert!(std::fs::read(&place.ledger).unwrap() == content, "the file is as it was");
    // Once it is gone, all begins anew.
    std::fs::rename(&place.ledger, place.ledger.with_extension("moved")).unwrap();
    let (peer, mut stream) = place.peer().await;
    stream.accepted_table("2", &[("a.internal", "10.0.0.9")]).await;
    server.until("/readyz", "ok").await;
    assert_eq!(server.answers("a.internal").await, ["10.0.0.9"]);
    drop(server);
    peer.go(vec![stream]).await;
}

#[tokio::test]
async fn a_table_from_a_time_to_come_is_not_used() {
    let place = Place::new();
    place.left_behind().await;
    let (mut store, kept) = read(&place.ledger).await;
    let confirmed = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    store.keep(Kept { confirmed, ..kept }).await.unwrap();
    drop(store);
    is_not_used(&place, "", "the clock was changed").await;
}
