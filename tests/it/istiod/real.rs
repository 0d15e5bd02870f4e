//! A real istiod: its own account of what it sends is what we take.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use meshdns::source::istiod::{Fetched, IstiodSettings, NodeIdentity, Subscriptions, Table, fetch};
use tokio::runtime::Runtime;

use super::source::{Running, settings};
use crate::support::istiod::{Istiod, Mode, Sent};

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.20, clusterIPs: [10.96.0.20], ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: automatic, namespace: shop}
spec: {hosts: [auto.internal], resolution: STATIC, ports: [{name: tcp, number: 9000, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wild, namespace: shop}
spec: {hosts: ['*.wild.internal'], addresses: [10.20.30.50], resolution: STATIC, ports: [{name: tcp, number: 9001, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: private, namespace: shop}
spec: {hosts: [private.internal], addresses: [10.20.30.60], exportTo: ['.'], resolution: STATIC, ports: [{name: tcp, number: 9002, protocol: TCP}]}
";

const ONE_MORE: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: more, namespace: shop}
spec: {hosts: [more.internal], addresses: [10.20.30.70], resolution: STATIC, ports: [{name: tcp, number: 9003, protocol: TCP}]}
";

/// A sidecar of a namespace, in a mesh whose addresses are computed.
fn sidecar(address: SocketAddr, namespace: &str) -> IstiodSettings {
    let node =
        NodeIdentity { namespace: namespace.to_owned(), auto_allocate: true, ..NodeIdentity::default() };
    IstiodSettings { node, ..settings(address) }
}

fn fetched(runtime: &Runtime, settings: &IstiodSettings) -> Fetched {
    let fetching = fetch(settings, Subscriptions::WithListeners, Duration::from_secs(60));
    runtime.block_on(fetching).unwrap_or_else(|error| panic!("{error}"))
}

/// The addresses of each host; their order means nothing.
type Hosts = BTreeMap<String, BTreeSet<IpAddr>>;
/// Where listeners are bound, with their names.
type Bound = BTreeSet<(String, SocketAddr)>;

fn hosts(table: &Table) -> Hosts {
    let rows = table.rows.iter();
    rows.map(|(host, row)| (host.to_string(), row.addresses.iter().copied().collect())).collect()
}

/// What istiod says it sends, in the same shape.
fn said(sent: &Sent) -> (Hosts, Bound) {
    let table = sent.name_table.iter().map(|(host, ips)| (host.clone(), ips.iter().copied().collect()));
    let listeners = sent.listeners.iter().flat_map(|(name, at)| at.iter().map(|at| (name.clone(), *at)));
    (table.collect(), listeners.collect())
}

#[test]
fn what_is_fetched_is_what_istiod_sends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut istiod = Istiod::start();
    for mode in [Mode::Status, Mode::Hash] {
        let loaded = istiod.load(OBJECTS, mode).unwrap();
        for namespace in ["default", "shop"] {
            let settings = sidecar(loaded.address, namespace);
            let Fetched { table, defects, listeners } = fetched(&runtime, &settings);
            let (rows, bound) = said(&istiod.sent_to(namespace, settings.node.addresses[0]).unwrap());
            assert_eq!((hosts(&table), defects), (rows, vec![]), "{mode:?} {namespace}");
            let listeners: Bound =
                listeners.into_iter().map(|at| (at.listener, SocketAddr::new(at.address, at.port))).collect();
            assert_eq!(listeners, bound, "{mode:?} {namespace}");

            let automatic = &table.rows["auto.internal"].addresses;
            assert!(
                automatic.iter().all(|ip| ip.to_string().starts_with("240.240.")) && automatic.len() == 1
            );
            assert!(bound.iter().any(|(_, at)| at.ip() == automatic[0] && at.port() == 9000));
            assert!(table.rows.contains_key("web.shop.svc.cluster.local"));
            assert_eq!(table.rows.contains_key("private.internal"), namespace == "shop");
        }
    }
}

#[test]
fn what_changes_in_the_cluster_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut istiod = Istiod::start();
    let loaded = istiod.load(OBJECTS, Mode::Status).unwrap();
    let mut source = runtime.block_on(async { Running::start(sidecar(loaded.address, "default")) });
    let mut all = runtime.block_on(source.update());
    all.sort();
    let expected = [
        "= *.wild.internal 10.20.30.50",
        "= auto.internal 240.240.0.1",
        "= web.shop.svc.cluster.local 10.96.0.20",
    ];
    assert_eq!(all, expected);
    istiod.apply(ONE_MORE).unwrap();
    assert_eq!(runtime.block_on(source.update()), ["+ more.internal 10.20.30.70"]);
    istiod.delete(ONE_MORE).unwrap();
    assert_eq!(runtime.block_on(source.update()), ["- more.internal"]);
    let status = runtime.block_on(source.until(|status| status.current));
    assert_eq!((status.nacks, status.reconnects), (0, 0));
    drop(istiod);
    assert!(!runtime.block_on(source.failure()).is_empty());
    assert!(source.now().table.is_some() && !source.has_update());
}
