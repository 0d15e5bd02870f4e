//! What commands print.

use std::io::{ErrorKind, Write};

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON document
    Json,
}

impl Output {
    /// Prints a result in this form. Who stops reading early, as `head` does, is not told about it.
    pub(super) fn print<T: Serialize + ?Sized>(
        self,
        result: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let text = match self {
            Output::Text => text(result),
            Output::Json => serde_json::to_string_pretty(result)? + "\n",
        };
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }
}
