//! How the source stands, feed by feed, for readiness, metrics, reports and staleness.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Resource;
use crate::apiserver::ApiError;
use crate::model::{Defect, Key};
use crate::source::Report;
use crate::telemetry::metrics::WatchFigures;

/// The API server may be away for so long before answers say so.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// Where a feed stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// It has not begun.
    #[default]
    Starting,
    /// A complete list is on its way.
    Listing,
    /// It hears of every change.
    Live,
    /// The API server does not have this kind.
    Absent,
    /// It hears nothing; why.
    Down(ApiError),
}

/// How one feed stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedStatus {
    /// What it watches.
    pub resource: Resource,
    /// Where; `None`: everywhere.
    pub namespace: Option<Box<str>>,
    /// Whether it is connected.
    pub link: Link,
    /// Whether everything has been listed once, or never will be because a cluster may lack it.
    pub settled: bool,
    /// Objects in use.
    pub objects: usize,
    /// Objects in use that the last list lacked, which is doubted.
    pub doubted: usize,
    /// When anything was heard last, bookmarks included. No clock that somebody may set.
    pub heard: Option<Instant>,
    /// Since when it has not heard of every change, if it does not now.
    pub away: Option<Instant>,
    /// The newest version that was heard of.
    pub version: Option<u64>,
    /// Complete lists so far.
    pub lists: u64,
    /// Failures so far, by reason.
    pub failures: BTreeMap<&'static str, u64>,
    /// What is wrong with objects.
    pub defects: BTreeMap<Key, Vec<Defect>>,
    /// Objects of the last list whose names could not be read.
    pub nameless: u64,
}

/// How the source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Why there is no way to an API server, if there is none.
    pub no_access: Option<String>,
    /// Its URL, once it is known.
    pub address: String,
    /// Every feed.
    pub feeds: Vec<FeedStatus>,
    /// Whether anything has changed that nobody was woken for.
    pub(super) quiet_changes: bool,
}

impl FeedStatus {
    pub(super) fn new(resource: Resource, namespace: Option<Box<str>>) -> Self {
        Self {
            resource,
            namespace,
            link: Link::Starting,
            settled: false,
            objects: 0,
            doubted: 0,
            heard: None,
            away: None,
            version: None,
            lists: 0,
            failures: BTreeMap::new(),
            defects: BTreeMap::new(),
            nameless: 0,
        }
    }

    /// Whether what we have is what the API server has, as far as it lets us know.
    pub fn is_live(&self) -> bool {
        match &self.link {
            Link::Live | Link::Absent => true,
            Link::Down(ApiError::Forbidden { .. }) => self.resource.is_optional(),
            _ => false,
        }
    }

    /// What it is called in messages: `services`, or `services in shop`.
    pub fn name(&self) -> String {
        match &self.namespace {
            None => self.resource.plural().to_owned(),
            Some(namespace) => format!("{} in {namespace}", self.resource.plural()),
        }
    }

    fn waits_for(&self) -> String {
        let because = match &self.link {
            Link::Starting => "not asked for yet".to_owned(),
            Link::Listing | Link::Live => "being listed".to_owned(),
            Link::Absent => "the API server does not have them".to_owned(),
            Link::Down(error) => error.to_string(),
        };
        format!("{}: {because}", self.name())
    }

    /// What is wrong with the feed as a whole.
    fn defect(&self) -> Option<Defect> {
        let message = match &self.link {
            Link::Down(error @ ApiError::Forbidden { .. }) => error.to_string(),
            _ if self.nameless > 0 => {
                format!(
                    "{} objects without a readable name are left out, and none is taken for gone",
                    self.nameless
                )
            }
            _ if self.doubted > 0 => format!(
                "the last list lacks {} of {} objects, which is doubted: they stay in use until another list says so",
                self.doubted, self.objects
            ),
            _ => return None,
        };
        Some(Defect { place: self.name(), object: None, field: String::new(), message })
    }
}

impl Status {
    /// Whether everything is what the API server has.
    pub fn is_live(&self) -> bool {
        self.no_access.is_none() && !self.feeds.is_empty() && self.feeds.iter().all(FeedStatus::is_live)
    }

    /// Whether everything has been listed once.
    pub fn is_settled(&self) -> bool {
        !self.feeds.is_empty() && self.feeds.iter().all(|feed| feed.settled)
    }

    /// Whether the API server is known to be away, so that waiting for it takes longer than a list.
    pub fn is_away(&self) -> bool {
        let failed = |feed: &FeedStatus| matches!(feed.link, Link::Down(_)) && !feed.settled;
        self.no_access.is_some() || self.feeds.iter().any(failed)
    }

    /// What is missing before everything has been listed once, in one line.
    pub fn waits_for(&self) -> String {
        if let Some(cause) = &self.no_access {
            return cause.clone();
        }
        let missing: Vec<String> =
            self.feeds.iter().filter(|feed| !feed.settled).map(FeedStatus::waits_for).collect();
        if missing.is_empty() { "connecting".to_owned() } else { missing.join("; ") }
    }

    /// What is wrong with kinds that nobody waits for any more, a line each: what they gave before stays in use.
    pub fn notes(&self) -> Vec<String> {
        let settled = self.feeds.iter().filter(|feed| feed.settled);
        settled.filter_map(FeedStatus::defect).map(|defect| defect.to_string()).collect()
    }

    /// Since when something may differ from what the API server has; `None` if nothing does, or nothing was ever heard.
    pub fn stale_since(&self) -> Option<Instant> {
        self.feeds.iter().filter(|feed| !feed.is_live()).filter_map(|feed| feed.heard).min()
    }

    /// The same, once it is worth telling: connections come and go, and a list that is made anew is a matter of moments.
    pub fn stale_for_long_since(&self) -> Option<Instant> {
        let is_long = |away: Instant| away.elapsed() >= STALE_AFTER;
        self.feeds.iter().filter_map(|feed| feed.away).any(is_long).then(|| self.stale_since())?
    }

    /// As metrics, by the plural of each kind.
    pub fn figures(&self) -> BTreeMap<&'static str, WatchFigures> {
        let mut all: BTreeMap<_, WatchFigures> = BTreeMap::new();
        for feed in &self.feeds {
            let figures = all.entry(feed.resource.plural()).or_default();
            figures.watches += 1;
            figures.live += u64::from(feed.link == Link::Live);
            figures.heard = figures.heard.into_iter().chain(feed.heard).min();
            figures.version = figures.version.max(feed.version);
            figures.lists += feed.lists;
            figures.doubted += feed.doubted as u64;
            for (reason, count) in &feed.failures {
                *figures.failures.entry(reason).or_default() += count;
            }
        }
        all
    }

    /// The same as every source reports.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        for feed in &self.feeds {
            *report.objects.entry(feed.resource.kind()).or_default() += feed.objects as u64;
            report.reloads += feed.lists;
            report.defects.extend(feed.defect());
            report.defects.extend(feed.defects.values().flatten().cloned());
        }
        report.objects.retain(|_, count| *count > 0);
        report
    }
}

/// Where a feed tells how it stands.
#[derive(Clone, Debug)]
pub(super) struct Board {
    status: watch::Sender<Status>,
    index: usize,
}

impl Board {
    pub(super) fn new(status: watch::Sender<Status>, index: usize) -> Self {
        Self { status, index }
    }

    /// Tells something that others wait for.
    pub(super) fn tell(&self, change: impl FnOnce(&mut FeedStatus)) {
        self.status.send_modify(|status| {
            if let Some(feed) = status.feeds.get_mut(self.index) {
                change(feed);
                feed.away = if feed.is_live() { None } else { feed.away.or_else(|| Some(Instant::now())) };
            }
        });
    }

    /// Tells something that can wait for a second.
    pub(super) fn note(&self, change: impl FnOnce(&mut FeedStatus)) {
        self.status.send_if_modified(|status| {
            if let Some(feed) = status.feeds.get_mut(self.index) {
                change(feed);
                status.quiet_changes = true;
            }
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn board() -> (Board, watch::Receiver<Status>) {
        let feeds = [Resource::Services, Resource::Namespaces].map(|kind| FeedStatus::new(kind, None)).into();
        let (status, told) = watch::channel(Status { feeds, ..Status::default() });
        (Board::new(status, 0), told)
    }

    fn link(board: &Board, link: Link) {
        board.tell(|feed| feed.link = link);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_stale_when_a_watch_was_away_for_long_and_not_when_it_was_silent_for_long() {
        let (board, told) = board();
        let is_stale = || told.borrow().stale_for_long_since().is_some();
        board.tell(|feed| (feed.link, feed.heard) = (Link::Live, Some(Instant::now())));
        let heard = Instant::now();
        advance(Duration::from_secs(90)).await;
        // A watch that says nothing is opened anew, and that takes a moment.
        link(&board, Link::Listing);
        assert!(told.borrow().stale_since() == Some(heard) && !is_stale());
        link(&board, Link::Live);
        advance(Duration::from_secs(90)).await;
        link(&board, Link::Listing);
        advance(STALE_AFTER / 2).await;
        // From one way to be away to another is no return.
        let lost = ApiError::Unreachable("connection refused".to_owned());
        link(&board, Link::Down(lost));
        advance(STALE_AFTER / 2 - Duration::from_secs(1)).await;
        assert!(!is_stale());
        advance(Duration::from_secs(1)).await;
        assert_eq!(told.borrow().stale_for_long_since(), Some(heard), "as old as what was heard last");
        link(&board, Link::Live);
        assert!(!is_stale());
    }
}
