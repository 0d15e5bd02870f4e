//! Why a store cannot be read or written, and what to do about it.

use std::io;
use std::path::PathBuf;

/// What is wrong with the file of the ledger. It is never changed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has it open.
    #[error(
        "{}: another process uses this ledger; stop it, or give this one a file of its own (serviceEntries.ledger.file)",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The directory is not there.
    #[error("{}: the directory {} does not exist; create it, or correct serviceEntries.ledger.file", path.display(), directory.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// The system refuses something.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `open it`.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// It is something else.
    #[error("{}: {what}, not a ledger; nothing is changed in it: correct serviceEntries.ledger.file, or move the file away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A later version of meshdns wrote it.
    #[error(
        "{}: the ledger has format {found}, this version knows {known}; nothing is changed in it: use the version that wrote it, or a later one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The last one that we know.
        known: u64,
    },
    /// It cannot be read as a whole.
    #[error(
        "{}: the ledger is damaged: {what}; nothing is changed in it: restore a copy, or move it away to begin anew, which gives hosts other addresses",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The name table of istiod in it cannot be used; the rest can.
    #[error(
        "{}: the name table of istiod in it cannot be used: {what}; the addresses of the ledger can, and istiod's next table replaces it",
        path.display()
    )]
    NameTable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A name table was not stored.
    #[error("{}: the name table of istiod cannot be kept: {what}; a restart would begin with an older one or none", path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// The ConfigMaps of a shared ledger cannot be used.
    #[error("{ledger}: {what}")]
    Shared {
        /// The ConfigMaps.
        ledger: String,
        /// Why.
        what: String,
    },
    /// A commit failed.
    #[error("{name}: addresses cannot be stored: {what}; hosts wait for them until it works again")]
    Commit {
        /// What the store is called.
        name: String,
        /// Why.
        what: String,
    },
}
