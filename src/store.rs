//! Where the ledger is kept: what allocators claim is stored, and read back before the first address is given.
//!
//! A store is used by one task, which waits for it; queries and the keeper never do. Stores that several writers
//! share say what another writer did: as the outcome of a claim, or unasked.

mod config_maps;
mod error;
mod file;
mod journal;
mod memory;
mod name_tables;
pub mod snapshot;
mod writer;

use std::num::NonZeroU32;
use std::sync::Arc;

pub use config_maps::{ConfigMapSettings, ConfigMapStore, Health, RememberedInMaps, Verb, remembered_in};
pub use error::StoreError;
pub use file::{FileStore, Remembered, remembered};
pub use journal::{Event, Journal, unix_seconds};
pub use memory::MemoryStore;
pub use name_tables::NameTables;
pub use writer::{Writer, load};

use crate::allocate::{Claim, HostKey, Outcome, Row, Settled};
use crate::source::istiod::Kept;

/// Keeps rows.
pub trait Store: Send + 'static {
    /// Into how many slices every range is cut, so that writers of different slices cannot give one address twice. A
    /// host's address comes from the slice of its key while that has any.
    fn slices(&self) -> NonZeroU32 {
        NonZeroU32::MIN
    }

    /// Everything that is stored. Until this has succeeded once, nothing can be committed.
    fn load(&mut self) -> impl Future<Output = Result<Vec<(HostKey, Row)>, StoreError>> + Send;

    /// Stores claims and says, in their order, what became of each; it returns when they would survive a crash. After
    /// an error nothing is known to be stored, and the same claims can be committed again.
    fn commit(
        &mut self,
        claims: Arc<[Claim]>,
    ) -> impl Future<Output = Result<Vec<Outcome>, StoreError>> + Send;

    /// Keeps a name table in place of the last one, as a whole or not at all; it returns when it would survive a crash. A
    /// store that does not outlive the process keeps none.
    fn keep(&mut self, _: Kept) -> impl Future<Output = Result<(), StoreError>> + Send {
        std::future::ready(Ok(()))
    }

    /// What other writers stored since the last call; waits until there is something. A store without other writers
    /// waits for ever. Nothing is lost when the wait is given up.
    fn changes(&mut self) -> impl Future<Output = Vec<Settled>> + Send {
        std::future::pending()
    }
}

#[cfg(test)]
mod tests;
