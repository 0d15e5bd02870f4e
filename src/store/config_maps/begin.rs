//! Reading all shards at the start, and making them at the very first.
//!
//! Rules: shard 0 is made first and says that the ledger is complete last; in between, missing shards are made, and
//! afterwards a missing one was deleted. A range is written into shard 0 before an address of it is given, so that two
//! replicas with ranges that overlap cannot both begin.

use k8s_openapi::api::core::v1::ConfigMap;

use super::layout::Layout;
use super::object::{self, Refused};
use super::requests::Requests;
use super::settings::{ConfigMapSettings, Verb};
use super::shard::Shard;
use crate::allocate::Slices;
use crate::apiserver::ApiError;

/// How often others may be faster.
const TRIES: usize = 20;

/// What was found.
pub(super) struct Found {
    pub(super) objects: Vec<ConfigMap>,
    /// Where a watch goes on; none: it has to say everything first.
    pub(super) version: Option<String>,
    pub(super) layout: Layout,
    /// What would have to be done but may not be.
    pub(super) denied: Option<Verb>,
}

/// Why a ledger cannot be used.
pub(super) enum Obstacle {
    Api(ApiError),
    /// It is another one than the settings say, or its namespace is missing.
    Told(String),
}

impl From<ApiError> for Obstacle {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

/// Reads all shards and, if `writes`, makes those that have to be made.
pub(super) async fn begin(
    requests: &Requests,
    settings: &ConfigMapSettings,
    writes: bool,
) -> Result<Found, Obstacle> {
    for _ in 0..TRIES {
        let (objects, version) = requests.all().await?;
        let layout = layout(&objects, settings)?;
        let due = if writes { due(&objects, &layout, settings) } else { Vec::new() };
        if due.is_empty() {
            return Ok(Found { objects, version, layout, denied: None });
        }
        let written = requests.each(due, |requests, object| async move {
            let creates = object.metadata.resource_version.is_none();
            (creates, requests.put(&object).await)
        });
        for (_, (creates, written)) in written.await {
            match written {
                // Somebody was faster.
                Ok(_) | Err(ApiError::Conflict(_)) => {}
                Err(ApiError::Forbidden { .. }) => {
                    let denied = Some(if creates { Verb::Create } else { Verb::Update });
                    return Ok(Found { objects, version, layout, denied });
                }
                Err(ApiError::NotFound(told)) if creates => {
                    let namespace = &settings.namespace;
                    return Err(Obstacle::Told(format!(
                        "the namespace {namespace} does not exist: create it, or correct \
                         serviceEntries.ledger.kubernetes.namespace ({told})"
                    )));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Err(Obstacle::Told("others change them all the time".to_owned()))
}

/// The ranges of all shards and of the settings.
fn layout(objects: &[ConfigMap], settings: &ConfigMapSettings) -> Result<Layout, Obstacle> {
    let mut layout = Layout::new(Slices::new(settings.shards), Vec::new());
    for object in objects {
        let shards = settings.shards.get();
        let known = object::number(object, &settings.name, shards);
        match object::read(object, shards).content {
            Ok(shard) if known.is_some() => layout.add(&shard.ranges).map_err(Obstacle::Told)?,
            Err(Refused::Foreign(told)) => return Err(Obstacle::Told(told)),
            Ok(_) | Err(Refused::Damaged(_)) => {}
        }
    }
    layout.add(&settings.ranges).map_err(Obstacle::Told)?;
    Ok(layout)
}

/// What has to be written before the ledger can be used.
fn due(objects: &[ConfigMap], layout: &Layout, settings: &ConfigMapSettings) -> Vec<ConfigMap> {
    let ConfigMapSettings { name, shards, .. } = settings;
    let shards = shards.get();
    let write =
        |number, shard: &Shard, version: Option<&str>| object::write(name, number, shards, shard, version);
    let find = |number| objects.iter().find(|object| object::number(object, name, shards) == Some(number));
    let ranges = layout.ranges().to_vec();
    let Some(first) = find(0) else {
        // Beside others it was deleted, and is not made again.
        let others = (1..shards as usize).any(|number| find(number).is_some());
        return if others { Vec::new() } else { vec![write(0, &Shard::new(1, ranges, false), None)] };
    };
    let stored = object::read(first, shards);
    let Ok(mut shard) = stored.content else { return Vec::new() };
    // A first shard that was begun anew says nothing of its ranges before it is written.
    let knows = shard.revision == 0 || shard.ranges.len() == ranges.len();
    if shard.complete && knows {
        return Vec::new();
    }
    let missing: Vec<ConfigMap> = (1..shards as usize)
        .filter(|number| !shard.complete && find(*number).is_none())
        .map(|number| write(number, &Shard::new(1, ranges.clone(), false), None))
        .collect();
    if !missing.is_empty() {
        return missing;
    }
    (shard.complete, shard.ranges) = (true, ranges);
    shard.revision += 1;
    vec![write(0, &shard, Some(&stored.version))]
}
