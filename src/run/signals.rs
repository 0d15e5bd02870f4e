//! SIGTERM and SIGINT.
//!
//! Rules: the first one stops, the second one ends the process at once: who asks twice does not want to wait.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::serve::StopSignal;

/// The signals that stop us; from now on they are not the system's business.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Passes the first signal on as the word to stop, and exits at the second.
    pub(super) async fn stop_then_exit(mut self, stop: StopSignal) {
        self.next().await;
        stop.stop();
        self.next().await;
        tracing::warn!("ended by a second signal");
        std::process::exit(1);
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
