//! The running source: finds the API server and runs a feed for every kind and namespace.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::feed::Feed;
use super::outlet::{KeeperGone, Outlet};
use super::status::Board;
use super::{FeedStatus, KubernetesSource, Resource, Status};
use crate::apiserver::ApiServer;
use crate::model::{Change, Key, Kind, Labels, Namespace, Object, ObjectName};
use crate::random::random;
use crate::source::Update;
use crate::source::backoff::Backoff;

/// How often figures are shown that nobody waits for.
const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// Keeps everything equal to what the API server has, until `stop` is done or nobody takes updates any more. `known` is in
/// use already, from an earlier run.
pub async fn run(
    settings: KubernetesSource,
    known: Vec<Key>,
    updates: mpsc::Sender<Update>,
    status: watch::Sender<Status>,
    stop: impl Future<Output = ()>,
) {
    tokio::select! {
        () = stop => {}
        KeeperGone = follow(settings, known, Outlet::new(updates), status) => {}
    }
}

async fn follow(
    settings: KubernetesSource,
    known: Vec<Key>,
    outlet: Outlet,
    status: watch::Sender<Status>,
) -> KeeperGone {
    let api = find(&settings, &status).await;
    let mut feeds = JoinSet::new();
    let scopes = scopes(&settings);
    status.send_modify(|status| {
        status.feeds =
            scopes.iter().map(|(resource, scope)| FeedStatus::new(*resource, scope.clone())).collect();
        api.address().clone_into(&mut status.address);
    });
    tracing::info!(source = "kubernetes", address = api.address(), feeds = scopes.len(), "watching");
    if named_namespaces(&settings, &outlet).await.is_err() {
        return KeeperGone;
    }
    for (index, (resource, scope)) in scopes.into_iter().enumerate() {
        let board = Board::new(status.clone(), index);
        let names = known
            .iter()
            .filter(|key| key.kind == resource.kind())
            .filter(|key| scope.as_ref().is_none_or(|scope| **scope == *key.name.namespace))
            .map(|key| &key.name);
        let feed = Feed::new(resource, scope.clone(), api.clone(), settings.limits, outlet.clone(), board);
        feeds.spawn(feed.with_known(names).run());
    }
    drop(known);
    let listed = tell_when_listed(&outlet, status.subscribe());
    let shown = show(&status);
    tokio::select! {
        Err(KeeperGone) = listed => KeeperGone,
        never = shown => match never {},
        Some(ended) = feeds.join_next() => match ended {
            Ok(KeeperGone) => KeeperGone,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and with it this task.
                Err(_) => KeeperGone,
            },
        },
    }
}

/// Finds the API server, however long that takes: what leads to it may be put there later.
async fn find(settings: &KubernetesSource, status: &watch::Sender<Status>) -> ApiServer {
    let mut backoff = Backoff::new(settings.limits.first_pause, settings.limits.longest_pause);
    let mut told = String::new();
    loop {
        let error = match ApiServer::find(&settings.api).await {
            Ok(api) => {
                status.send_modify(|status| status.no_access = None);
                return api;
            }
            Err(error) => error.to_string(),
        };
        if told != error {
            tracing::error!(source = "kubernetes", error, "there is no way to the API server");
            status.send_modify(|status| status.no_access = Some(error.clone()));
            told = error;
        }
        sleep(backoff.next(random())).await;
    }
}

/// Everything that is to be watched, and where. Namespaces that are watched by name need no watch of themselves.
fn scopes(settings: &KubernetesSource) -> Vec<(Resource, Option<Box<str>>)> {
    let resources = settings.resources.iter().copied();
    if settings.namespaces.is_empty() {
        return resources.map(|resource| (resource, None)).collect();
    }
    let resources = resources.filter(|resource| *resource != Resource::Namespaces);
    let scoped =
        |resource| settings.namespaces.iter().map(move |name| (resource, Some(name.as_str().into())));
    resources.flat_map(scoped).collect()
}

/// Those who watch some namespaces need no permission to see them: that they exist is taken from the settings.
async fn named_namespaces(settings: &KubernetesSource, outlet: &Outlet) -> Result<(), KeeperGone> {
    if settings.namespaces.is_empty() {
        return Ok(());
    }
    let name = |name: &String| ObjectName::new("", name.as_str());
    let names = settings.namespaces.iter().map(name).collect();
    let mut changes = vec![Change::Retain { kind: Kind::Namespace, namespace: None, names }];
    let namespace = |name: &String| {
        Object::Namespace(Namespace { name: name.as_str().into(), labels: Labels::default() })
    };
    changes.extend(settings.namespaces.iter().map(namespace).map(Change::Upsert));
    outlet.send(changes, Vec::new()).await
}

/// Says when everything has been listed once, and then nothing more.
async fn tell_when_listed(
    outlet: &Outlet,
    mut status: watch::Receiver<Status>,
) -> Result<std::convert::Infallible, KeeperGone> {
    if status.wait_for(Status::is_settled).await.is_err() {
        return Err(KeeperGone);
    }
    outlet.complete().await?;
    std::future::pending().await
}

/// Wakes those who show figures, once a second if there are new ones.
async fn show(status: &watch::Sender<Status>) -> std::convert::Infallible {
    let mut ticks = interval(SHOWN_EVERY);
    loop {
        ticks.tick().await;
        status.send_if_modified(|status| std::mem::take(&mut status.quiet_changes));
    }
}
