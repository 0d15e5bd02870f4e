//! Writing a snapshot.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use prost::Message;

use super::block::Block;
use super::checksum::Checksum;
use super::error::SnapshotError;
use super::frame::{self, Kind, LARGEST};
use super::part::Part;
use super::proto;
use crate::model::Object;

/// Blocks are closed when they have so many octets: large enough that what stands around them does not count, and small
/// enough to be held in memory.
const FULL: usize = 256 << 10;

/// What a snapshot is one of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When the source last said that this is how things stand, in Unix seconds.
    pub live: u64,
    /// The cluster, and the part of it that is looked at.
    pub scope: String,
}

/// A snapshot that was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its objects.
    pub objects: u64,
    /// Its size.
    pub octets: u64,
}

/// A snapshot that is being written. Dropped before it is finished, it leaves everything as it was.
#[derive(Debug)]
pub struct SnapshotWriter {
    path: PathBuf,
    part: Part,
    /// The payload of the block that is not full yet.
    block: Vec<u8>,
    sum: Checksum,
    written: Written,
}

impl SnapshotWriter {
    /// Begins one that will take the place of the file at `path`, unless that is something else than a snapshot.
    pub fn create(path: &Path, taken: &Taken) -> Result<Self, SnapshotError> {
        refuse_to_replace(path)?;
        let part = Part::beside(path).map_err(SnapshotError::io(path, "create a file beside it"))?;
        let (block, sum) = (Vec::with_capacity(FULL + FULL / 4), Checksum::new());
        let mut writer = Self { path: path.to_owned(), part, block, sum, written: Written::default() };
        writer.put(&frame::beginning())?;
        let header = proto::Header { live: taken.live, scope: taken.scope.clone() };
        writer.frame(Kind::Header, &header.encode_to_vec())?;
        Ok(writer)
    }

    /// Adds objects. Rows of istiod's name table are left out: they are kept with the ledger.
    pub fn push(&mut self, objects: &[Object]) -> Result<(), SnapshotError> {
        for object in objects {
            let before = self.block.len();
            if !Block::append(object, &mut self.block) {
                continue;
            }
            let octets = self.block.len() - before;
            if octets > LARGEST {
                let (path, object) = (self.path.clone(), object.key());
                return Err(SnapshotError::LargeObject { path, object, octets, most: LARGEST });
            }
            if self.block.len() > LARGEST {
                // It fits into a block of its own.
                let own = self.block.split_off(before);
                self.close()?;
                self.block = own;
            }
            self.written.objects += 1;
            if self.block.len() >= FULL {
                self.close()?;
            }
        }
        Ok(())
    }

    /// Lets it take the place of the last one. When this returns, it would survive a crash.
    pub fn finish(mut self) -> Result<Written, SnapshotError> {
        if !self.block.is_empty() {
            self.close()?;
        }
        let trailer = proto::Trailer { objects: self.written.objects, checksum: self.sum.value() };
        self.frame(Kind::Trailer, &trailer.encode_to_vec())?;
        let Self { path, part, written, .. } = self;
        part.place(&path).map_err(SnapshotError::io(&path, "put the new one in its place"))?;
        Ok(written)
    }

    fn close(&mut self) -> Result<(), SnapshotError> {
        let mut block = std::mem::take(&mut self.block);
        self.frame(Kind::Block, &block)?;
        block.clear();
        self.block = block;
        Ok(())
    }

    fn frame(&mut self, kind: Kind, payload: &[u8]) -> Result<(), SnapshotError> {
        let (head, tail) = frame::around(kind, payload);
        self.put(&head)?;
        self.put(payload)?;
        self.put(&tail)
    }

    fn put(&mut self, octets: &[u8]) -> Result<(), SnapshotError> {
        self.sum.update(octets);
        self.written.octets += octets.len() as u64;
        self.part.file().write_all(octets).map_err(SnapshotError::io(&self.path, "write the new one"))
    }
}

/// Whatever stands under the name and is no snapshot was put there by somebody else.
fn refuse_to_replace(path: &Path) -> Result<(), SnapshotError> {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(frame::MAGIC.len() as u64).read_to_end(&mut begin));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => {
            Err(SnapshotError::Io { path: path.into(), action: "look at what it replaces", source })
        }
        // The rest may have been lost in a crash of the system.
        Ok(_) if frame::MAGIC.starts_with(&begin) => Ok(()),
        Ok(_) => Err(SnapshotError::Foreign { path: path.into() }),
    }
}
