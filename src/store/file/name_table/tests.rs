//! What comes back of a name table, and what is said of one that cannot be used.

use redb::TableDefinition;

use super::*;
use crate::allocate::{Assigned, Claim, HostKey, Origin, Row};
use crate::store::{FileStore, Store};

/// Rows as `HOST REGISTRY ADDRESSES`; a registry is `-` or `SHORT/NAMESPACE`.
fn kept(view: &str, rows: &[&str]) -> Kept {
    let row = |text: &&str| {
        let mut words = text.split(' ');
        let (host, registry) = (words.next().unwrap(), words.next().unwrap());
        let registry = match registry.split_once('/') {
            Some((short, namespace)) => {
                Registry::Kubernetes { short_name: short.into(), namespace: namespace.into() }
            }
            None => Registry::External,
        };
        let addresses = words.map(|address| address.parse().unwrap()).collect();
        (Box::from(host), TableRow { host: Host::parse(host).unwrap(), addresses, registry })
    };
    let (rows, version) = (rows.iter().map(row).collect(), format!("{} rows", rows.len()));
    let second = |second: u64| UNIX_EPOCH + Duration::from_millis(second * 1000 + 7);
    let table = Arc::new(Table { rows, version, received: second(1_700_000_000) });
    Kept { view: View(view.into()), table, confirmed: second(1_700_000_100) }
}

/// A ledger with one host.
async fn filled(path: &Path) -> FileStore {
    let mut store = FileStore::new(path.into());
    store.load().await.unwrap();
    assert_eq!(store.name_table().await.unwrap(), None);
    let mut addresses = Assigned::default();
    addresses.set(IpAddr::from([240, 240, 0, 1]));
    let row = Row { addresses, origin: Origin::Own, since: 1, freed: None };
    let key = Arc::new(HostKey::parse("shop", "own.example").unwrap());
    store.commit([Claim { key, was: None, row: Some(row) }].into()).await.unwrap();
    store
}

/// Opens it anew; the ledger has its host in any case.
async fn read_back(path: &Path) -> (FileStore, Result<Option<Kept>, String>) {
    let mut store = FileStore::new(path.into());
    let hosts: Vec<String> = store.load().await.unwrap().iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(hosts, ["shop/own.example"]);
    let table = store.name_table().await.map_err(|error| error.to_string());
    (store, table)
}

#[tokio::test]
async fn the_last_table_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.redb");
    let mut store = filled(&path).await;
    let tables = [
        kept("a", &["a.internal - 10.0.0.1", "b.internal - 10.0.0.2"]),
        kept("a", &["a.internal - fd00::1 10.0.0.1", "*.c.internal -", "web.shop.svc web/shop 10.96.0.1"]),
        // Of the same rows, or with rows that differ in what they were made of.
        kept("a", &["a.internal - fd00::1 10.0.0.1", "*.c.internal -", "web.shop.svc web/shop 10.96.0.1"]),
        kept("a", &["A.Internal. / 10.0.0.1", "web.shop.svc - 10.96.0.1"]),
        kept("b\nof another", &["a.internal - 10.0.0.7"]),
        kept("b\nof another", &[]),
    ];
    for table in &tables {
        store.keep(table.clone()).await.unwrap();
        drop(store);
        let found;
        (store, found) = read_back(&path).await;
        assert_eq!(found.unwrap().as_ref(), Some(table));
    }
    // Without opening it in between.
    for table in &tables {
        store.keep(table.clone()).await.unwrap();
    }
    for table in tables.iter().rev() {
        store.keep(table.clone()).await.unwrap();
    }
    let later = Kept { confirmed: tables[0].confirmed + Duration::from_secs(60), ..tables[0].clone() };
    store.keep(later.clone()).await.unwrap();
    drop(store);
    assert_eq!(read_back(&path).await.1.unwrap(), Some(later));
}

/// Spoils the database of a ledger with a table, and checks what is said, and that the next table heals it.
async fn is_unusable(spoil: impl FnOnce(&redb::WriteTransaction), expected: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.redb");
    let table = kept("a", &["a.internal - 10.0.0.1", "b.internal - 10.0.0.2"]);
    filled(&path).await.keep(table.clone()).await.unwrap();
    let database = Database::open(&path).unwrap();
    let begun = database.begin_write().unwrap();
    spoil(&begun);
    begun.commit().unwrap();
    drop(database);
    let (mut store, found) = read_back(&path).await;
    let told = found.unwrap_err();
    assert!(told.contains("ledger.redb: the name table of istiod in it cannot be used: "), "{told}");
    assert!(told.contains(expected), "{told}");
    store.keep(table.clone()).await.unwrap();
    drop(store);
    assert_eq!(read_back(&path).await.1.unwrap(), Some(table), "{expected}");
}

#[tokio::test]
async fn a_table_that_makes_no_sense_is_told_and_replaced() {
    is_unusable(
        |begun| {
            begun.open_table(META).unwrap().insert(FORMAT_KEY, 2).unwrap();
            begun.delete_table(ROWS).unwrap();
            begun.open_table(TableDefinition::<u8, u8>::new("name table rows")).unwrap();
        },
        "it has format 2, this version knows 1",
    )
    .await;
    let rows: [(&str, Columns<'_>); 4] = [
        ("x.internal", (&[5, 1, 2, 3, 4], EXTERNAL, "", "")),
        ("x.internal", (&[IPV4, 1, 2, 3], EXTERNAL, "", "")),
        ("x.internal", (&[IPV4, 1, 2, 3, 4], 9, "", "")),
        ("x..internal", (&[], EXTERNAL, "", "")),
    ];
    for (host, row) in rows {
        let spoil = |begun: &redb::WriteTransaction| {
            begun.open_table(ROWS).unwrap().insert(host, row).unwrap();
        };
        is_unusable(spoil, &format!("the row of {host:?} makes no sense")).await;
    }
    is_unusable(
        |begun| drop(begun.open_table(ROWS).unwrap().remove("a.internal").unwrap()),
        "it has 1 rows instead of 2",
    )
    .await;
    is_unusable(|begun| assert!(begun.delete_table(ROWS).unwrap()), "does not exist").await;
    is_unusable(|begun| drop(begun.open_table(HEAD).unwrap().remove(()).unwrap()), "its head is missing")
        .await;
}

#[tokio::test]
async fn a_table_that_would_fill_the_file_is_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.redb");
    let mut store = filled(&path).await;
    let small = kept("a", &["a.internal - 10.0.0.1"]);
    store.keep(small.clone()).await.unwrap();
    let mut large = kept("a", &["b.internal -"]);
    let rows = &mut Arc::get_mut(&mut large.table).unwrap().rows;
    rows.get_mut("b.internal").unwrap().addresses = vec![IpAddr::from([0; 16]); LARGEST / 17];
    let told = store.keep(large).await.unwrap_err().to_string();
    assert!(told.contains("ledger.redb: the name table of istiod cannot be kept: it is larger than 64 MiB"));
    drop(store);
    assert_eq!(read_back(&path).await.1.unwrap(), Some(small));
}
