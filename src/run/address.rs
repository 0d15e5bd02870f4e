//! The addresses that we listen on.
//!
//! Rules: with port 0 the system chooses, so what was bound is told: in one log line per listener (`listening`, with
//! `listener` and `address`) and, if asked for, in a file of JSON that appears as a whole.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::failure::RunError;

/// Where a gRPC listener is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcAddress {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for GrpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// What was bound, in the order of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// gRPC.
    pub grpc: Vec<GrpcAddress>,
    /// Plain DNS, UDP and TCP alike.
    pub dns: Vec<SocketAddr>,
    /// Admin HTTP.
    pub admin: Option<SocketAddr>,
}

impl Addresses {
    pub(super) fn log(&self) {
        for address in &self.grpc {
            tracing::info!(listener = "grpc", %address, "listening");
        }
        for address in &self.dns {
            tracing::info!(listener = "dns", %address, "listening");
        }
        if let Some(address) = &self.admin {
            tracing::info!(listener = "admin", %address, "listening");
        }
    }

    /// Writes `{"grpc": […], "dns": […], "admin": …}`.
    pub(super) fn write(&self, path: &Path) -> Result<(), RunError> {
        let json = serde_json::json!({
            "grpc": self.grpc.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "dns": self.dns,
            "admin": self.admin,
        });
        let failed = |source| RunError::PortsFile { path: path.to_owned(), source };
        let mut half = path.as_os_str().to_owned();
        half.push(".part");
        std::fs::write(&half, format!("{json}\n")).map_err(failed)?;
        std::fs::rename(&half, path).map_err(failed)
    }
}
