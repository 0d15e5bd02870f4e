//! The certificate of the gRPC listener, read again when its files change, and on SIGHUP.
//!
//! Rules: what cannot be used is told and changes nothing. At the start there is nothing that could stay in force: then TLS clients
//! are refused and `/readyz` says why, everything else works, and the listener comes up as soon as the files are good.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use meshdns::model::Utc;
use meshdns::serve::{Identities, Readiness, ReadinessHandle};
use meshdns::store::unix_seconds;
use meshdns::telemetry::metrics::TlsMetrics;
use meshdns::tls::{FileProblem, Identity, TlsFiles, TlsSettings};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// Pause between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// What `/readyz` calls them.
const NAME: &str = "grpc certificate";

/// The files, and who hears of them.
pub(super) struct Certificates {
    files: TlsFiles,
    in_force: watch::Sender<Option<Arc<Identity>>>,
    readiness: Readiness,
    /// Until there is something in force.
    handle: Option<ReadinessHandle>,
    metrics: TlsMetrics,
    /// What was last said about the identity in force, and about files that are not.
    warnings: Vec<String>,
    problem: Option<String>,
}

impl Certificates {
    /// Not read yet, so nothing is in force.
    pub(super) fn new(tls: TlsSettings, readiness: &Readiness, metrics: &TlsMetrics) -> (Self, Identities) {
        metrics.begin();
        let (in_force, identities) = watch::channel(None);
        let certificates = Self {
            files: TlsFiles::new(tls),
            in_force,
            readiness: readiness.clone(),
            handle: Some(readiness.way_in(NAME)),
            metrics: metrics.clone(),
            warnings: Vec::new(),
            problem: None,
        };
        (certificates, identities)
    }

    /// Looks at the files as long as the server runs.
    pub(super) async fn follow(mut self) -> Result<()> {
        let mut hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
        let mut looks = interval(INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let told = tokio::select! {
                _ = hangup.recv() => true,
                _ = looks.tick() => false,
            };
            // A slow file system is not to hold up the other tasks of this thread.
            let mut files = self.files;
            let (files, news) = tokio::task::spawn_blocking(move || {
                let news = files.look(told, unix_seconds());
                (files, news)
            })
            .await?;
            self.files = files;
            match news {
                Some(Ok(identity)) => self.apply(identity),
                Some(Err(problem)) => self.refuse(&problem),
                None => {}
            }
            self.warn();
        }
    }

    fn apply(&mut self, identity: Identity) {
        let (names, expires) = (identity.certificate.to_string(), identity.expires);
        tracing::info!(names, expires = %Utc(expires), "certificate in force");
        self.metrics.applied(expires);
        self.problem = None;
        self.in_force.send_replace(Some(Arc::new(identity)));
        if let Some(handle) = self.handle.take() {
            handle.release();
        }
        self.note();
    }

    fn refuse(&mut self, problem: &FileProblem) {
        self.metrics.refused();
        if self.handle.is_some() {
            tracing::error!(%problem, "certificate is refused: no TLS client is let in");
            self.readiness.explain(NAME, &problem.to_string());
        } else {
            tracing::error!(%problem, "certificate is refused: the one in force stays");
            self.problem = Some(format!("{problem}: the certificate that was read before stays in force"));
            self.note();
        }
    }

    /// Says what is worth mending, when that has changed.
    fn warn(&mut self) {
        let warnings = self.in_force.borrow().as_ref().map(|identity| identity.warnings(unix_seconds()));
        let warnings = warnings.unwrap_or_default();
        if warnings == self.warnings {
            return;
        }
        let file = self.files.settings().certificate.display().to_string();
        for warning in &warnings {
            tracing::warn!(file, warning, "certificate should be replaced");
        }
        self.warnings = warnings;
        self.note();
    }

    fn note(&self) {
        let file = self.files.settings().certificate.display();
        let warnings = self.warnings.iter().map(|warning| format!("{file} {warning}"));
        let lines: Vec<String> = self.problem.iter().cloned().chain(warnings).collect();
        self.readiness.note(NAME, &lines);
    }
}
