//! What is asked of the API server, each with a limit of time.

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::Stream;

use super::object::LEDGER;
use super::settings::{ConfigMapSettings, Verb};
use crate::apiserver::{ApiError, ApiServer};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one watch lasts, in seconds.
const WATCH: u32 = 240;
/// Requests under way at once.
const AT_ONCE: usize = 8;

/// The ConfigMaps of a ledger at its API server. Clones share the connections.
#[derive(Clone)]
pub(super) struct Requests {
    server: ApiServer,
    maps: Api<ConfigMap>,
    settings: ConfigMapSettings,
}

impl Requests {
    pub(super) fn new(server: ApiServer, settings: &ConfigMapSettings) -> Self {
        let maps = Api::namespaced(server.client().clone(), &settings.namespace);
        Self { server, maps, settings: settings.clone() }
    }

    fn selector(&self) -> String {
        format!("{LEDGER}={}", self.settings.name)
    }

    async fn within<T>(
        &self,
        verb: Verb,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, ApiError> {
        let done = timeout(PATIENCE, request).await.map_err(|_| ApiError::Silent(PATIENCE.as_secs()))?;
        done.map_err(|error| self.named(verb, &error))
    }

    fn named(&self, verb: Verb, error: &kube::Error) -> ApiError {
        ApiError::of(error, || verb.rule(&self.settings.namespace))
    }

    /// All of them as they are now, and the version from which a watch goes on; none when they had to be read one by one.
    pub(super) async fn all(&self) -> Result<(Vec<ConfigMap>, Option<String>), ApiError> {
        let list = ListParams::default().labels(&self.selector());
        match self.within(Verb::List, self.maps.list(&list)).await {
            Ok(list) => Ok((list.items, list.metadata.resource_version)),
            Err(forbidden @ ApiError::Forbidden { .. }) => {
                let numbers = (0..self.settings.shards.get() as usize).collect();
                let found = self.each(numbers, |requests, number| async move { requests.one(number).await });
                let found: Result<Vec<_>, _> = found.await.into_iter().map(|(_, found)| found).collect();
                match found {
                    Ok(found) => Ok((found.into_iter().flatten().collect(), None)),
                    Err(ApiError::Forbidden { .. }) => Err(forbidden),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// One of them as it is now, if it is there.
    pub(super) async fn one(&self, number: usize) -> Result<Option<ConfigMap>, ApiError> {
        self.within(Verb::Get, self.maps.get_opt(&self.name(number))).await
    }

    /// The same; without the permission for that, from a list of all.
    pub(super) async fn now(&self, number: usize) -> Result<Option<ConfigMap>, ApiError> {
        match self.one(number).await {
            Err(forbidden @ ApiError::Forbidden { .. }) => {
                let list = ListParams::default().labels(&self.selector());
                let listed = self.within(Verb::List, self.maps.list(&list)).await.map_err(|_| forbidden)?;
                let name = self.name(number);
                Ok(listed.items.into_iter().find(|object| object.metadata.name.as_deref() == Some(&name)))
            }
            found => found,
        }
    }

    /// Their namespace.
    pub(super) fn namespace(&self) -> &str {
        &self.settings.namespace
    }

    /// How their names begin, and how many there are.
    pub(super) fn ledger(&self) -> (&str, u32) {
        (&self.settings.name, self.settings.shards.get())
    }

    fn name(&self, number: usize) -> String {
        format!("{}-{number}", self.settings.name)
    }

    /// Creates one, or replaces the version that it names.
    pub(super) async fn put(&self, object: &ConfigMap) -> Result<ConfigMap, ApiError> {
        let name = object.metadata.name.clone().unwrap_or_default();
        let parameters = PostParams { field_manager: Some("meshdns".to_owned()), ..PostParams::default() };
        match &object.metadata.resource_version {
            None => self.within(Verb::Create, self.maps.create(&parameters, object)).await,
            Some(_) => self.within(Verb::Update, self.maps.replace(&name, &parameters, object)).await,
        }
    }

    /// What happens to them from a version on, or, without one, all that are there first.
    pub(super) async fn watch(
        &self,
        version: &str,
    ) -> Result<impl Stream<Item = Result<WatchEvent<ConfigMap>, ApiError>> + use<>, ApiError> {
        use tokio_stream::StreamExt;

        let parameters = WatchParams::default().labels(&self.selector()).timeout(WATCH);
        let events = self.within(Verb::Watch, self.maps.watch(&parameters, version)).await?;
        let this = self.clone();
        Ok(events.map(move |event| event.map_err(|error| this.named(Verb::Watch, &error))))
    }

    /// What we may not do.
    pub(super) async fn missing(&self) -> Result<Vec<Verb>, ApiError> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.server.client().clone());
        let mut missing = Vec::new();
        for verb in Verb::ALL {
            let attributes = ResourceAttributes {
                namespace: Some(self.settings.namespace.clone()),
                resource: Some("configmaps".to_owned()),
                verb: Some(verb.as_str().to_owned()),
                ..ResourceAttributes::default()
            };
            let spec = SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            };
            let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
            let reviewed = self.within(Verb::Create, reviews.create(&PostParams::default(), &review)).await?;
            if !reviewed.status.is_some_and(|status| status.allowed) {
                missing.push(verb);
            }
        }
        Ok(missing)
    }

    /// Does something for several shards, some at once.
    pub(super) async fn each<I, T, F>(&self, items: Vec<I>, work: impl Fn(Self, I) -> F) -> Vec<(usize, T)>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let mut running = JoinSet::new();
        let mut done = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            if running.len() == AT_ONCE {
                done.extend(running.join_next().await.and_then(Result::ok));
            }
            let future = work(self.clone(), item);
            running.spawn(async move { (place, future.await) });
        }
        while let Some(next) = running.join_next().await {
            done.extend(next.ok());
        }
        done
    }
}
