//! A response that is read as it comes.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use http_body_util::BodyExt;
use kube::client::Body;

/// How long a line may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lines of a response. Dropping them closes it.
pub(crate) struct Lines {
    lines: Receiver<Result<String, String>>,
    _open: tokio::sync::oneshot::Sender<()>,
}

impl Lines {
    /// Reads on the runtime that this is called on.
    pub(super) fn of(mut body: Body) -> Self {
        let (sender, lines) = channel();
        let (open, mut closed) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut begun = Vec::new();
            loop {
                let frame = tokio::select! { frame = body.frame() => frame, _ = &mut closed => return };
                match frame {
                    Some(Ok(frame)) => begun.extend_from_slice(&frame.into_data().unwrap_or_default()),
                    Some(Err(error)) => {
                        let _ =
                            sender.send(Err(format!("{} and then {error}", String::from_utf8_lossy(&begun))));
                        return;
                    }
                    None => break,
                }
                while let Some(end) = begun.iter().position(|&octet| octet == b'\n') {
                    let line: Vec<u8> = begun.drain(..=end).collect();
                    let _ = sender.send(Ok(String::from_utf8_lossy(&line).into_owned()));
                }
            }
            if !begun.is_empty() {
                let _ = sender.send(Ok(String::from_utf8_lossy(&begun).into_owned()));
            }
        });
        Self { lines, _open: open }
    }

    /// The next line, or how it broke off after how much of one; `None` when it ended as it should.
    pub(crate) fn next(&self) -> Option<Result<String, String>> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line came"),
        }
    }

    /// Whether nothing comes, not even the end, for so long.
    pub(crate) fn silent_for(&self, time: Duration) -> bool {
        self.lines.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }
}
