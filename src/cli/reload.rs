//! Settings are read again when their file changes, and on SIGHUP.
//!
//! Rules: the file is looked at, not watched, because the swap of a mounted ConfigMap happens in a hidden directory. What cannot be
//! used is told once and changes nothing; what is in force then stays in force.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use meshdns::catalog::TtlPolicy;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::{Question, Questions};
use meshdns::telemetry::metrics::ReloadMetrics;
use meshdns::telemetry::witness::Witness;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use super::refused_ttls;

/// Pause between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// The file that the settings in force are from, if they are from one.
pub(super) struct SettingsFile {
    path: Option<PathBuf>,
    overrides: Overrides,
    /// What the server was started with.
    started: String,
}

impl SettingsFile {
    /// To be made before the settings are read: a change in between counts as one.
    pub(super) fn new(path: Option<PathBuf>, overrides: Overrides) -> Self {
        let started = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        Self { path, overrides, started }
    }

    /// Looks at it as long as the server runs. What objects ask for against the settings is told when they are `complete`, and
    /// after each change.
    pub(super) async fn follow(
        self,
        complete: impl Future<Output = ()>,
        keeper: Questions,
        witness: Arc<Witness>,
        metrics: ReloadMetrics,
    ) -> Result<()> {
        let (mut complete, mut is_complete) = (pin!(complete), false);
        let mut hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
        let mut looks = interval(INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = self.started.clone();
        loop {
            let told = tokio::select! {
                () = &mut complete, if !is_complete => {
                    is_complete = true;
                    refused_ttls::tell(&keeper).await;
                    continue;
                }
                _ = hangup.recv() => true,
                _ = looks.tick() => false,
            };
            let Some(path) = &self.path else {
                if told {
                    tracing::warn!("SIGHUP: there is no settings file to read again");
                }
                continue;
            };
            let file = path.display().to_string();
            let text = match tokio::fs::read_to_string(path).await {
                Ok(text) => text,
                // Whoever replaces it may take it away for a moment.
                Err(_) if !told => continue,
                Err(error) => {
                    tracing::error!(file, %error, "settings cannot be read again: those in force stay");
                    metrics.refused();
                    continue;
                }
            };
            if text == seen && !told {
                continue;
            }
            let read = Settings::reread(&file, &self.started, &text, &self.overrides);
            seen = text;
            let done = match read {
                Ok(live) => put_in_force(&keeper, live.ttl).await.map(|()| witness.set_log(live.query_log)),
                Err(problems) => Err(problems.to_string()),
            };
            match done {
                Ok(()) => {
                    tracing::info!(file, "settings read again");
                    metrics.applied();
                    refused_ttls::tell(&keeper).await;
                }
                Err(problems) => {
                    let message = "settings are refused: those in force stay";
                    problems.lines().for_each(|problem| tracing::error!(problem, "{message}"));
                    metrics.refused();
                }
            }
        }
    }
}

/// Returns when answers are given by them.
async fn put_in_force(keeper: &Questions, ttls: TtlPolicy) -> Result<(), String> {
    let (answer, answered) = oneshot::channel();
    let gone = || "the server is stopping".to_owned();
    keeper.send(Question::Ttls(ttls, answer)).await.map_err(|_| gone())?;
    answered.await.map_err(|_| gone())?.map_err(|error| error.to_string())
}
