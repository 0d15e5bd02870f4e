//! A watch, which may begin with a complete list.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use kube::core::WatchEvent;
use kube::core::params::WatchParams;
use kube::core::watch::Bookmark;
use tokio::time::{Instant, timeout};
use tokio_stream::{Stream, StreamExt};

use super::{End, Feed};
use crate::apiserver::ApiError;
use crate::model::Change;
use crate::random::random;
use crate::source::kubernetes::Link;
use crate::source::kubernetes::list::{List, Seen};
use crate::source::kubernetes::wire::{END_OF_LIST, Raw, Stamp, number};
use crate::source::{Moment, Since};

/// Events that are taken together when they are there together.
const TOGETHER: usize = 128;
/// How long an API server is asked to keep a watch open, at least; at most twice as long. It closes all of them after
/// some time anyway.
const OPEN_FOR: u32 = 240;
/// A patience below this is shorter than the pause between two bookmarks.
const BETWEEN_BOOKMARKS: Duration = Duration::from_secs(70);

type Event = Result<WatchEvent<Raw>, kube::Error>;

/// What came together.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    moments: Vec<Moment>,
    /// The version after it.
    position: Option<String>,
    /// Whether the list ended with it.
    end_of_list: bool,
}

impl Feed {
    /// Watches from a version on, or, with a list, from its end. `Ok` when the API server closed the watch.
    pub(super) async fn stream(&mut self, from: String, mut list: Option<List>) -> Result<(), End> {
        let params = WatchParams {
            timeout: Some(self.open_for()),
            bookmarks: true,
            send_initial_events: list.is_some(),
            ..WatchParams::default()
        };
        if list.is_some() {
            self.board.tell(|feed| feed.link = Link::Listing);
        }
        let request = self.request().watch(&params, &from);
        let request = request.map_err(|error| End::Failed(ApiError::Garbled(error.to_string())))?;
        let client = self.api.client().clone();
        let opened = timeout(self.answer(), client.request_events::<Raw>(request)).await;
        let opened = match opened {
            Ok(opened) => opened.map_err(|error| ApiError::of(&error, || self.rule())),
            Err(_) => Err(ApiError::Silent(self.answer().as_secs())),
        };
        let mut events = match opened {
            Ok(events) => pin!(events),
            Err(ApiError::Status { code: 400 | 422, .. }) if list.is_some() => {
                // It does not know how to stream a list.
                self.streaming = false;
                return Ok(());
            }
            Err(error) => {
                let end = self.failed(error);
                if matches!(end, End::Absent) {
                    self.conclude_absent().await?;
                }
                return Err(end);
            }
        };
        if list.is_none() {
            self.live();
        }
        let mut newest = number(&from);
        loop {
            let patience = self.patience(list.is_some())?;
            let first = match timeout(patience, events.next()).await {
                Ok(Some(first)) => first,
                Ok(None) if list.is_some() => {
                    return Err(End::Failed(ApiError::Unreachable("a list broke off".to_owned())));
                }
                Ok(None) => return Ok(()),
                Err(_) => {
                    self.patience(list.is_some())?;
                    self.position = None;
                    return Err(End::Failed(ApiError::Silent(patience.as_secs())));
                }
            };
            let received = Instant::now().into_std();
            let mut batch = Batch::default();
            let mut next = Some(first);
            let mut taken = 0;
            let mut over = None;
            while let Some(event) = next {
                if let Err(end) = self.take(event, &mut list, &mut newest, received, &mut batch) {
                    over = Some(end);
                    break;
                }
                taken += 1;
                next =
                    if taken < TOGETHER && !batch.end_of_list { ready(events.as_mut()).await } else { None };
            }
            self.outlet.send(batch.changes, batch.moments).await?;
            if batch.end_of_list
                && let (Some(list), Some(version)) = (list.take(), &batch.position)
            {
                newest = number(version);
                self.conclude(list, version).await?;
            } else if list.is_none() {
                self.position = batch.position.or(self.position.take());
            }
            let (objects, version) = (self.known.len(), newest);
            let counting = list.is_none();
            self.board.note(|feed| {
                feed.heard = Some(Instant::now());
                if counting {
                    feed.objects = objects;
                    feed.version = version.or(feed.version);
                }
            });
            if let Some(end) = over {
                return Err(end);
            }
        }
    }

    /// Takes one event into the batch.
    fn take(
        &mut self,
        event: Event,
        list: &mut Option<List>,
        newest: &mut Option<u64>,
        received: std::time::Instant,
        batch: &mut Batch,
    ) -> Result<(), End> {
        let event = event.map_err(|error| {
            let error = ApiError::of(&error, || self.rule());
            self.failed(error)
        })?;
        match event {
            WatchEvent::Added(raw) | WatchEvent::Modified(raw) => match list {
                Some(list) => batch.changes.append(&mut list.take(self.resource, &raw)),
                None => {
                    let stamp = self.stamp(&raw, newest, batch)?;
                    self.changed(&raw, &stamp, received, batch)?;
                }
            },
            WatchEvent::Deleted(raw) => {
                let stamp = self.stamp(&raw, newest, batch)?;
                let Some(key) = Seen::key_of(self.resource, &raw) else {
                    return Err(self.relist("a deleted object has no readable name"));
                };
                self.known.remove(&key.name);
                if let Some(list) = list {
                    list.names.remove(&key.name);
                }
                self.board.note(|feed| {
                    feed.defects.remove(&key);
                });
                batch.changes.push(Change::Remove(key));
                batch.moments.push(self.moment(&stamp, received));
            }
            WatchEvent::Bookmark(Bookmark { metadata, .. }) => {
                self.follows(number(&metadata.resource_version), newest, list.is_some())?;
                batch.end_of_list = list.is_some()
                    && metadata.annotations.get(END_OF_LIST).is_some_and(|value| value == "true");
                batch.position = Some(metadata.resource_version);
            }
            WatchEvent::Error(status) => {
                let error = ApiError::of_status(&status, || self.rule());
                return Err(self.failed(error));
            }
        }
        Ok(())
    }

    fn changed(
        &mut self,
        raw: &Raw,
        stamp: &Stamp,
        received: std::time::Instant,
        batch: &mut Batch,
    ) -> Result<(), End> {
        let Some(mut seen) = Seen::of(self.resource, raw) else {
            self.board.tell(|feed| feed.nameless += 1);
            tracing::warn!(
                source = "kubernetes",
                watch = self.name(),
                "an object without a readable name is left out"
            );
            return Ok(());
        };
        if seen.usable {
            self.known.insert(&seen.key.name);
            batch.moments.push(self.moment(stamp, received));
        }
        let (key, defects) = (seen.key, seen.defects);
        for defect in &defects {
            tracing::warn!(source = "kubernetes", %defect, "object used in part");
        }
        self.board.note(|feed| match defects.is_empty() {
            true => _ = feed.defects.remove(&key),
            false => _ = feed.defects.insert(key, defects),
        });
        batch.changes.append(&mut seen.changes);
        Ok(())
    }

    /// Reads what an event says besides its object, and keeps count of versions.
    fn stamp(&self, raw: &Raw, newest: &mut Option<u64>, batch: &mut Batch) -> Result<Stamp, End> {
        let stamp = Stamp::of(raw);
        self.follows(stamp.version, newest, false)?;
        if let Some(version) = stamp.version {
            batch.position = Some(version.to_string());
        }
        Ok(stamp)
    }

    /// Versions only grow. If they do not, the order is lost, and a list restores it.
    fn follows(&self, version: Option<u64>, newest: &mut Option<u64>, listing: bool) -> Result<(), End> {
        let (Some(version), false) = (version, listing) else { return Ok(()) };
        if newest.is_some_and(|newest| version < newest) {
            return Err(self.relist("an event is older than the one before it"));
        }
        *newest = Some(version);
        Ok(())
    }

    fn relist(&self, why: &str) -> End {
        End::Expired(ApiError::Garbled(why.to_owned()))
    }

    fn moment(&self, stamp: &Stamp, received: std::time::Instant) -> Moment {
        Moment { kind: self.resource.kind(), since: stamp.trigger.unwrap_or(Since::Received(received)) }
    }

    /// It listens.
    fn live(&mut self) {
        if self.told.take().is_some() {
            tracing::info!(source = "kubernetes", watch = self.name(), "listening again");
        }
        self.board.tell(|feed| {
            feed.link = Link::Live;
            feed.heard = Some(Instant::now());
        });
    }

    /// How long to wait for the next event; an error when a doubted list is due for another look.
    fn patience(&self, listing: bool) -> Result<Duration, End> {
        let patience = if listing { self.answer() } else { self.limits.silence };
        let Some(since) = self.doubted.filter(|_| !listing) else { return Ok(patience) };
        match self.limits.doubt.checked_sub(since.elapsed()) {
            None => Err(End::Doubt),
            Some(left) => Ok(patience.min(left)),
        }
    }

    fn answer(&self) -> Duration {
        self.limits.answer.min(self.limits.silence)
    }

    /// For how many seconds the watch is to be kept open: if we are too impatient for bookmarks, it ends before that.
    fn open_for(&self) -> u32 {
        let silence = self.limits.silence;
        if silence < BETWEEN_BOOKMARKS {
            return u32::try_from(silence.as_secs() / 2).unwrap_or(OPEN_FOR).max(1);
        }
        OPEN_FOR + random() % (294 - OPEN_FOR)
    }
}

/// The next event if it is there already.
async fn ready<S: Stream<Item = Event>>(mut events: Pin<&mut S>) -> Option<Event> {
    poll_fn(|context| match events.as_mut().poll_next(context) {
        Poll::Ready(event) => Poll::Ready(event),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
