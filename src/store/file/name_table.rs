//! The name table of istiod in the file: its format under `name table` in `meta`, what it is in `name table`, its rows
//! in `name table rows`.
//!
//! It is a copy of what istiod has, so unlike the hosts it may be thrown away: one that cannot be read, or of a format
//! that is not ours, is replaced as a whole. Versions that know of no name tables leave it alone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::format::{META, begin_write};
use crate::model::{Host, Registry, TableRow};
use crate::source::istiod::{Kept, Table, View};
use crate::store::StoreError;

/// The format that is written, and where its number stands.
const FORMAT: u64 = 1;
const FORMAT_KEY: &str = "name table";
/// A table of more octets is not kept: the whole file has a limit, which is for the hosts.
const LARGEST: usize = 64 << 20;
/// Octets of a row besides its texts and addresses, about.
const ROW: usize = 64;

/// Whose view, version, when it came, when it was confirmed (Unix milliseconds), and how many rows there are.
const HEAD: TableDefinition<'_, (), (&str, &str, u64, u64, u64)> = TableDefinition::new("name table");
/// Host as istiod writes it to addresses, registry, short name and namespace.
const ROWS: TableDefinition<'_, &str, Columns<'_>> = TableDefinition::new("name table rows");

/// Addresses, registry, short name and namespace.
type Columns<'a> = (&'a [u8], u8, &'a str, &'a str);

/// The registries.
const EXTERNAL: u8 = 0;
const KUBERNETES: u8 = 1;
/// What stands before each address.
const IPV4: u8 = 4;
const IPV6: u8 = 6;

/// Reads it, if there is one.
pub(super) fn read(path: &Path, database: &Database) -> Result<Option<Kept>, StoreError> {
    let unusable = |what: String| StoreError::NameTable { path: path.into(), what };
    match try_read(database) {
        Ok(found) => Ok(found),
        Err(Unreadable::Told(what)) => Err(unusable(what)),
        Err(Unreadable::Database(error)) => Err(unusable(error.to_string())),
    }
}

/// Why it cannot be read.
enum Unreadable {
    Told(String),
    Database(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Unreadable {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

fn try_read(database: &Database) -> Result<Option<Kept>, Unreadable> {
    let transaction = database.begin_read()?;
    let found = transaction.open_table(META)?.get(FORMAT_KEY)?.map(|found| found.value());
    match found {
        None => return Ok(None),
        Some(FORMAT) => {}
        Some(found) => {
            return Err(Unreadable::Told(format!("it has format {found}, this version knows {FORMAT}")));
        }
    }
    let head = transaction.open_table(HEAD)?;
    let head = head.get(())?.ok_or_else(|| Unreadable::Told("its head is missing".to_owned()))?;
    let (view, version, received, confirmed, count) = head.value();
    let mut rows = BTreeMap::new();
    for entry in transaction.open_table(ROWS)?.iter()? {
        let (key, value) = entry?;
        let host = key.value();
        let row = row(host, value.value())
            .ok_or_else(|| Unreadable::Told(format!("the row of {host:?} makes no sense")))?;
        rows.insert(host.into(), row);
    }
    if rows.len() as u64 != count {
        return Err(Unreadable::Told(format!("it has {} rows instead of {count}", rows.len())));
    }
    let (Some(received), Some(confirmed)) = (time(received), time(confirmed)) else {
        return Err(Unreadable::Told("its times make no sense".to_owned()));
    };
    let table = Arc::new(Table { rows, version: version.to_owned(), received });
    Ok(Some(Kept { view: View(view.into()), table, confirmed }))
}

/// Stores a table in place of the one that the file has, as far as that is known, all or nothing; only rows that
/// differ are touched.
pub(super) fn write(database: &Database, old: Option<&Kept>, new: &Kept) -> Result<(), redb::Error> {
    let old = old.filter(|old| old.view == new.view);
    let transaction = begin_write(database)?;
    {
        if old.is_none() {
            // Of whatever types they are: only the names count.
            transaction.delete_table(HEAD)?;
            transaction.delete_table(ROWS)?;
            transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
        }
        let mut rows = transaction.open_table(ROWS)?;
        let (nothing, table) = (BTreeMap::new(), &new.table);
        let before = old.map_or(&nothing, |old| &old.table.rows);
        if !old.is_some_and(|old| Arc::ptr_eq(&old.table, table)) {
            for host in before.keys().filter(|host| !table.rows.contains_key(*host)) {
                rows.remove(&**host)?;
            }
            for (host, row) in table.rows.iter().filter(|(host, row)| before.get(*host) != Some(row)) {
                let addresses = octets(&row.addresses);
                let (registry, short_name, namespace) = match &row.registry {
                    Registry::External => (EXTERNAL, "", ""),
                    Registry::Kubernetes { short_name, namespace } => {
                        (KUBERNETES, &**short_name, &**namespace)
                    }
                };
                rows.insert(&**host, (addresses.as_slice(), registry, short_name, namespace))?;
            }
        }
        let (received, confirmed) = (milliseconds(table.received), milliseconds(new.confirmed));
        let head = (&*new.view.0, table.version.as_str(), received, confirmed, rows.len()?);
        transaction.open_table(HEAD)?.insert((), head)?;
    }
    transaction.commit()?;
    Ok(())
}

/// What is wrong with a table that cannot be kept.
pub(super) fn refused(table: &Table) -> Option<String> {
    let size: usize = table.rows.iter().map(|(host, row)| host.len() + size(row)).sum();
    (size > LARGEST).then(|| format!("it is larger than {} MiB", LARGEST >> 20))
}

/// Octets of a row besides its host, about.
fn size(row: &TableRow) -> usize {
    let named = match &row.registry {
        Registry::External => 0,
        Registry::Kubernetes { short_name, namespace } => short_name.len() + namespace.len(),
    };
    ROW + named + octets(&row.addresses).len()
}

fn row(host: &str, (addresses, registry, short_name, namespace): Columns<'_>) -> Option<TableRow> {
    let registry = match registry {
        EXTERNAL => Registry::External,
        KUBERNETES => Registry::Kubernetes { short_name: short_name.into(), namespace: namespace.into() },
        _ => return None,
    };
    Some(TableRow { host: Host::parse(host).ok()?, addresses: addresses_of(addresses)?, registry })
}

fn octets(addresses: &[IpAddr]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(addresses.len() * 17);
    for address in addresses {
        match address {
            IpAddr::V4(address) => {
                octets.push(IPV4);
                octets.extend(address.octets());
            }
            IpAddr::V6(address) => {
                octets.push(IPV6);
                octets.extend(address.octets());
            }
        }
    }
    octets
}

fn addresses_of(mut octets: &[u8]) -> Option<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    while let Some((family, rest)) = octets.split_first() {
        let address;
        (address, octets) = match *family {
            IPV4 => rest.split_first_chunk::<4>().map(|(found, rest)| (IpAddr::from(*found), rest))?,
            IPV6 => rest.split_first_chunk::<16>().map(|(found, rest)| (IpAddr::from(*found), rest))?,
            _ => return None,
        };
        addresses.push(address);
    }
    Some(addresses)
}

/// 0 before 1970.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn time(milliseconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests;
