//! How a snapshot is cut into pieces. All numbers are in network order:
//!
//! ```text
//! file     magic (8 octets), format (4), frames: one header, any number of blocks, one trailer, nothing behind it
//! frame    kind (1), length of the payload (4), payload, checksum of all that (8)
//! ```
//!
//! The payload of each is a message of `proto/meshdns/snapshot/v1/`. The trailer has a checksum of everything before it, so
//! that frames that are missing, twice or in another order are found too.

use super::checksum::Checksum;

/// How every snapshot begins.
pub(super) const MAGIC: [u8; 8] = *b"meshdns\x1a";
/// The format that is written, and the only one that is read.
pub(super) const FORMAT: u32 = 1;
/// The largest payload: many times what an API server takes as one object (3 MiB, k8s.io/apiserver
/// `pkg/server/config.go`, `MaxRequestBodyBytes`), of which a fraction is kept.
pub(super) const LARGEST: usize = 4 << 20;
/// Octets of a frame before its payload, and behind it.
pub(super) const HEAD: usize = 5;
pub(super) const TAIL: usize = 8;

/// What a frame has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Header,
    Block,
    Trailer,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Header, Kind::Block, Kind::Trailer];

    const fn octet(self) -> u8 {
        match self {
            Kind::Header => b'H',
            Kind::Block => b'B',
            Kind::Trailer => b'T',
        }
    }

    /// That of an octet.
    pub(super) fn of(octet: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.octet() == octet)
    }
}

/// The octets that the file begins with.
pub(super) fn beginning() -> [u8; 12] {
    let mut octets = [0; 12];
    octets[..8].copy_from_slice(&MAGIC);
    octets[8..].copy_from_slice(&FORMAT.to_be_bytes());
    octets
}

/// What stands around a payload of at most [`LARGEST`] octets.
pub(super) fn around(kind: Kind, payload: &[u8]) -> ([u8; HEAD], [u8; TAIL]) {
    let mut head = [kind.octet(), 0, 0, 0, 0];
    head[1..].copy_from_slice(&(payload.len() as u32).to_be_bytes());
    (head, checksum(&head, payload).to_be_bytes())
}

/// The checksum of one frame.
pub(super) fn checksum(head: &[u8; HEAD], payload: &[u8]) -> u64 {
    let mut sum = Checksum::new();
    sum.update(head);
    sum.update(payload);
    sum.value()
}
