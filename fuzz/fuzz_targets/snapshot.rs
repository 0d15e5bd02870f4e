//! Any octets as a snapshot, and as the payload of a block whose checksum is right: no panic; what is read is written and
//! read again as it is, and the keeper takes it.
#![no_main]

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::Change;
use meshdns::store::snapshot::{Block, Snapshot, Wanted};

fuzz_target!(|octets: &[u8]| {
    let wanted = Wanted { scope: "fuzz", now: 0, most: Duration::MAX };
    let checked = Snapshot::check(Path::new("snapshot"), Cursor::new(octets), octets.len() as u64, &wanted);
    let read = checked.and_then(|snapshot| snapshot.blocks()?.collect::<Result<Vec<Block>, _>>());
    if let Err(error) = read {
        let told = error.to_string();
        assert!(told.starts_with("snapshot: ") && told.lines().count() == 1, "{told}");
    }
    let Ok(Block { objects, .. }) = Block::read(octets) else { return };
    let mut again = Vec::new();
    assert!(objects.iter().all(|object| Block::append(object, &mut again)));
    assert_eq!(Block::read(&again).expect("what was written").objects, objects);
    let settings = Settings::read("", "zones: [cluster.local]", &Overrides::default()).expect("settings");
    let mut keeper = Keeper::new(Arc::new(Catalog::new(settings.policy())));
    keeper.apply(1, Change::Replace(objects));
});
