//! What the running source tells while files change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};

use super::*;
use crate::model::{Change, Key};
use crate::source::{Report, Update};

/// A source that runs over a directory of its own, and what its reader knows of it.
struct Running {
    root: TempDir,
    updates: mpsc::Receiver<Update>,
    report: watch::Receiver<Report>,
    known: BTreeMap<Key, Object>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Starts over these files, and waits for the first reading.
    async fn start(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(root.path().join(name), text).unwrap();
        }
        Self::over(root, "").await
    }

    async fn over(root: TempDir, below: &str) -> Self {
        let (sender, updates) = mpsc::channel(16);
        let (reports, report) = watch::channel(Report::default());
        let (stop, stopped) = oneshot::channel();
        let paths = vec![root.path().join(below)];
        let stopped = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(run(paths, sender, reports, stopped));
        let mut running = Self { root, updates, report, known: BTreeMap::new(), stop, task };
        let first = running.updates.recv().await.unwrap();
        let Change::Replace(objects) = first.change else { panic!("{first:?}") };
        running.known = objects.into_iter().map(|object| (object.key(), object)).collect();
        running.report.changed().await.unwrap();
        running
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).unwrap();
    }

    /// The next batch: `+` and `-` with keys.
    async fn batch(&mut self) -> Vec<String> {
        let update = tokio::time::timeout(Duration::from_secs(10), self.updates.recv()).await;
        let update = update.unwrap().unwrap();
        let Change::Batch(changes) = update.change else { panic!("{update:?}") };
        let told = |change: Change| match change {
            Change::Upsert(object) => {
                let key = object.key();
                self.known.insert(key.clone(), object);
                format!("+{key}")
            }
            Change::Remove(key) => {
                assert!(self.known.remove(&key).is_some(), "{key}");
                format!("-{key}")
            }
            other => panic!("{other:?}"),
        };
        changes.into_iter().map(told).collect()
    }

    /// The next report, its defects without the path of the directory.
    async fn report(&mut self) -> Vec<String> {
        tokio::time::timeout(Duration::from_secs(10), self.report.changed()).await.unwrap().unwrap();
        let root = format!("{}/", self.root.path().display());
        let report = self.report.borrow_and_update().clone();
        assert_eq!(report.objects.values().sum::<u64>(), self.known.len() as u64);
        report.defects.iter().map(|defect| defect.to_string().replace(&root, "")).collect()
    }

    fn known(&self) -> Vec<String> {
        summary(&self.known.values().cloned().collect::<Vec<_>>())
    }

    /// Stops it. Nothing was told beyond what was read, and a fresh reading finds what the reader knows.
    async fn stop(mut self) {
        let known = self.known();
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        assert!(self.updates.try_recv().is_err());
        assert_eq!(summary(&load(&[self.root.path().to_owned()]).objects), known);
    }
}

#[tokio::test]
async fn files_come_change_move_and_go() {
    let mut source = Running::start(&[("a.yaml", &service("a", "10.0.0.1"))]).await;
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.1]"]);

    source.write("a.yaml", &service("a", "10.0.0.2"));
    assert_eq!(source.batch().await, ["+Service shop/a"]);
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.2]"]);

    fs::create_dir(source.at("more")).unwrap();
    source.write("more/b.json", "{apiVersion: v1, kind: Service, metadata: {name: b, namespace: other}}");
    assert_eq!(source.batch().await, ["+Namespace other", "+Service other/b"]);

    fs::rename(source.at("more/b.json"), source.at("moved.json")).unwrap();
    source.write("a.yaml", &(service("a", "10.0.0.2") + "# a remark\n"));
    source.write("c.yaml", &service("c", "10.0.0.3"));
    assert_eq!(source.batch().await, ["+Service shop/c"]);

    fs::remove_file(source.at("moved.json")).unwrap();
    assert_eq!(source.batch().await, ["-Namespace other", "-Service other/b"]);
    source.stop().await;
}

#[tokio::test]
async fn a_mounted_config_map_is_swapped() {
    let root = tempfile::tempdir().unwrap();
    let day = |name: &str, address: &str| {
        let directory = root.path().join(name);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("a.yaml"), service("a", address)).unwrap();
        directory
    };
    let first = day("..2026_1", "10.0.0.1");
    symlink("..2026_1", root.path().join("..data")).unwrap();
    symlink("..data/a.yaml", root.path().join("a.yaml")).unwrap();
    let second = day("..2026_2", "10.0.0.2");
    let mut source = Running::over(root, "").await;
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.1]"]);

    // As kubelet does: a new link, renamed over the old one, then the old directory goes.
    symlink("..2026_2", source.at("..data_tmp")).unwrap();
    fs::rename(source.at("..data_tmp"), source.at("..data")).unwrap();
    fs::remove_dir_all(first).unwrap();
    assert_eq!(source.batch().await, ["+Service shop/a"]);
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.2]"]);
    source.report().await;

    // A link to nowhere keeps what it gave; a file that is gone does not.
    fs::remove_dir_all(second).unwrap();
    assert_eq!(source.report().await, ["a.yaml: no such file or directory"]);
    fs::remove_file(source.at("a.yaml")).unwrap();
    assert_eq!(source.batch().await, ["-Namespace shop", "-Service shop/a"]);
    source.stop().await;
}

#[tokio::test]
async fn what_was_good_stays_until_it_is_mended() {
    let both = format!("{}---\n{}", service("a", "10.0.0.1"), service("b", "10.0.0.2"));
    let mut source = Running::start(&[("x.yaml", &both)]).await;

    // The first document breaks, the second changes.
    source.write("x.yaml", &format!("kind: [\n---\n{}", service("b", "10.0.0.3")));
    assert_eq!(source.batch().await, ["+Service shop/b"]);
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.1]", "Service shop/b [10.0.0.3]"]);
    assert_eq!(source.report().await.len(), 1);

    // The whole file breaks, in another way.
    source.write("x.yaml", "kind: {\n");
    assert_eq!(source.report().await.len(), 1);

    // All that cannot be used of it is one object.
    source.write("x.yaml", &service("a", "[]"));
    assert_eq!(source.batch().await, ["-Service shop/b"]);
    let defects = source.report().await;
    assert_eq!(
        defects,
        ["x.yaml:7: Service shop/a: spec.clusterIP: invalid type: sequence, expected a string"]
    );
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.1]"]);

    source.write("x.yaml", &service("a", "10.0.0.9"));
    assert_eq!(source.batch().await, ["+Service shop/a"]);
    assert_eq!(source.report().await, [] as [&str; 0]);
    source.stop().await;
}

#[tokio::test]
async fn the_second_of_two_takes_over() {
    let (first, second) = (service("a", "10.0.0.1"), service("a", "10.0.0.2"));
    let mut source = Running::start(&[("1.yaml", &first), ("2.yaml", &second)]).await;
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.1]"]);

    fs::remove_file(source.at("1.yaml")).unwrap();
    assert_eq!(source.batch().await, ["+Service shop/a"]);
    assert_eq!(source.known(), ["Namespace shop", "Service shop/a [10.0.0.2]"]);
    assert_eq!(source.report().await, [] as [&str; 0]);

    source.write("1.yaml", &first);
    assert_eq!(source.batch().await, ["+Service shop/a"]);
    assert_eq!(
        source.report().await,
        ["2.yaml:1: Service shop/a: is not used: 1.yaml:1 has the same object"]
    );
    source.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_moves_to_another_slice_never_vanishes() {
    let (before, after) = (slice("one", &["10.1.0.1", "10.1.0.2"]), slice("two", &["10.1.0.3"]));
    let mut source = Running::start(&[("1.yaml", &before), ("2.yaml", &after)]).await;

    source.write("1.yaml", &slice("one", &["10.1.0.1"]));
    source.write("2.yaml", &slice("two", &["10.1.0.2", "10.1.0.3"]));
    assert_eq!(source.batch().await, ["+EndpointSlice shop/one", "+EndpointSlice shop/two"]);
    assert_eq!(source.known().len(), 3);

    // And the object to another file.
    fs::remove_file(source.at("2.yaml")).unwrap();
    source.write("3.yaml", &slice("two", &["10.1.0.2", "10.1.0.4"]));
    assert_eq!(source.batch().await, ["+EndpointSlice shop/two"]);
    source.stop().await;
}

#[tokio::test]
async fn what_cannot_be_looked_at_keeps_its_objects() {
    let mut source = Running::start(&[]).await;
    fs::create_dir(source.at("d")).unwrap();
    source.write("d/a.yaml", &service("a", "10.0.0.1"));
    assert_eq!(source.batch().await, ["+Namespace shop", "+Service shop/a"]);
    source.report().await;

    fs::rename(source.at("d"), source.at(".away")).unwrap();
    symlink("nowhere", source.at("d")).unwrap();
    assert_eq!(source.report().await, ["d: no such file or directory"]);

    fs::remove_file(source.at("d")).unwrap();
    fs::rename(source.at(".away"), source.at("d")).unwrap();
    assert_eq!(source.report().await, [] as [&str; 0]);

    fs::File::create(source.at("d/a.yaml")).unwrap().set_len((64 << 20) + 1).unwrap();
    assert_eq!(source.report().await, ["d/a.yaml: the file is larger than 64 MiB"]);
    source.write("d/a.yaml", &service("a", "10.0.0.1"));
    assert_eq!(source.report().await, [] as [&str; 0]);
    source.stop().await;
}

#[tokio::test]
async fn declared_and_implied_namespaces_replace_each_other() {
    let mut source = Running::start(&[("a.yaml", &service("a", "10.0.0.1"))]).await;
    let declared = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {x: y}}\n";
    source.write("n.yaml", declared);
    assert_eq!(source.batch().await, ["+Namespace shop"]);
    fs::remove_file(source.at("a.yaml")).unwrap();
    assert_eq!(source.batch().await, ["-Service shop/a"]);
    source.write("a.yaml", &service("a", "10.0.0.1"));
    assert_eq!(source.batch().await, ["+Service shop/a"]);
    fs::remove_file(source.at("n.yaml")).unwrap();
    assert_eq!(source.batch().await, ["+Namespace shop"]);
    source.stop().await;
}

#[tokio::test]
async fn a_path_is_picked_up_when_it_appears() {
    let mut source = Running::over(tempfile::tempdir().unwrap(), "later").await;
    assert!(source.known.is_empty());
    fs::create_dir(source.at("later")).unwrap();
    source.write("later/a.yaml", &service("a", "10.0.0.1"));
    assert_eq!(source.batch().await, ["+Namespace shop", "+Service shop/a"]);
    assert_eq!(source.report().await, [] as [&str; 0]);
    source.stop().await;
}

#[tokio::test]
async fn it_ends_when_nobody_listens() {
    let mut source = Running::start(&[]).await;
    source.updates.close();
    source.write("a.yaml", &service("a", "10.0.0.1"));
    tokio::time::timeout(Duration::from_secs(10), source.task).await.unwrap().unwrap();
}
