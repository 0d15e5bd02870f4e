//! The stream of messages to the collector.
//!
//! Rules: it is connected all the time, so that a collector that goes is noticed before a message is lost in it. While it is away, or does
//! not read, the queue fills and then messages are dropped. When the server stops, what is in the queue is sent and the stream is closed
//! as a reader expects it, within a moment.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::frames::{Control, FrameError, control, read};
use super::message::Signature;
use super::{DnstapEndpoint, DnstapSettings, Tapped};
use crate::telemetry::metrics::DnstapMetrics;

/// Messages that are written together.
const BATCH: usize = 256;
/// How long a message waits for others: being woken for each costs more than the message.
const GATHER: Duration = Duration::from_millis(10);
/// How long a collector may take to answer, and to read.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long until it is tried again, at first and at most: twice as long each time, until a connection has stood for longer than that.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What sends messages.
#[derive(Debug)]
pub struct Sending {
    endpoint: DnstapEndpoint,
    signature: Signature,
    queue: mpsc::Receiver<Tapped>,
    waiting: Arc<AtomicUsize>,
    metrics: DnstapMetrics,
    stop: oneshot::Receiver<oneshot::Sender<()>>,
    /// Whether the log knows that the collector is away.
    is_told: bool,
}

/// Ends the sending.
#[derive(Debug)]
pub struct Farewell(oneshot::Sender<oneshot::Sender<()>>);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("it says {0:?}, which does not belong there")]
    Unexpected(Control),
    #[error("it has closed the connection")]
    Closed,
    #[error("it has not answered within {} s", PATIENCE.as_secs())]
    Silent,
    #[error("it has read nothing for {} s", PATIENCE.as_secs())]
    Full,
}

/// What is on its way to the collector.
#[derive(Debug, Default)]
struct Batch {
    messages: Vec<Tapped>,
    frames: Vec<u8>,
    scratch: Vec<u8>,
}

/// What a reader says.
struct Hearing<R> {
    reader: R,
    heard: Vec<u8>,
}

impl Sending {
    pub(super) fn new(
        settings: &DnstapSettings,
        queue: mpsc::Receiver<Tapped>,
        waiting: Arc<AtomicUsize>,
        metrics: &DnstapMetrics,
    ) -> (Self, Farewell) {
        let (farewell, stop) = oneshot::channel();
        let signature = Signature { identity: settings.identity.clone().unwrap_or_default() };
        let (endpoint, metrics) = (settings.endpoint.clone(), metrics.clone());
        (Self { endpoint, signature, queue, waiting, metrics, stop, is_told: false }, Farewell(farewell))
    }

    /// Sends what comes, until it is told to stop; then it waits to be dropped.
    pub async fn run(mut self) {
        let mut pause = PAUSE;
        loop {
            let begun = Instant::now();
            let Err(error) = self.connected().await else { break };
            if begun.elapsed() > LONGEST_PAUSE {
                pause = PAUSE;
            }
            self.metrics.set_connected(false);
            // Once is enough: the gauge says how it goes on.
            if !self.is_told {
                let endpoint = self.endpoint.to_string();
                tracing::warn!(endpoint, %error, "dnstap collector is away: messages are dropped");
                self.is_told = true;
            }
            if timeout(pause, &mut self.stop).await.is_ok() {
                break;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.metrics.set_connected(false);
        self.queue.close();
        self.metrics.dropped(self.queue.len() as u64);
        // Whoever waits for the end has it, and a task must not end.
        drop(self);
        pending::<()>().await;
    }

    /// Returns when there is nothing more to send.
    async fn connected(&mut self) -> Result<(), StreamError> {
        match self.endpoint.clone() {
            DnstapEndpoint::Unix(path) => {
                let stream = timeout(PATIENCE, UnixStream::connect(path)).await;
                self.pour(stream.map_err(|_| StreamError::Silent)??).await
            }
            DnstapEndpoint::Tcp(address) => {
                let stream = timeout(PATIENCE, TcpStream::connect(address)).await;
                let stream = stream.map_err(|_| StreamError::Silent)??;
                stream.set_nodelay(true)?;
                self.pour(stream).await
            }
        }
    }

    /// Agrees with the reader, and writes until told to stop.
    async fn pour(&mut self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), StreamError> {
        let (reader, mut writer) = split(stream);
        let mut reader = Hearing { reader, heard: Vec::new() };
        write(&mut writer, &control(Control::Ready)).await?;
        reader.expect(Control::Accept).await?;
        write(&mut writer, &control(Control::Start)).await?;
        self.metrics.set_connected(true);
        tracing::info!(endpoint = self.endpoint.to_string(), "dnstap collector is connected");
        self.is_told = false;
        let mut batch = Batch::default();
        loop {
            let stopped = tokio::select! {
                biased;
                said = reader.next() => return Err(StreamError::Unexpected(said?)),
                count = self.queue.recv_many(&mut batch.messages, BATCH) => (count == 0).then_some(None),
                stopped = &mut self.stop => Some(stopped.ok()),
            };
            let is_full = batch.messages.len() == BATCH;
            self.send(&mut batch, &mut writer).await?;
            // What is held says who waits for the end.
            if let Some(_waits) = stopped {
                if let Err(error) = self.close(batch, writer, reader).await {
                    let endpoint = self.endpoint.to_string();
                    tracing::warn!(endpoint, %error, "dnstap collector has not taken the last messages");
                }
                return Ok(());
            }
            if !is_full {
                sleep(GATHER).await;
            }
        }
    }

    async fn send(
        &mut self,
        batch: &mut Batch,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), StreamError> {
        let count = batch.messages.len() as u64;
        for tapped in batch.messages.drain(..) {
            self.waiting.fetch_sub(tapped.octets.len(), Relaxed);
            self.signature.put(tapped, &mut batch.scratch, &mut batch.frames);
        }
        let written = write(writer, &batch.frames).await;
        batch.frames.clear();
        match written {
            Ok(()) => self.metrics.sent(count),
            Err(_) => self.metrics.dropped(count),
        }
        written
    }

    /// Sends what is left, and hears that it was read.
    async fn close(
        &mut self,
        mut batch: Batch,
        mut writer: impl AsyncWrite + Unpin,
        mut reader: Hearing<impl AsyncRead + Unpin>,
    ) -> Result<(), StreamError> {
        while let Ok(tapped) = self.queue.try_recv() {
            batch.messages.push(tapped);
            if batch.messages.len() == BATCH {
                self.send(&mut batch, &mut writer).await?;
            }
        }
        self.send(&mut batch, &mut writer).await?;
        write(&mut writer, &control(Control::Stop)).await?;
        reader.expect(Control::Finish).await
    }
}

impl<R: AsyncRead + Unpin> Hearing<R> {
    /// Hears exactly this, soon.
    async fn expect(&mut self, expected: Control) -> Result<(), StreamError> {
        match timeout(PATIENCE, self.next()).await.map_err(|_| StreamError::Silent)?? {
            said if said == expected => Ok(()),
            other => Err(StreamError::Unexpected(other)),
        }
    }

    /// The next frame. Nothing is lost if it is not waited for to the end.
    async fn next(&mut self) -> Result<Control, StreamError> {
        loop {
            if let Some((said, length)) = read(&self.heard)? {
                self.heard.drain(..length);
                return Ok(said);
            }
            // No frame is as long, so this ends.
            if self.reader.read_buf(&mut self.heard).await? == 0 {
                return Err(StreamError::Closed);
            }
        }
    }
}

impl Farewell {
    /// Ends the sending when no more messages come. Returns when they were read, or cannot be.
    pub async fn say(self) {
        let (done, is_done) = oneshot::channel::<()>();
        if self.0.send(done).is_ok() {
            let _ = is_done.await;
        }
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), octets: &[u8]) -> Result<(), StreamError> {
    Ok(timeout(PATIENCE, writer.write_all(octets)).await.map_err(|_| StreamError::Full)??)
}
