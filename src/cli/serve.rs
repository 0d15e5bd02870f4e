//! `serve`: answer DNS queries.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use meshdns::config::Settings;
use meshdns::run::{self, RunSettings};
use meshdns::telemetry::log;

use super::FINDINGS;
use super::flags::{AnswerFlags, ServerFlags};
use super::parts::parts;
use super::reload::SettingsFile;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LogFormat {
    #[default]
    Auto,
    Json,
    Text,
}

impl From<LogFormat> for log::Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Auto => Self::Auto,
            LogFormat::Json => Self::Json,
            LogFormat::Text => Self::Text,
        }
    }
}

/// Arguments of `serve`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns serve --config /etc/meshdns/meshdns.yaml
  meshdns serve --zone cluster.local --manifests ./manifests
  MESHDNS_ZONE=cluster.local,10.96.0.0/12 MESHDNS_MANIFESTS=./manifests meshdns serve --dns-listen 127.0.0.1:5353

Flags replace environment variables, and both replace what the settings file says; lists are comma separated.
A settings file that changes is read again, and on SIGHUP: `ttl` and `telemetry.queryLog` can change while the server runs.
Exit codes: 0 told to stop, 1 could not go on, 2 bad usage or settings.")]
pub(super) struct Serve {
    #[command(flatten)]
    answers: AnswerFlags,
    #[command(flatten)]
    server: ServerFlags,
    /// What to log: error, warn, info, debug, trace, or a list such as info,meshdns::serve=debug
    #[arg(long, value_name = "FILTER", env = "MESHDNS_LOG", hide_env_values = true, default_value = log::DEFAULT_FILTER)]
    log: String,
    /// How log lines look: text, json, or auto, which is text on a terminal and JSON elsewhere
    #[arg(
        long,
        value_name = "FORMAT",
        env = "MESHDNS_LOG_FORMAT",
        hide_env_values = true,
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    log_format: LogFormat,
    /// File to write the addresses to that were bound, for port 0
    #[arg(long, value_name = "FILE", env = "MESHDNS_PORTS_FILE", hide_env_values = true)]
    ports_file: Option<PathBuf>,
}

impl Serve {
    /// Serves until told to stop.
    pub(super) fn run(self) -> Result<ExitCode> {
        let path = self.answers.config.clone();
        let overrides = self.answers.overrides(Some(self.server));
        let file = SettingsFile::new(path.clone(), overrides.clone());
        let settings = Settings::load(path.as_deref(), &overrides)?;
        let level = log::start(&self.log, self.log_format.into())?;
        let parts = parts(&settings, file, level)?;
        log::end_process_on_panic();
        let run_settings = RunSettings { ports_file: self.ports_file, ..RunSettings::from(&settings) };
        Ok(match run::run(run_settings, parts) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(FINDINGS)
            }
        })
    }
}
