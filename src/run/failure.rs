//! Why the server did not start, or did not go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinError;

use crate::serve::unix::UnixError;

/// Why the server ended; the process exits with code 1.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address cannot be listened on.
    #[error("{listener} cannot listen on {address}: {source}")]
    Bind {
        /// Which listener.
        listener: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A Unix socket cannot be listened on.
    #[error("grpc: {0}")]
    Unix(#[from] UnixError),
    /// The addresses cannot be written down.
    #[error("cannot write the addresses to {}: {source}", path.display())]
    PortsFile {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Threads, timers or signals cannot be had.
    #[error("the runtime cannot start: {0}")]
    Runtime(io::Error),
    /// Something ended that should not have.
    #[error("{part} ended unexpectedly: {reason}")]
    Ended {
        /// What.
        part: String,
        /// How.
        reason: String,
    },
}

impl RunError {
    pub(super) fn worker(number: usize, outcome: Result<(), String>) -> Self {
        let reason = outcome.err().unwrap_or_else(|| "it had nothing more to do".to_owned());
        Self::Ended { part: format!("worker {number}"), reason }
    }

    pub(super) fn stuck(number: usize, silence: Duration) -> Self {
        let reason = format!("it got nothing done for {} s", silence.as_secs());
        Self::Ended { part: format!("worker {number}"), reason }
    }

    pub(super) fn task(ended: Result<(&'static str, anyhow::Result<()>), JoinError>) -> Self {
        let (part, reason) = match ended {
            Ok((part, Ok(()))) => (part, "it had nothing more to do".to_owned()),
            Ok((part, Err(error))) => (part, format!("{error:#}")),
            Err(error) => ("a task", error.to_string()),
        };
        Self::Ended { part: part.to_owned(), reason }
    }
}
