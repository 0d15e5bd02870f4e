//! One kind, in one namespace or in all, kept equal to what the API server has.

mod end;
mod pages;
mod stream;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use kube::core::params::{ListParams, VersionMatch};

use super::known::Known;
use super::list::List;
use super::outlet::{KeeperGone, Outlet};
use super::status::Board;
use super::wire::Page;
use super::{Limits, Link, Resource};
use crate::apiserver::{ApiError, ApiServer};
use crate::model::{Change, Defect, Key, ObjectName};
use crate::random::random;
use crate::source::backoff::Backoff;
use end::End;

/// A watch that stood for so long was a good one.
const HEALTHY: Duration = Duration::from_secs(10);
/// One that ends earlier than this is no reason to ask again at once.
const SHORT: Duration = Duration::from_secs(1);
/// The API server may ask to be left alone for so long at most.
const LONGEST_WISH: u32 = 60;

/// So many new defects of a list are told one by one; all of them are in the status.
const TOLD_DEFECTS: usize = 10;

type Defects = BTreeMap<Key, Vec<Defect>>;

/// One feed.
pub(super) struct Feed {
    resource: Resource,
    namespace: Option<Box<str>>,
    api: ApiServer,
    limits: Limits,
    outlet: Outlet,
    board: Board,
    known: Known,
    /// Which of the resource's versions the API server has.
    version: usize,
    /// Whether lists are streamed.
    streaming: bool,
    /// From where on to watch; `None`: a list is due.
    position: Option<String>,
    /// Whether the API server may have lost its memory since.
    broken: bool,
    /// Since when a list is doubted.
    doubted: Option<Instant>,
    /// The failure that was told last.
    told: Option<ApiError>,
    /// It was told that the API server does not have them, and nothing else since.
    absent: bool,
}

impl Feed {
    pub(super) fn new(
        resource: Resource,
        namespace: Option<Box<str>>,
        api: ApiServer,
        limits: Limits,
        outlet: Outlet,
        board: Board,
    ) -> Self {
        Self {
            resource,
            namespace,
            api,
            limits,
            outlet,
            board,
            known: Known::new(resource),
            version: 0,
            streaming: true,
            position: None,
            broken: false,
            doubted: None,
            told: None,
            absent: false,
        }
    }

    /// These are in use already, from an earlier run.
    pub(super) fn with_known<'n>(mut self, names: impl IntoIterator<Item = &'n ObjectName>) -> Self {
        for name in names {
            self.known.insert(name);
        }
        let objects = self.known.len();
        self.board.note(|feed| feed.objects = objects);
        self
    }

    /// Lists and watches until nobody takes updates any more.
    pub(super) async fn run(mut self) -> KeeperGone {
        let mut backoff = Backoff::new(self.limits.first_pause, self.limits.longest_pause);
        loop {
            let begin = Instant::now();
            let end = match self.turn().await {
                Ok(()) => End::Closed,
                Err(end) => end,
            };
            let took = begin.elapsed();
            if took >= HEALTHY {
                backoff.reset();
            }
            let pause = match end {
                End::KeeperGone => return KeeperGone,
                End::Closed => {
                    // As it does when it goes away for good, and nobody tells the two apart.
                    self.broken = true;
                    if took >= SHORT { Duration::ZERO } else { backoff.next(random()) }
                }
                End::Doubt => {
                    self.position = None;
                    Duration::ZERO
                }
                // Readiness may wait for nothing but this.
                End::OtherVersion => Duration::ZERO,
                End::Expired(error) => {
                    self.position = None;
                    self.lost(error);
                    if took >= SHORT { Duration::ZERO } else { backoff.next(random()) }
                }
                End::Absent => {
                    self.version = 0;
                    let half = self.limits.absent / 2;
                    half + half.mul_f64(f64::from(random()) / f64::from(u32::MAX))
                }
                End::Failed(error) => {
                    self.broken = true;
                    let wish = if let ApiError::Busy { seconds, .. } = &error { *seconds } else { 0 };
                    self.lost(error);
                    let wish = Duration::from_secs(wish.min(LONGEST_WISH).into());
                    wish + backoff.next(random())
                }
            };
            sleep(pause).await;
        }
    }

    /// A list if one is due, and then a watch until it ends.
    async fn turn(&mut self) -> Result<(), End> {
        if std::mem::take(&mut self.broken) {
            self.check_position().await?;
        }
        if self.position.is_none() && self.streaming {
            return self.stream(String::new(), Some(List::default())).await;
        }
        let position = match &self.position {
            Some(position) => position.clone(),
            None => self.list_pages().await?,
        };
        self.stream(position, None).await
    }

    /// After the end of a watch: an API server whose store was lost or put back has not reached our version yet, and would be silent
    /// until it has. Asking for one object that is not older tells.
    async fn check_position(&mut self) -> Result<(), End> {
        let Some(position) = self.position.clone() else { return Ok(()) };
        let params = ListParams::default().limit(1).at(&position).matching(VersionMatch::NotOlderThan);
        match self.get(&params).await {
            Ok(_) => Ok(()),
            Err(error @ (ApiError::Expired(_) | ApiError::Status { code: 504, .. })) => {
                tracing::warn!(
                    source = "kubernetes",
                    watch = self.name(),
                    %error,
                    "the API server has not reached the version that it had: listing anew"
                );
                self.position = None;
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// One page of a list.
    async fn get(&self, params: &ListParams) -> Result<Page, ApiError> {
        let rule = || self.rule();
        let request = self.request().list(params).map_err(|error| ApiError::Garbled(error.to_string()))?;
        match timeout(self.limits.page, self.api.client().request::<Page>(request)).await {
            Ok(page) => page.map_err(|error| ApiError::of(&error, rule)),
            Err(_) => Err(ApiError::Silent(self.limits.page.as_secs())),
        }
    }

    fn request(&self) -> kube::core::Request {
        let version = self.resource.versions().get(self.version).copied().unwrap_or("v1");
        self.resource.request(version, self.namespace.as_deref())
    }

    fn rule(&self) -> crate::apiserver::Rule {
        self.resource.rule(self.namespace.as_deref())
    }

    fn name(&self) -> String {
        match &self.namespace {
            None => self.resource.plural().to_owned(),
            Some(namespace) => format!("{} in {namespace}", self.resource.plural()),
        }
    }

    /// What a failed request means for the feed.
    fn failed(&mut self, error: ApiError) -> End {
        match error {
            ApiError::Expired(_) => End::Expired(error),
            ApiError::NotFound(_) if self.resource.is_optional() => {
                self.version += 1;
                if self.version < self.resource.versions().len() { End::OtherVersion } else { End::Absent }
            }
            error => End::Failed(error),
        }
    }

    /// A complete list came to its end, at this version.
    async fn conclude(&mut self, list: List, version: &str) -> Result<(), End> {
        let List { names, defects, nameless } = list;
        let missing = self.known.missing_in(&names);
        let is_old = |since: Instant| since.elapsed() >= self.limits.doubt;
        let doubted = self.known.doubts(missing) && !self.doubted.is_some_and(is_old);
        if doubted || nameless > 0 {
            names.iter().for_each(|name| self.known.insert(name));
        } else {
            self.known.replace(&names);
            let (kind, namespace) = (self.resource.kind(), self.namespace.clone());
            self.outlet.send(vec![Change::Retain { kind, namespace, names }], Vec::new()).await?;
        }
        if doubted {
            let known = self.known.len();
            let watch = self.name();
            tracing::warn!(
                source = "kubernetes",
                watch,
                missing,
                known,
                "a list lacks too much to be believed: it stays in use until another one says so"
            );
            self.doubted.get_or_insert_with(Instant::now);
        } else {
            self.doubted = None;
        }
        version.clone_into(self.position.get_or_insert_default());
        if nameless > 0 {
            let watch = self.name();
            tracing::warn!(
                source = "kubernetes",
                watch,
                nameless,
                "objects of a list have no readable name: they are left out, and none is taken for gone"
            );
        }
        self.told = None;
        self.absent = false;
        let objects = self.known.len();
        self.board.tell(|feed| {
            (feed.link, feed.settled) = (Link::Live, true);
            tell_new(&feed.defects, &defects);
            feed.objects = objects;
            feed.doubted = if doubted { missing } else { 0 };
            feed.heard = Some(Instant::now());
            feed.version = super::wire::number(version);
            feed.lists += 1;
            feed.defects = defects;
            feed.nameless = nameless;
        });
        tracing::info!(source = "kubernetes", watch = self.name(), objects, version, "listed");
        Ok(())
    }

    /// The API server does not have the kind: a list of nothing.
    async fn conclude_absent(&mut self) -> Result<(), End> {
        let names = std::collections::BTreeSet::new();
        let missing = self.known.len();
        let is_old = |since: Instant| since.elapsed() >= self.limits.doubt;
        if missing > 0 && !self.doubted.is_some_and(is_old) {
            self.doubted.get_or_insert_with(Instant::now);
            self.board.tell(|feed| (feed.link, feed.doubted) = (Link::Absent, missing));
            return Ok(());
        }
        self.doubted = None;
        if !std::mem::replace(&mut self.absent, true) {
            let every_seconds = self.limits.absent.as_secs();
            tracing::info!(
                source = "kubernetes",
                watch = self.name(),
                every_seconds,
                "the API server does not have them: they are looked for again"
            );
        }
        self.known.replace(&names);
        self.position = None;
        let (kind, namespace) = (self.resource.kind(), self.namespace.clone());
        self.outlet.send(vec![Change::Retain { kind, namespace, names }], Vec::new()).await?;
        self.board.tell(|feed| {
            (feed.link, feed.settled) = (Link::Absent, true);
            (feed.objects, feed.doubted, feed.nameless) = (0, 0, 0);
            feed.defects.clear();
        });
        Ok(())
    }

    /// Nothing is heard any more.
    fn lost(&mut self, error: ApiError) {
        let watch = self.name();
        if self.told.as_ref() == Some(&error) {
            tracing::debug!(source = "kubernetes", watch, %error, "still not listening");
        } else if matches!(error, ApiError::Expired(_)) {
            tracing::info!(source = "kubernetes", watch, %error, "listing anew");
        } else {
            tracing::warn!(source = "kubernetes", watch, %error, "what was said last stays in use");
        }
        let optional = self.resource.is_optional();
        self.board.tell(|feed| {
            *feed.failures.entry(error.reason()).or_default() += 1;
            // What a cluster may lack is not waited for when it is kept from us.
            feed.settled |= optional && matches!(error, ApiError::Forbidden { .. });
            feed.link = Link::Down(error.clone());
        });
        self.told = Some(error);
    }
}

/// Logs the defects that were not there before.
fn tell_new(known: &Defects, defects: &Defects) {
    let mut new =
        defects.iter().filter(|(key, defects)| known.get(key) != Some(defects)).flat_map(|(_, d)| d);
    for defect in new.by_ref().take(TOLD_DEFECTS) {
        tracing::warn!(source = "kubernetes", %defect, "object used in part");
    }
    let more = new.count();
    if more > 0 {
        tracing::warn!(source = "kubernetes", more, "objects used in part, with more defects like these");
    }
}
