//! A hundred changes a second, and how long each takes to be answered.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kube::Client;
use kube::core::params::{ListParams, WatchParams};
use kube::core::{Request, WatchEvent};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_stream::StreamExt;

use crate::api;
use crate::asking::{asked, connected, contains, until};
use crate::cluster::{self, Cluster};
use crate::filled::slices;

/// How long changes go on, and how often one comes.
const LASTING: Duration = Duration::from_secs(30);
const EVERY: Duration = Duration::from_millis(10);
/// Addresses that no endpoint had before.
const FIRST_ADDRESS: u32 = 0x6440_0000;
const ADDRESS_START: &str = "\"100.";

/// What was measured of each change, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// From the write's acknowledgement to the answer.
    pub(crate) acknowledged: Vec<f64>,
    /// From the event at a bare watch beside it to the answer; 0 when the answer came first.
    pub(crate) heard: Vec<f64>,
    /// From the request to write to the event at that watch.
    pub(crate) bare: Vec<f64>,
    /// From the request to write to its acknowledgement.
    pub(crate) writing: Vec<f64>,
}

/// Makes changes that nobody made before.
pub(crate) struct Changes {
    pub(crate) cluster: Cluster,
    /// How many there were.
    made: usize,
    /// The services whose last change is not answered yet: another one might hide it.
    open: Arc<Mutex<HashSet<usize>>>,
}

type Arrivals = Arc<Mutex<HashMap<Ipv4Addr, Instant>>>;

impl Changes {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster, made: 0, open: Arc::default() }
    }

    /// The next change: the first endpoint of one of the services that change, spread over all, gets another address.
    fn next(&mut self) -> Option<(usize, Ipv4Addr)> {
        let changing = self.cluster.changing();
        // Prime to their number, so that each comes once before one comes again.
        let index = changing[self.made * 7_919 % changing.len()];
        self.made += 1;
        let is_free = self.open.lock().unwrap().insert(index);
        is_free.then(|| (index, Ipv4Addr::from(FIRST_ADDRESS + self.made as u32)))
    }

    /// Makes one, and a new service, and waits until both are answered.
    pub(crate) fn make_one_of_each(&mut self, kubeconfig: &Path, dns: SocketAddr) {
        let (index, address) = self.next().unwrap();
        let extra = self.cluster.services + self.made;
        let namespace = cluster::namespace_of(0);
        let mut service = cluster::service(extra);
        service["metadata"]["namespace"] = json!(namespace);
        service["spec"]["clusterIP"] = json!(cluster::cluster_ip(extra));
        api::runtime().block_on(async {
            let client = api::client(kubeconfig).await;
            write(&client, index, address).await;
            api::create(&client, &crate::filled::services(&namespace), &service).await;
        });
        let socket = connected(dns);
        let name = format!("{}.{namespace}.svc.cluster.local", cluster::service_name(extra));
        for (name, address) in [(cluster::dns_name(index), address), (name, cluster::cluster_ip(extra))] {
            until("a change after the list", || {
                asked(&socket, &name).is_some_and(|reply| contains(&reply, address))
            });
        }
        self.open.lock().unwrap().remove(&index);
    }

    /// Makes them for half a minute.
    pub(crate) fn make(&mut self, kubeconfig: &Path, dns: SocketAddr) -> Times {
        api::runtime().block_on(async {
            let client = api::client(kubeconfig).await;
            let arrivals = Arrivals::default();
            let watching = tokio::spawn(watch(client.clone(), position(&client).await, arrivals.clone()));
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let (begin, mut under_way) = (Instant::now(), JoinSet::new());
            while begin.elapsed() < LASTING {
                ticks.tick().await;
                let Some((index, address)) = self.next() else { continue };
                let (client, open) = (client.clone(), self.open.clone());
                under_way.spawn(async move {
                    let followed = followed(client, index, address, dns).await;
                    open.lock().unwrap().remove(&index);
                    followed
                });
            }
            let measured = under_way.join_all().await;
            watching.abort();
            let arrivals = arrivals.lock().unwrap();
            let mut times = Times::default();
            let millis = |later: Instant, earlier: Instant| (later - earlier).as_secs_f64() * 1e3;
            for Followed { address, sent, acknowledged, answered } in measured {
                times.acknowledged.push(millis(answered, acknowledged));
                times.writing.push(millis(acknowledged, sent));
                if let Some(heard) = arrivals.get(&address) {
                    times.heard.push(answered.saturating_duration_since(*heard).as_secs_f64() * 1e3);
                    times.bare.push(millis(*heard, sent));
                }
            }
            times
        })
    }
}

/// One change and when it happened.
struct Followed {
    address: Ipv4Addr,
    sent: Instant,
    acknowledged: Instant,
    answered: Instant,
}

async fn followed(client: Client, index: usize, address: Ipv4Addr, dns: SocketAddr) -> Followed {
    let sent = Instant::now();
    write(&client, index, address).await;
    let acknowledged = Instant::now();
    let asking = tokio::task::spawn_blocking(move || {
        let (socket, name) = (connected(dns), cluster::dns_name(index));
        until("a change", || asked(&socket, &name).is_some_and(|reply| contains(&reply, address)));
        Instant::now()
    });
    Followed { address, sent, acknowledged, answered: asking.await.unwrap() }
}

async fn write(client: &Client, index: usize, address: Ipv4Addr) {
    let path = format!("{}/{}", slices(&cluster::namespace_of(index)), cluster::slice_name(index));
    let change = json!([{"op": "replace", "path": "/endpoints/0/addresses/0", "value": address}]);
    api::patch(client, &path, &change).await;
}

fn every_slice() -> Request {
    Request::new("/apis/discovery.k8s.io/v1/endpointslices")
}

/// The version that the slices have now.
async fn position(client: &Client) -> String {
    let list: Value =
        client.request(every_slice().list(&ListParams::default().limit(1)).unwrap()).await.unwrap();
    list["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

/// Notes when the event of each change arrives, and does nothing else with it.
async fn watch(client: Client, from: String, arrivals: Arrivals) {
    let params = WatchParams { timeout: Some(290), ..WatchParams::default() };
    let request = every_slice().watch(&params, &from).unwrap();
    let mut events = pin!(client.request_events::<Box<RawValue>>(request).await.unwrap());
    while let Some(event) = events.next().await {
        let arrived = Instant::now();
        let Ok(WatchEvent::Modified(object)) = event else { continue };
        let mut parts = object.get().split(ADDRESS_START).skip(1);
        let addresses =
            parts.by_ref().filter_map(|rest| format!("100.{}", rest.split('"').next()?).parse().ok());
        let mut arrivals = arrivals.lock().unwrap();
        for address in addresses {
            arrivals.entry(address).or_insert(arrived);
        }
    }
}
