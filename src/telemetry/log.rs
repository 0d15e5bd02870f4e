//! Where log lines go and how they look.
//!
//! Rules: lines go to standard error, so that standard output belongs to commands. Unless one is asked for: text for
//! people (a terminal), one JSON object per line for machines (anything else). What is logged can change while the process runs. A
//! panic is logged like any error and ends the process with exit code 1: a server that lost a part of itself must not linger.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::reload;

/// What is logged where nothing else is asked for.
pub const DEFAULT_FILTER: &str = "info";

/// Why a filter is not in force.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// It cannot be read.
    #[error(
        "log filter `{filter}` cannot be read: a level (error, warn, info, debug, trace) or target=level is expected"
    )]
    Unreadable {
        /// As written.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The program around us logs in a way of its own.
    #[error("the log is not ours to change")]
    NotOurs,
}

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

type Replace = Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>;

/// What is logged at the moment; clones are the same.
#[derive(Clone)]
pub struct Level(Arc<Inner>);

struct Inner {
    filter: Mutex<String>,
    replace: Replace,
}

impl std::fmt::Debug for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Level").field(&self.filter()).finish()
    }
}

impl Level {
    /// The filter in force.
    pub fn filter(&self) -> String {
        self.0.filter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another one in force.
    pub fn change(&self, filter: &str) -> Result<(), FilterError> {
        let parsed = parsed(filter)?;
        let mut current = self.0.filter.lock().unwrap_or_else(PoisonError::into_inner);
        (self.0.replace)(parsed).map_err(|_| FilterError::NotOurs)?;
        filter.clone_into(&mut current);
        Ok(())
    }
}

/// Starts logging. `filter` is a level or a list such as `info,meshdns::serve=debug`. A second call changes nothing.
pub fn start(filter: &str, format: Format) -> Result<Level, FilterError> {
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(parsed(filter)?).with_writer(std::io::stderr);
    // An error means that the program around us has set a subscriber already; its choice holds.
    let replace: Replace = if format == Format::Text || format == Format::Auto && is_terminal {
        let builder = builder.with_target(false).with_ansi(is_terminal).with_filter_reloading();
        let handle = builder.reload_handle();
        let _ = builder.try_init();
        Box::new(move |filter| handle.reload(filter))
    } else {
        let builder = builder.json().flatten_event(true).with_filter_reloading();
        let handle = builder.reload_handle();
        let _ = builder.try_init();
        Box::new(move |filter| handle.reload(filter))
    };
    Ok(Level(Arc::new(Inner { filter: Mutex::new(filter.to_owned()), replace })))
}

fn parsed(filter: &str) -> Result<EnvFilter, FilterError> {
    let unreadable = |source| FilterError::Unreadable { filter: filter.to_owned(), source };
    EnvFilter::builder().parse(filter).map_err(unreadable)
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
