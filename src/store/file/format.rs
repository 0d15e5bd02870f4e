//! What stands in the file: two tables, `meta` with the number of the format, and `hosts`. A name table may stand beside
//! them.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, StorageError, TableDefinition,
    TableError, WriteTransaction,
};

use super::disk::Disk;
use super::{CACHE, LARGEST};
use crate::allocate::{Assigned, Claim, HostKey, Origin, Row};
use crate::store::StoreError;

/// The format that is written.
const FORMAT: u64 = 1;
/// How every redb database begins (redb `docs/design.md`, "Super-header").
const MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1A, 0x0A, 0xA9, 0x0D, 0x0A];

/// Where the flags of the whole file stand: which of two slots has the last commit, and that this had two phases.
const GOD_BYTE: usize = MAGIC.len();
const SECOND_SLOT: u8 = 1;
const TWO_PHASES: u8 = 4;
/// The slots, and where in one its checksum stands.
const SLOTS: [usize; 2] = [64, 192];
const SLOT_CHECKSUM: usize = 112;
/// The progress at which a repair would go back to the last commit but one. With commits of two phases the last one is
/// always whole, so that would give up addresses that were given.
const ROLLS_BACK: std::ops::Range<f64> = 0.3..0.6;

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Namespace and host to IPv4 address, IPv6 address, origin by its place in `Origin::ALL`, since when, and when it was
/// freed (Unix seconds).
const HOSTS: TableDefinition<'_, (&str, &str), Columns> = TableDefinition::new("hosts");

type Columns = (Option<u32>, Option<u128>, u8, u64, Option<u64>);

/// Makes an empty file a ledger.
pub(super) fn begin(file: Arc<File>) -> io::Result<()> {
    let failed = |error: redb::Error| io::Error::other(error.to_string());
    let database = Database::builder().set_cache_size(CACHE).create_with_backend(Disk(file));
    let database = database.map_err(|error| failed(error.into()))?;
    begin_tables(&database).map_err(failed)
}

fn begin_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = begin_write(database)?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.open_table(HOSTS)?;
    transaction.commit()?;
    Ok(())
}

/// Two phases cost one more wait for the disk, and tell a commit that was cut off from damage.
pub(super) fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Stores claims, all or none.
pub(super) fn write(database: &Database, claims: &[Claim]) -> Result<(), redb::Error> {
    let transaction = begin_write(database)?;
    {
        let mut hosts = transaction.open_table(HOSTS)?;
        for claim in claims {
            let host = claim.key.host();
            let key = (&*claim.key.namespace, host.as_str());
            match &claim.row {
                Some(row) => hosts.insert(key, columns(row))?,
                None => hosts.remove(key)?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Reads a file that is locked, by a copy in memory, and changes nothing.
pub(super) fn check(path: &Path, file: &File) -> Result<Vec<(HostKey, Row)>, StoreError> {
    let failed = |source| StoreError::Io { path: path.into(), action: "read it", source };
    let foreign = |what| StoreError::Foreign { path: path.into(), what };
    let length = file.metadata().map_err(failed)?.len();
    if length == 0 {
        return Err(damaged(path, "it is empty"));
    }
    let mut magic = [0; MAGIC.len()];
    if length < magic.len() as u64 {
        return Err(foreign("it is too short for a database"));
    }
    file.read_exact_at(&mut magic, 0).map_err(failed)?;
    if magic != MAGIC {
        return Err(foreign("it is no database"));
    }
    if length > LARGEST {
        return Err(foreign("it is a database of more than 1 GiB"));
    }
    let mut octets = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut octets, 0).map_err(failed)?;
    distrust(&mut octets);
    let copy = InMemoryBackend::new();
    copy.set_len(length).and_then(|()| copy.write(0, &octets)).map_err(failed)?;
    drop(octets);
    let database = Database::builder()
        .set_cache_size(CACHE)
        .set_repair_callback(|repair| {
            if ROLLS_BACK.contains(&repair.progress()) {
                repair.abort();
            }
        })
        .create_with_backend(copy);
    match database {
        Ok(database) => read(path, &database),
        Err(DatabaseError::RepairAborted) => Err(damaged(path, "its checksums do not fit")),
        Err(error) => Err(refused(path, error)),
    }
}

/// Makes redb check everything that can be reached in a copy, checksums included, as it does for commits of one phase. The
/// slot that does not have the last commit must not count: it may hold one that was cut off.
fn distrust(octets: &mut [u8]) {
    let flags = octets[GOD_BYTE];
    if flags & TWO_PHASES == 0 {
        return;
    }
    octets[GOD_BYTE] &= !TWO_PHASES;
    let other = SLOTS[usize::from(flags & SECOND_SLOT == 0)] + SLOT_CHECKSUM;
    if let Some(checksum) = octets.get_mut(other..other + 16) {
        checksum.iter_mut().for_each(|octet| *octet = !*octet);
    }
}

/// Reads everything.
pub(super) fn read(path: &Path, database: &Database) -> Result<Vec<(HostKey, Row)>, StoreError> {
    let broken = |error: redb::Error| damaged(path, &error.to_string());
    let transaction = database.begin_read().map_err(|error| broken(error.into()))?;
    let found = match transaction.open_table(META) {
        Ok(meta) => meta.get("format").map_err(|error| broken(error.into()))?.map(|found| found.value()),
        Err(TableError::Storage(error)) => return Err(broken(error.into())),
        Err(_) => None,
    };
    match found {
        None => {
            return Err(StoreError::Foreign {
                path: path.into(),
                what: "it is a database of something else",
            });
        }
        Some(FORMAT) => {}
        Some(found) => return Err(StoreError::Newer { path: path.into(), found, known: FORMAT }),
    }
    let hosts = transaction.open_table(HOSTS).map_err(|error| broken(error.into()))?;
    let mut rows = Vec::new();
    for entry in hosts.iter().map_err(|error| broken(error.into()))? {
        let (key, value) = entry.map_err(|error| broken(error.into()))?;
        let (namespace, host) = key.value();
        let host = HostKey::parse(namespace, host).map_err(|error| damaged(path, &error.to_string()))?;
        let row =
            row(value.value()).ok_or_else(|| damaged(path, &format!("the row of {host} makes no sense")))?;
        rows.push((host, row));
    }
    Ok(rows)
}

fn columns(row: &Row) -> Columns {
    let Assigned { v4, v6 } = row.addresses;
    let origin = Origin::ALL.iter().position(|origin| *origin == row.origin).unwrap_or_default();
    (v4.map(u32::from), v6.map(u128::from), origin as u8, row.since, row.freed)
}

fn row((v4, v6, origin, since, freed): Columns) -> Option<Row> {
    let addresses = Assigned { v4: v4.map(Ipv4Addr::from), v6: v6.map(Ipv6Addr::from) };
    let origin = *Origin::ALL.get(usize::from(origin))?;
    (!addresses.is_empty()).then_some(Row { addresses, origin, since, freed })
}

/// What redb says of a file that it does not open.
pub(super) fn refused(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        // The copy in memory has no other errors than that something is missing.
        DatabaseError::Storage(StorageError::Io(source)) if source.raw_os_error().is_some() => {
            StoreError::Io { path: path.into(), action: "open it", source }
        }
        error => damaged(path, &error.to_string()),
    }
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Damaged { path: path.into(), what: what.to_owned() }
}
