//! Reading a snapshot.
//!
//! Rules: everything is read and checked once before the first object is given, and each block once more when it is; no more
//! than one block is in memory. Lengths are believed when the file has so many octets and a block may have them.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message;

use super::block::Block;
use super::checksum::Checksum;
use super::error::SnapshotError;
use super::frame::{self, FORMAT, HEAD, Kind, LARGEST, MAGIC, TAIL};
use super::proto;
use super::write::Taken;

/// Which snapshots are used.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The cluster, and the part of it that is looked at.
    pub scope: &'a str,
    /// The time in Unix seconds.
    pub now: u64,
    /// How old it may be.
    ///
    /// A snapshot of a time that is yet to come has no age that is known. It is used when the difference is an age that would
    /// do, as a clock that was set back a little must not cost a cluster its names, and refused beyond that.
    pub most: Duration,
}

/// A snapshot that is whole.
#[derive(Debug)]
pub struct Snapshot<R = File> {
    octets: Octets<R>,
    taken: Taken,
    objects: u64,
    /// Where the first block begins.
    begin: u64,
}

/// Its objects, block by block.
#[derive(Debug)]
pub struct Blocks<R = File> {
    octets: Octets<R>,
    next: u64,
    done: bool,
}

impl Snapshot<File> {
    /// Opens a file and checks all of it; none if there is none.
    pub fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Option<Self>, SnapshotError> {
        let failed = SnapshotError::io;
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, "open it")(error)),
        };
        let about = file.metadata().map_err(failed(path, "open it"))?;
        if !about.is_file() {
            return Err(SnapshotError::Foreign { path: path.into() });
        }
        Self::check(path, file, about.len(), wanted).map(Some)
    }
}

impl<R: Read + Seek> Snapshot<R> {
    /// Checks all of what a reader of so many octets gives; errors call it `path`.
    pub fn check(path: &Path, reader: R, length: u64, wanted: &Wanted<'_>) -> Result<Self, SnapshotError> {
        let mut octets = Octets::new(path, reader, length);
        octets.beginning()?;
        let taken = octets.header()?;
        octets.usable(&taken, wanted)?;
        let (begin, mut blocks) = (octets.at, 0);
        loop {
            let (before, place) = (octets.sum.value(), block_name(blocks + 1));
            match octets.frame(&place)? {
                (Kind::Block, _) => blocks += 1,
                (Kind::Header, _) => return Err(octets.damaged(format!("{place} is a second header"))),
                (Kind::Trailer, payload) => {
                    let trailer = proto::Trailer::decode(&*payload);
                    let trailer = trailer.map_err(|error| octets.damaged(format!("its trailer: {error}")))?;
                    if trailer.checksum != before {
                        return Err(octets.damaged("the checksum of the whole differs".to_owned()));
                    }
                    if octets.at != length {
                        let more = length - octets.at;
                        return Err(octets.damaged(format!("{more} octets stand behind its end")));
                    }
                    return Ok(Self { octets, taken, objects: trailer.objects, begin });
                }
            }
        }
    }

    /// What it is one of.
    pub fn taken(&self) -> &Taken {
        &self.taken
    }

    /// How many objects it has.
    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// The objects.
    pub fn blocks(self) -> Result<Blocks<R>, SnapshotError> {
        let Self { mut octets, begin, .. } = self;
        octets.seek(begin)?;
        Ok(Blocks { octets, next: 1, done: false })
    }
}

impl<R: Read + Seek> Iterator for Blocks<R> {
    type Item = Result<Block, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let place = block_name(self.next);
        let read = self.octets.frame(&place).map(|(kind, payload)| match kind {
            Kind::Block => {
                let unreadable = |error| self.octets.damaged(format!("{place}: {error}"));
                Some(Block::read(&payload).map_err(unreadable))
            }
            Kind::Header | Kind::Trailer => None,
        });
        let block = read.unwrap_or_else(|error| Some(Err(error)));
        self.next += 1;
        self.done = !matches!(block, Some(Ok(_)));
        block
    }
}

fn block_name(number: u64) -> String {
    format!("block {number}")
}

/// The octets of a file, with a checksum of all that were read.
#[derive(Debug)]
struct Octets<R> {
    path: PathBuf,
    reader: BufReader<R>,
    length: u64,
    at: u64,
    sum: Checksum,
}

impl<R: Read + Seek> Octets<R> {
    fn new(path: &Path, reader: R, length: u64) -> Self {
        let reader = BufReader::with_capacity(64 << 10, reader);
        Self { path: path.to_owned(), reader, length, at: 0, sum: Checksum::new() }
    }

    fn beginning(&mut self) -> Result<(), SnapshotError> {
        let mut magic = MAGIC;
        let there = MAGIC.len().min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        self.fill(&mut magic[..there], "its beginning")?;
        if magic != MAGIC {
            return Err(SnapshotError::Foreign { path: self.path.clone() });
        }
        if there < MAGIC.len() {
            return Err(self.truncated("its beginning"));
        }
        let found = u32::from_be_bytes(self.take("its beginning")?);
        if found != FORMAT {
            return Err(SnapshotError::Newer { path: self.path.clone(), found, known: FORMAT });
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Taken, SnapshotError> {
        let place = "its header";
        let (kind, payload) = self.frame(place)?;
        if kind != Kind::Header {
            return Err(self.damaged("it has no header".to_owned()));
        }
        let header = proto::Header::decode(&*payload);
        let header = header.map_err(|error| self.damaged(format!("{place}: {error}")))?;
        Ok(Taken { live: header.live, scope: header.scope })
    }

    fn usable(&self, taken: &Taken, wanted: &Wanted<'_>) -> Result<(), SnapshotError> {
        let (path, limit) = (self.path.clone(), wanted.most);
        if taken.scope != wanted.scope {
            let (was, is) = (taken.scope.clone(), wanted.scope.to_owned());
            return Err(SnapshotError::OtherScope { path, was, is });
        }
        let age = Duration::from_secs(wanted.now.saturating_sub(taken.live));
        if age > limit {
            return Err(SnapshotError::TooOld { path, age, limit });
        }
        let ahead = Duration::from_secs(taken.live.saturating_sub(wanted.now));
        if ahead > limit {
            return Err(SnapshotError::Unborn { path, ahead });
        }
        Ok(())
    }

    /// The next frame, whose checksum is right; `place` is what errors call it.
    fn frame(&mut self, place: &str) -> Result<(Kind, Vec<u8>), SnapshotError> {
        let head: [u8; HEAD] = self.take(place)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > LARGEST {
            return Err(self.damaged(format!("{place} claims to have {length} octets")));
        }
        if self.left() < (length + TAIL) as u64 {
            return Err(self.truncated(place));
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload, place)?;
        if u64::from_be_bytes(self.take(place)?) != frame::checksum(&head, &payload) {
            return Err(self.damaged(format!("the checksum of {place} differs")));
        }
        match Kind::of(kind) {
            Some(kind) => Ok((kind, payload)),
            None => Err(self.damaged(format!("{place} is of no known kind"))),
        }
    }

    fn take<const N: usize>(&mut self, place: &str) -> Result<[u8; N], SnapshotError> {
        let mut octets = [0; N];
        if self.left() < N as u64 {
            return Err(self.truncated(place));
        }
        self.fill(&mut octets, place)?;
        Ok(octets)
    }

    fn fill(&mut self, octets: &mut [u8], place: &str) -> Result<(), SnapshotError> {
        match self.reader.read_exact(octets) {
            Ok(()) => {}
            // It has become shorter.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(self.truncated(place)),
            Err(error) => return Err(SnapshotError::io(&self.path, "read it")(error)),
        }
        self.sum.update(octets);
        self.at += octets.len() as u64;
        Ok(())
    }

    fn seek(&mut self, at: u64) -> Result<(), SnapshotError> {
        let sought = self.reader.seek(SeekFrom::Start(at));
        self.at = sought.map_err(SnapshotError::io(&self.path, "read it again"))?;
        Ok(())
    }

    fn left(&self) -> u64 {
        self.length.saturating_sub(self.at)
    }

    fn truncated(&self, place: &str) -> SnapshotError {
        let (path, within) = (self.path.clone(), place.to_owned());
        SnapshotError::Truncated { path, length: self.length, within }
    }

    fn damaged(&self, what: String) -> SnapshotError {
        SnapshotError::Damaged { path: self.path.clone(), what }
    }
}
