//! A process keeps name tables without pause and is killed, again and again: the file always has one whole table, and
//! none older than the last that it said it has.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use meshdns::model::{Host, Registry, TableRow};
use meshdns::source::istiod::{Kept, Table, View};
use meshdns::store::{FileStore, Store};

use super::Place;

/// The file, for the process that keeps tables.
const FILE: &str = "MESHDNS_TEST_TABLES";
const ROUNDS: usize = 12;

/// One of many tables; with the next one some hosts come or go, and each third host has another address.
fn table(number: u64) -> Kept {
    let row = |host: u64| {
        let text = format!("h{host}.internal");
        let last = if host.is_multiple_of(3) { number } else { host };
        let address = [10, 0, u8::try_from(last / 256 % 256).unwrap(), u8::try_from(last % 256).unwrap()];
        let host = Host::parse(&text).unwrap();
        (Box::from(text), TableRow { host, addresses: vec![address.into()], registry: Registry::External })
    };
    let rows: BTreeMap<_, _> = (0..100 + number * 37 % 400).map(row).collect();
    let received = UNIX_EPOCH + Duration::from_secs(number);
    let table = Arc::new(Table { rows, version: number.to_string(), received });
    Kept { view: View("one".into()), table, confirmed: received }
}

/// The table that a file has, and the store that has it open.
async fn read(file: &Path) -> (FileStore, Option<Kept>) {
    let mut store = FileStore::new(file.into());
    assert!(store.load().await.unwrap().is_empty());
    let kept = store.name_table().await.unwrap();
    (store, kept)
}

fn number(kept: &Option<Kept>) -> u64 {
    kept.as_ref().map_or(0, |kept| kept.table.version.parse().unwrap())
}

/// Says `+ NUMBER` when a table is stored.
#[tokio::test]
#[ignore = "run by the test below, which kills it"]
async fn keeps_tables_until_it_is_killed() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let (mut store, kept) = read(file.as_ref()).await;
    for next in number(&kept) + 1.. {
        store.keep(table(next)).await.unwrap();
        println!("+ {next}");
    }
}

#[tokio::test]
async fn a_killed_process_leaves_one_whole_table() {
    let place = Place::new();
    let file = place.ledger();
    let mut last = 0;
    for round in 1..=ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ledger::tables::keeps_tables_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FILE, &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("+ ").and_then(|number| number.parse::<u64>().ok()));
        last = said.by_ref().nth(round).expect("it goes on");
        child.kill().unwrap();
        child.wait().unwrap();
        let (_, kept) = read(&file).await;
        let found = number(&kept);
        assert!(found >= last, "{found} instead of {last} or later");
        assert_eq!(kept, Some(table(found)));
    }
    assert!(last > 12);
}
