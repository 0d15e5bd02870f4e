//! What goes wrong on the way to an API server, in one line each.

use std::error::Error;

use kube::core::Status;

use super::Rule;

/// There is no way to the API server yet.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A file or setting that cannot be used.
    #[error("{what}: {}", told(source.as_ref()))]
    Unusable {
        /// The file, or the address.
        what: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// We run in a pod without a service account that could be used.
    #[error("the service account of the pod cannot be used: {}", told(source.as_ref()))]
    ServiceAccount {
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Nobody answers, or the answer breaks off.
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    /// It says who we are not (401).
    #[error("the API server does not know us (401): {0}; is the token expired?")]
    Unknown(String),
    /// A permission is missing (403).
    #[error("forbidden (403): {message}; this rule is missing: {rule}")]
    Forbidden {
        /// What the API server says.
        message: String,
        /// What would allow it.
        rule: Rule,
    },
    /// There is no such resource or object (404).
    #[error("not found (404): {0}")]
    NotFound(String),
    /// What was asked for is too old (410), or the version is one that the server has not reached.
    #[error("the version asked for is gone (410): {0}")]
    Expired(String),
    /// Somebody else wrote in between, or it exists already (409).
    #[error("conflict (409): {0}")]
    Conflict(String),
    /// It has too much to do (429), or cannot do it now (503).
    #[error("the API server is busy ({code}): {message}")]
    Busy {
        /// The HTTP status.
        code: u16,
        /// What it says.
        message: String,
        /// How many seconds it wants to be left alone; 0: it does not say.
        seconds: u32,
    },
    /// Any other status.
    #[error("the API server answered {code}: {message}")]
    Status {
        /// The HTTP status.
        code: u16,
        /// What it says.
        message: String,
    },
    /// What it sent makes no sense.
    #[error("the API server sent what cannot be read: {0}")]
    Garbled(String),
    /// Nothing came for too long.
    #[error("nothing came for {0} s")]
    Silent(u64),
}

impl ApiError {
    /// Reads an error of the client. `rule` is what would allow the request.
    pub fn of(error: &kube::Error, rule: impl FnOnce() -> Rule) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status, rule),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Self::Garbled(told(error)),
            _ => Self::Unreachable(told(error)),
        }
    }

    /// Reads a `Status` of the API server.
    pub fn of_status(status: &Status, rule: impl FnOnce() -> Rule) -> Self {
        let message = if status.message.is_empty() { &status.reason } else { &status.message }.clone();
        let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        match status.code {
            401 => Self::Unknown(message),
            403 => Self::Forbidden { message, rule: rule() },
            404 => Self::NotFound(message),
            409 => Self::Conflict(message),
            410 => Self::Expired(message),
            code @ (429 | 503) => Self::Busy { code, message, seconds },
            code => Self::Status { code, message },
        }
    }

    /// One word, for metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Unknown(_) => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Expired(_) => "expired",
            Self::Conflict(_) => "conflict",
            Self::Busy { .. } => "busy",
            Self::Status { .. } => "status",
            Self::Garbled(_) => "garbled",
            Self::Silent(_) => "silent",
        }
    }
}

/// An error and what caused it, in one line, nothing said twice.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}
