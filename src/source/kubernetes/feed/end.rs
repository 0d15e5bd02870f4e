//! Why a turn of a feed is over.

use super::super::outlet::KeeperGone;
use crate::apiserver::ApiError;

/// Why there is nothing more to hear.
#[derive(Debug)]
pub(super) enum End {
    /// The API server closed the watch, as it does from time to time.
    Closed,
    /// Where the watch stood is no longer known there.
    Expired(ApiError),
    /// A doubted list has to be confirmed.
    Doubt,
    /// The API server does not have the kind in this version; another one is to be tried.
    OtherVersion,
    /// The API server does not have the kind.
    Absent,
    /// Anything else.
    Failed(ApiError),
    /// Nobody takes updates any more.
    KeeperGone,
}

impl From<KeeperGone> for End {
    fn from(KeeperGone: KeeperGone) -> Self {
        Self::KeeperGone
    }
}
