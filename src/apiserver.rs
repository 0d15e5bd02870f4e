//! The way to an API server of Kubernetes: where it is, who we are there, and what we may do.

mod access;
mod error;
mod rule;

pub use access::{ApiServer, ApiServerSettings};
pub use error::{AccessError, ApiError};
pub use rule::Rule;
