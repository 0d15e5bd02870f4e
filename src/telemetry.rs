//! What operators see: log lines and metrics.
//!
//! Rules: log messages are constant text, everything else is a field; nothing is logged per query above `debug`, but by the
//! query log when there is to be one.
//! Metric labels are enums, so that their number is bounded by the type.

pub mod dnstap;
pub mod log;
pub mod metrics;
mod query_log;
pub mod spans;
pub mod witness;
