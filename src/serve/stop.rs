//! The word to stop, said once and heard by everybody.

use tokio::sync::watch;

/// Says stop. Dropping it says so too, so that nothing runs on without its owner.
#[derive(Debug)]
pub struct StopSignal(watch::Sender<bool>);

/// Hears it.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl StopSignal {
    /// A signal and its first listener.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Says stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Whether it was said.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits for it; returns at once if it was said already.
    pub async fn requested(&self) {
        // An error means that the signal was dropped.
        let _ = self.0.clone().wait_for(|stopped| *stopped).await;
    }
}
