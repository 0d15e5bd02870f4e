//! What a source knows, kept in a file over restarts, so that there are answers while the source is away.
//!
//! Unlike the ledger it is a copy: it is replaced as a whole, and one that cannot be read costs nothing but its answers. A
//! crash at any moment leaves the last one that was whole. All but the [`Saver`] waits for the disk; callers use a thread
//! that may.

mod block;
mod checksum;
mod decode;
mod encode;
mod error;
mod frame;
mod part;
mod proto;
mod read;
mod saver;
mod write;

pub use block::Block;
pub use error::SnapshotError;
pub use read::{Blocks, Snapshot, Wanted};
pub use saver::{Plan, Saver, Standing};
pub use write::{SnapshotWriter, Taken, Written};

#[cfg(test)]
mod tests;
