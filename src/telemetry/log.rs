//! Where log lines go and how they look.
//!
//! Rules: lines go to standard error, so that standard output belongs to commands. Text for people (a terminal),
//! one JSON object per line for machines (anything else). A panic is logged like any error and ends the process
//! with exit code 1: a server that lost a part of itself must not linger.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// What is logged where nothing else is asked for.
pub const DEFAULT_FILTER: &str = "info";

/// The filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "log filter `{filter}` cannot be read: a level (error, warn, info, debug, trace) or target=level is expected"
)]
pub struct FilterError {
    filter: String,
    source: ParseError,
}

/// Starts logging. `filter` is a level or a list such as `info,meshdns::serve=debug`. A second call changes nothing.
pub fn start(filter: &str) -> Result<(), FilterError> {
    let parsed = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| FilterError { filter: filter.to_owned(), source })?;
    let builder = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    // An error means that the program around us has set a subscriber already; its choice holds.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    Ok(())
}

/// From now on a panic on any thread is logged and ends the process with exit code 1.
pub fn end_process_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("without a message");
        tracing::error!(place, reason = message, "panicked");
        std::process::exit(1);
    }));
}
