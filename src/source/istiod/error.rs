//! Why there is no table.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use tonic::{Code, Status};

use super::Endpoint;

/// Why a stream did not come about, or ended. Texts name istiod's address and the cause.
#[derive(Debug, thiserror::Error)]
pub enum IstiodError {
    /// The name of istiod cannot be looked up.
    #[error("istiod at {endpoint}: the name `{}` cannot be looked up: {cause}", endpoint.host)]
    Lookup {
        /// Where istiod should be.
        endpoint: Endpoint,
        /// What the resolver said.
        cause: String,
    },
    /// Nobody listens there, or it cannot be reached.
    #[error("istiod at {endpoint} cannot be connected to: {cause}")]
    Connect {
        /// Where istiod should be.
        endpoint: Endpoint,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The handshake failed: it does not speak TLS there, or its certificate is not one we trust.
    #[error("istiod at {endpoint}: TLS failed: {cause}")]
    Tls {
        /// Where istiod should be.
        endpoint: Endpoint,
        /// What is wrong.
        cause: String,
    },
    /// Connecting took too long.
    #[error("istiod at {endpoint} did not answer within {} s", after.as_secs_f32())]
    Silent {
        /// Where istiod should be.
        endpoint: Endpoint,
        /// How long we waited.
        after: Duration,
    },
    /// A file of ours cannot be used.
    #[error("istiod at {endpoint}: the {what} file {} {cause}", path.display())]
    File {
        /// Where istiod should be.
        endpoint: Endpoint,
        /// What the file is for.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// istiod does not accept who we say we are: the operator must act, or a new token must come.
    #[error("istiod at {endpoint} refuses us: {cause}")]
    Refused {
        /// Where istiod is.
        endpoint: Endpoint,
        /// What it said.
        cause: String,
    },
    /// A message is larger than we take.
    #[error("istiod at {endpoint} sends more than {} MiB in one message", limit >> 20)]
    TooLarge {
        /// Where istiod is.
        endpoint: Endpoint,
        /// The limit, in octets.
        limit: usize,
    },
    /// It answers no pings.
    #[error("istiod at {endpoint} gave no sign of life for {} s", limit.as_secs_f32())]
    Dead {
        /// Where istiod was.
        endpoint: Endpoint,
        /// How long that is borne.
        limit: Duration,
        /// For how long nothing was heard.
        silence: Duration,
    },
    /// The stream broke off.
    #[error("the stream of istiod at {endpoint} broke off: {cause}")]
    Broken {
        /// Where istiod is.
        endpoint: Endpoint,
        /// What was seen of it.
        cause: String,
    },
    /// The stream ended in order, as it does when istiod restarts or a connection is old.
    #[error("istiod at {endpoint} ended the stream")]
    Ended {
        /// Where istiod is.
        endpoint: Endpoint,
    },
    /// What came is not what was asked for.
    #[error("istiod at {endpoint} sent something that cannot be used: {cause}")]
    Unusable {
        /// Where istiod is.
        endpoint: Endpoint,
        /// What is wrong with it.
        cause: String,
    },
}

impl IstiodError {
    /// What a call or a stream of istiod ended with.
    pub(super) fn from_status(endpoint: &Endpoint, limit: usize, status: &Status) -> Self {
        let endpoint = endpoint.clone();
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => Self::Refused { endpoint, cause: told(status) },
            // The only status of that code that comes from this side (tonic `codec/decode.rs`).
            Code::OutOfRange if status.message().contains("message length too large") => {
                Self::TooLarge { endpoint, limit }
            }
            _ => Self::Broken { endpoint, cause: told(status) },
        }
    }

    /// How long ago the last sign of life of a stream may have been when this is seen.
    pub(super) fn unnoticed(&self) -> Duration {
        match self {
            Self::Dead { silence, .. } => *silence,
            _ => Duration::ZERO,
        }
    }

    /// Whether a new token might help.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// A status in one line: its meaning, what the peer said, and what lies below.
fn told(status: &Status) -> String {
    let mut told = status.code().description().to_owned();
    if !status.message().is_empty() {
        told = format!("{told}: {}", super::convert::shown(status.message()));
    }
    match status.source() {
        Some(below) => format!("{told}: {}", chain(below)),
        None => told,
    }
}

/// An error and what caused it, without repetitions.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        next = error.source();
    }
    told
}
