//! The ledger in a file: a redb database that one process has open.
//!
//! Rules: the file is locked before anything is read. It is first read as a copy in memory, checksums included, and
//! only opened for writing when that shows a ledger of a format that we know, so that whatever is wrong with it, it
//! stays as it is. A missing file is made under another name and appears as a whole, so that an empty one is damage and
//! never a beginning. Commits return when the file system has them (fdatasync).

mod disk;
mod format;
mod name_table;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use redb::Database;
use tokio::task::spawn_blocking;

use super::{Store, StoreError};
use crate::allocate::{Claim, HostKey, Outcome, Row};
use crate::source::istiod::Kept;
use disk::Disk;

/// How much of the database is cached in memory, in octets; a full /16 takes less.
const CACHE: usize = 16 << 20;
/// Files above this size are no ledgers.
const LARGEST: u64 = 1 << 30;

/// A ledger in a file.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    opened: Arc<Mutex<Opened>>,
}

/// What of the file is open. Once it is locked, it stays so.
#[derive(Debug, Default)]
struct Opened {
    file: Option<Arc<File>>,
    database: Option<Database>,
    /// The name table that is in it for certain.
    table: Option<Kept>,
}

/// What a look at the file of somebody else found.
#[derive(Debug)]
pub enum Remembered {
    /// There is no file.
    Nothing,
    /// These.
    Rows(Vec<(HostKey, Row)>),
}

impl FileStore {
    /// For the file at `path`, which is not touched before it is loaded.
    pub fn new(path: PathBuf) -> Self {
        Self { path, opened: Arc::default() }
    }

    /// The name table of istiod that an earlier run has kept. Only after the rest was loaded; an error says what is
    /// wrong with this table alone.
    pub async fn name_table(&mut self) -> Result<Option<Kept>, StoreError> {
        self.blocking(Opened::name_table).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Opened, &Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (opened, path) = (Arc::clone(&self.opened), self.path.clone());
        let done =
            spawn_blocking(move || work(&mut opened.lock().unwrap_or_else(PoisonError::into_inner), &path));
        let ended = |error: tokio::task::JoinError| StoreError::Commit {
            name: self.path.display().to_string(),
            what: error.to_string(),
        };
        done.await.map_err(ended)?
    }
}

impl Store for FileStore {
    async fn load(&mut self) -> Result<Vec<(HostKey, Row)>, StoreError> {
        self.blocking(|opened, path| opened.open(path)).await
    }

    async fn commit(&mut self, claims: Arc<[Claim]>) -> Result<Vec<Outcome>, StoreError> {
        self.blocking(move |opened, path| opened.commit(path, &claims)).await
    }

    async fn keep(&mut self, kept: Kept) -> Result<(), StoreError> {
        self.blocking(move |opened, path| opened.keep(path, kept)).await
    }
}

impl Opened {
    fn open(&mut self, path: &Path) -> Result<Vec<(HostKey, Row)>, StoreError> {
        (self.database, self.table) = (None, None);
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::new(open_or_create(path)?),
        };
        lock(path, file.try_lock())?;
        format::check(path, &file)?;
        let database = Database::builder().set_cache_size(CACHE).create_with_backend(Disk(Arc::clone(&file)));
        let database = database.map_err(|error| format::refused(path, error))?;
        let rows = format::read(path, &database)?;
        self.database = Some(database);
        self.file = Some(file);
        Ok(rows)
    }

    fn commit(&mut self, path: &Path, claims: &[Claim]) -> Result<Vec<Outcome>, StoreError> {
        if self.database.is_none() {
            // After a failed commit, a database has to be opened anew.
            self.open(path)?;
        }
        let Some(database) = &self.database else { return Ok(Vec::new()) };
        if let Err(error) = format::write(database, claims) {
            self.database = None;
            let (name, what) = (path.display().to_string(), error.to_string());
            return Err(StoreError::Commit { name, what });
        }
        Ok(vec![Outcome::Stored; claims.len()])
    }

    fn name_table(&mut self, path: &Path) -> Result<Option<Kept>, StoreError> {
        let Some(database) = &self.database else { return Ok(None) };
        self.table = name_table::read(path, database)?;
        Ok(self.table.clone())
    }

    fn keep(&mut self, path: &Path, kept: Kept) -> Result<(), StoreError> {
        let failed = |what| StoreError::NotKept { path: path.into(), what };
        if let Some(what) = name_table::refused(&kept.table) {
            return Err(failed(what));
        }
        if self.database.is_none() {
            self.open(path)?;
        }
        let Some(database) = &self.database else { return Ok(()) };
        if let Err(error) = name_table::write(database, self.table.as_ref(), &kept) {
            (self.database, self.table) = (None, None);
            return Err(failed(error.to_string()));
        }
        self.table = Some(kept);
        Ok(())
    }
}

/// What the file at `path` has, without changing it.
pub fn remembered(path: &Path) -> Result<Remembered, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Remembered::Nothing),
        Err(source) => return Err(StoreError::Io { path: path.into(), action: "open it", source }),
    };
    lock(path, file.try_lock_shared())?;
    Ok(Remembered::Rows(format::check(path, &file)?))
}

fn lock(path: &Path, locked: Result<(), TryLockError>) -> Result<(), StoreError> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.into() }),
        Err(TryLockError::Error(source)) => {
            Err(StoreError::Io { path: path.into(), action: "lock it", source })
        }
    }
}

fn open_or_create(path: &Path) -> Result<File, StoreError> {
    let open = || OpenOptions::new().read(true).write(true).open(path);
    let failed = |action| move |source| StoreError::Io { path: path.into(), action, source };
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(path)?;
            open().map_err(failed("open it"))
        }
        opened => opened.map_err(failed("open it for writing")),
    }
}

/// Makes an empty ledger, unless somebody else is faster.
fn create(path: &Path) -> Result<(), StoreError> {
    let failed = |source: io::Error| StoreError::Io { path: path.into(), action: "create it", source };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(StoreError::NoDirectory { path: path.into(), directory: directory.into() });
    }
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let made = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&part);
    let made = made.map_err(failed)?;
    let done = format::begin(Arc::new(made)).map_err(failed).and_then(|()| {
        match std::fs::hard_link(&part, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            // A file system without links.
            Err(_) => std::fs::rename(&part, path).map_err(failed),
            Ok(()) => Ok(()),
        }
    });
    // Gone already if it was renamed.
    let _ = std::fs::remove_file(&part);
    done?;
    // Without this the name may be lost in a crash, and what is in the file with it.
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests;
