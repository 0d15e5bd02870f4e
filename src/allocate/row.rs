//! What is remembered of a host, and how it gets into a store.

use std::sync::Arc;

use super::{Assigned, HostKey};

/// The addresses of a host, and since when it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The addresses, at least one.
    pub addresses: Assigned,
    /// Who gave them.
    pub origin: Origin,
    /// When they were given, in Unix seconds.
    pub since: u64,
    /// When the last entry that names the host went, in Unix seconds; none while there is one.
    pub freed: Option<u64>,
}

/// Who gave an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// We did.
    Own,
    /// Istio's status allocator, in `status.addresses`.
    Status,
    /// It was computed as istiod without that allocator does.
    Hash,
    /// istiod, in its name table.
    Istiod,
}

impl Origin {
    /// All of them.
    pub const ALL: [Origin; 4] = [Origin::Own, Origin::Status, Origin::Hash, Origin::Istiod];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Origin::Own => "own",
            Origin::Status => "status",
            Origin::Hash => "hash",
            Origin::Istiod => "istiod",
        }
    }
}

/// What a store is to remember of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The host.
    pub key: Arc<HostKey>,
    /// What the store has of it, as far as is known: with anything else there, somebody was first.
    pub was: Option<Row>,
    /// Its row; none: it is to be forgotten.
    pub row: Option<Row>,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored.
    Stored,
    /// Another writer was first: the store has this for the host, and keeps it.
    Holds(Option<Row>),
    /// Another writer gave one of the addresses to this host, which keeps it.
    Taken(Arc<HostKey>, Row),
    /// It cannot be stored now for this reason, others can; it is to be claimed again later.
    Deferred(Arc<str>),
}

/// A claim and what became of it. What other writers did unasked comes as a claim that failed because the store has
/// that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The claim.
    pub claim: Claim,
    /// What became of it.
    pub outcome: Outcome,
}
