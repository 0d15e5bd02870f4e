//! What the file survives, and what is said of files that are none.

use super::*;
use crate::allocate::{Assigned, Origin};
use redb::TableDefinition;

fn key(host: &str) -> HostKey {
    HostKey::parse("shop", host).unwrap()
}

fn row(last: u8) -> Row {
    let mut addresses = Assigned::default();
    addresses.set(std::net::IpAddr::from([240, 240, 0, last]));
    addresses.set(std::net::IpAddr::from([0x2001, 2, 0, 0, 0, 0, 0, u16::from(last)]));
    Row { addresses, origin: Origin::Status, since: 1_700_000_000, freed: (last > 1).then_some(7) }
}

fn claim(host: &str, row: Option<Row>) -> Claim {
    Claim { key: Arc::new(key(host)), was: None, row }
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn filled(path: &Path) -> FileStore {
    let mut store = FileStore::new(path.into());
    assert!(store.load().await.unwrap().is_empty());
    let claims = [claim("a.example", Some(row(1))), claim("*.b.example", Some(row(2)))];
    store.commit(claims.into()).await.unwrap();
    store
}

fn hosts(rows: &[(HostKey, Row)]) -> Vec<String> {
    rows.iter().map(|(key, _)| key.to_string()).collect()
}

#[tokio::test]
async fn what_is_stored_is_read_back() {
    let directory = directory();
    let path = directory.path().join("ledger.redb");
    let mut store = filled(&path).await;
    store.commit([claim("a.example", None), claim("c.example", Some(row(3)))].into()).await.unwrap();
    drop(store);
    let rows = FileStore::new(path.clone()).load().await.unwrap();
    assert_eq!(rows, [(key("*.b.example"), row(2)), (key("c.example"), row(3))]);
    let Remembered::Rows(again) = remembered(&path).unwrap() else { panic!("there is a file") };
    assert_eq!(again, rows);
    let others: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(others.len(), 1, "nothing else is left in the directory");
}

#[tokio::test]
async fn a_second_writer_is_told_so() {
    let directory = directory();
    let path = directory.path().join("ledger.redb");
    let store = filled(&path).await;
    let error = FileStore::new(path.clone()).load().await.unwrap_err().to_string();
    assert!(error.contains("ledger.redb: another process uses this ledger"), "{error}");
    assert!(matches!(remembered(&path), Err(StoreError::InUse { .. })));
    drop(store);
    assert_eq!(hosts(&FileStore::new(path).load().await.unwrap()), ["shop/*.b.example", "shop/a.example"]);
}

/// Puts this into a file, and checks that it is refused with this text and not changed.
async fn is_refused(content: &[u8], expected: &str) {
    let directory = directory();
    let path = directory.path().join("ledger.redb");
    std::fs::write(&path, content).unwrap();
    let error = FileStore::new(path.clone()).load().await.unwrap_err().to_string();
    assert!(error.contains(expected) && error.contains("ledger.redb: "), "{error}");
    assert!(error.contains("nothing is changed in it"), "{error}");
    assert!(remembered(&path).is_err());
    assert!(std::fs::read(&path).unwrap() == content, "the file is as it was");
}

#[tokio::test]
async fn other_files_are_refused_and_left_alone() {
    is_refused(b"", "it is empty").await;
    is_refused(b"redb", "it is too short for a database").await;
    is_refused(b"hosts: {a: 240.240.0.1}\n", "it is no database").await;
    let directory = directory();
    let other = directory.path().join("other");
    let database = Database::create(&other).unwrap();
    let begun = database.begin_write().unwrap();
    begun.open_table(TableDefinition::<&str, &str>::new("meta")).unwrap().insert("a", "b").unwrap();
    begun.commit().unwrap();
    drop(database);
    is_refused(&std::fs::read(&other).unwrap(), "it is a database of something else").await;
}

#[tokio::test]
async fn a_ledger_of_a_later_version_is_refused_and_left_alone() {
    let directory = directory();
    let path = directory.path().join("ledger.redb");
    drop(filled(&path).await);
    let database = Database::open(&path).unwrap();
    let begun = database.begin_write().unwrap();
    begun.open_table(TableDefinition::<&str, u64>::new("meta")).unwrap().insert("format", 2).unwrap();
    begun.commit().unwrap();
    drop(database);
    let content = std::fs::read(&path).unwrap();
    is_refused(&content, "the ledger has format 2, this version knows 1").await;
}

#[tokio::test]
async fn a_truncated_ledger_is_refused_and_left_alone() {
    let directory = directory();
    let path = directory.path().join("ledger.redb");
    drop(filled(&path).await);
    let whole = std::fs::read(&path).unwrap();
    for part in [10, 320, 4096, 8192, whole.len() / 2, whole.len() - 1] {
        is_refused(&whole[..part], "damaged").await;
    }
}

#[tokio::test]
async fn a_damaged_ledger_is_refused_or_read_whole() {
    let directory = directory();
    let path = directory.path().join("ledger.redb");
    drop(filled(&path).await);
    let whole = std::fs::read(&path).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let step = (used.len() / 300).max(1);
    let (mut refused, mut read) = (0, 0);
    for at in used.into_iter().step_by(step) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let file = directory.path().join("damaged");
        std::fs::write(&file, &damaged).unwrap();
        match remembered(&file) {
            Ok(Remembered::Rows(rows)) => {
                assert_eq!(hosts(&rows), ["shop/*.b.example", "shop/a.example"], "octet {at}");
                read += 1;
            }
            Ok(Remembered::Nothing) => panic!("there is a file"),
            Err(_) => refused += 1,
        }
        assert!(std::fs::read(&file).unwrap() == damaged, "octet {at}: the file is as it was");
    }
    assert!(refused > 30, "{refused} refused, {read} read");
}

#[tokio::test]
async fn places_that_cannot_be_written_are_named() {
    let directory = directory();
    let nowhere = directory.path().join("nowhere").join("ledger.redb");
    let error = FileStore::new(nowhere).load().await.unwrap_err().to_string();
    assert!(
        error.contains("nowhere does not exist; create it, or correct serviceEntries.ledger.file"),
        "{error}"
    );
    let error = FileStore::new(directory.path().into()).load().await.unwrap_err().to_string();
    assert!(error.contains("cannot open it for writing: Is a directory"), "{error}");
    let error = FileStore::new("/proc/ledger.redb".into()).load().await.unwrap_err().to_string();
    assert!(error.contains("/proc/ledger.redb: cannot create it: "), "{error}");
    assert!(matches!(remembered(&directory.path().join("none")).unwrap(), Remembered::Nothing));
}
