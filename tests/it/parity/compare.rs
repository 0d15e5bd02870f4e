//! The comparison itself: one set, one view.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Registry, TableRow};
use meshdns::report::{ParityReport, ReportedDifference, conflicts};
use meshdns::source::SourceId;
use meshdns::source::istiod::{
    Endpoint, Fetched, IstiodSettings, Limits, NodeIdentity, Subscriptions, fetch,
};
use meshdns::source::manifests::load_text;
use meshdns::wire::{Transport, Verdict, respond};
use serde_json::{Value, json};

use crate::support::istiod::{Loaded, Mode};

/// Whose proxy's view is compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// The namespace of the proxy.
    pub(super) namespace: &'static str,
    /// Its address, which says its family.
    pub(super) address: IpAddr,
    /// How the mesh allocates.
    pub(super) mode: Mode,
}

/// How much was compared, and what differs, as sentences.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) hosts: usize,
    pub(super) automatic: usize,
    pub(super) services: usize,
    pub(super) listeners: usize,
    /// Views in which colliding names have other addresses.
    pub(super) orders: usize,
    pub(super) different: Vec<String>,
    /// Hosts that have other addresses.
    pub(super) moved: Vec<ReportedDifference>,
}

impl Outcome {
    /// Adds up.
    pub(super) fn add(&mut self, other: Self) {
        self.hosts += other.hosts;
        self.automatic += other.automatic;
        self.services += other.services;
        self.listeners += other.listeners;
        self.orders += other.orders;
        self.different.extend(other.different);
    }
}

impl View {
    /// What istiod sends to the proxy, over the wire.
    async fn sent(&self, loaded: &Loaded) -> Fetched {
        let settings = IstiodSettings {
            endpoint: Endpoint { host: loaded.address.ip().to_string(), port: loaded.address.port() },
            tls: None,
            token: None,
            node: NodeIdentity {
                namespace: self.namespace.to_owned(),
                addresses: vec![self.address],
                auto_allocate: self.mode == Mode::Hash,
                ..NodeIdentity::default()
            },
            keep: Duration::ZERO,
            limits: Limits::default(),
        };
        fetch(&settings, Subscriptions::WithListeners, Duration::from_secs(60)).await.unwrap()
    }

    /// Our side, as the server builds it: everything that the API server has, seen from the proxy's namespace.
    fn ours(&self, objects: &str) -> (Arc<Catalog>, Keeper) {
        let mode = match self.mode {
            Mode::Status => "status",
            Mode::Hash => "hash",
        };
        let family = if self.address.is_ipv4() { "IPv4" } else { "IPv6" };
        let settings = format!(
            "zones: [cluster.local]\nserviceEntries: {{addresses: {mode}, families: [{family}], selfResolving: answer, \
             exportedTo: ['*', {}]}}\n",
            self.namespace
        );
        let settings = Settings::read("settings", &settings, &Overrides::default()).unwrap();
        let catalog = Arc::new(Catalog::new(settings.policy()));
        let mut keeper = Keeper::with_allocator(catalog.clone(), settings.allocator());
        keeper.apply(SourceId::MANIFESTS.0, Change::Replace(load_text("set", objects).objects));
        (catalog, keeper)
    }

    /// Compares names, answers and listeners.
    pub(super) async fn compare(&self, objects: &str, loaded: &Loaded) -> Outcome {
        let sent = self.sent(loaded).await;
        let (catalog, mut keeper) = self.ours(objects);
        let mut outcome = Outcome::default();
        assert_eq!(sent.defects, [], "what istiod sends is sound");

        // What a client is told, before we know of any table.
        for row in sent.table.rows.values() {
            if names_a_pod(objects, &row.host.text) {
                continue;
            }
            let ours = answers(&catalog, row);
            if let Some(difference) = self.row(&catalog, objects, row, &ours, &mut outcome) {
                outcome.different.push(difference);
            }
        }

        keeper.apply(SourceId::ISTIOD.0, sent.table.replacement());
        let mut parity = ParityReport::of(&catalog);
        let bound: BTreeSet<(IpAddr, u16)> =
            sent.listeners.iter().map(|listener| (listener.address, listener.port)).collect();
        parity.hear(&catalog, keeper.inventory(), &bound);
        outcome.hosts += parity.compared;
        outcome.moved = parity.differences;
        let services = conflicts(&catalog).into_iter();
        let services: BTreeSet<String> = services
            .filter(|conflict| conflict.winners.iter().any(|winner| winner.starts_with("Service ")))
            .map(|conflict| conflict.host)
            .collect();
        let ruled = parity.ruled.iter().filter(|host| !services.contains(*host));
        outcome.different.extend(ruled.map(|host| format!("{host} is ruled")));
        outcome.different.extend(parity.unheard.iter().map(|unheard| format!("{unheard:?}")));
        for host in &parity.undeclared {
            if !names_a_pod(objects, host) {
                outcome.different.push(format!("only istiod has {host}"));
            }
        }

        // Every listener of an automatic address is one of a host.
        let answered: BTreeSet<IpAddr> =
            catalog.records().iter().filter_map(|line| line.data.parse().ok()).collect();
        for (address, port) in bound.iter().filter(|(address, _)| is_automatic(*address)) {
            outcome.listeners += 1;
            if !answered.contains(address) {
                outcome
                    .different
                    .push(format!("no host has the address of the listener {address} port {port}"));
            }
        }
        outcome
    }

    /// What differs between a row and our answers.
    fn row(
        &self,
        catalog: &Catalog,
        objects: &str,
        row: &TableRow,
        ours: &BTreeSet<IpAddr>,
        outcome: &mut Outcome,
    ) -> Option<String> {
        let theirs: BTreeSet<IpAddr> = row.addresses.iter().copied().collect();
        match &row.registry {
            Registry::External => {
                if theirs.iter().any(|address| is_automatic(*address)) {
                    outcome.automatic += 1;
                }
                let service = catalog.records().iter().any(|line| {
                    line.object.starts_with("Service ")
                        && line.name.trim_end_matches('.').eq_ignore_ascii_case(&row.host.text)
                });
                // Hosts of which no entry is known are compared by the report.
                let different = *ours != theirs && !service && !ours.is_empty();
                // Where names collide, who has which address is looked at later.
                let automatic = ours.iter().chain(&theirs).any(|address| is_automatic(*address));
                (different && !automatic)
                    .then(|| format!("{} is answered {ours:?}, and istiod has {theirs:?}", row.host.text))
            }
            // Names of pods follow other rules in Kubernetes.
            Registry::Kubernetes { short_name, .. } if short_name.contains('.') => None,
            // The endpoint controller says by their slices that such endpoints are ready; generated ones do not.
            Registry::Kubernetes { short_name, namespace } if publishes(objects, namespace, short_name) => {
                None
            }
            Registry::Kubernetes { .. } => {
                outcome.services += 1;
                // The table has one family for Services with cluster IPs and both for headless ones.
                let missing: Vec<_> = theirs.difference(ours).collect();
                (!missing.is_empty())
                    .then(|| format!("{} is answered {ours:?}, and istiod has {theirs:?}", row.host.text))
            }
        }
    }
}

/// The addresses of both families that a client is told for a host; below a wildcard, for some name.
fn answers(catalog: &Catalog, row: &TableRow) -> BTreeSet<IpAddr> {
    let host = row.host.text.replacen('*', "any.thing", 1);
    let mut addresses = BTreeSet::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let mut query = Message::new(1, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(Name::from_ascii(format!("{host}.")).unwrap(), kind));
        let mut reply = Vec::new();
        match respond(catalog, &query.to_vec().unwrap(), Transport::Grpc, 0, &mut reply) {
            Verdict::Reply => {}
            other => panic!("{host}: {other:?}"),
        }
        for record in &Message::from_vec(&reply).unwrap().answers {
            match &record.data {
                RData::A(a) => addresses.insert(IpAddr::V4(a.0)),
                RData::AAAA(aaaa) => addresses.insert(IpAddr::V6(aaaa.0)),
                _ => false,
            };
        }
    }
    addresses
}

/// Whether an address lies where Istio takes automatic addresses from.
pub(super) fn is_automatic(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..2] == [240, 240],
        IpAddr::V6(address) => address.segments()[..3] == [0x2001, 2, 0],
    }
}

/// Whether a Service has `publishNotReadyAddresses`.
fn publishes(objects: &str, namespace: &str, name: &str) -> bool {
    documents(objects).any(|object| {
        let metadata = &object["metadata"];
        object["kind"] == "Service"
            && (&metadata["namespace"], &metadata["name"]) == (&json!(namespace), &json!(name))
            && object["spec"]["publishNotReadyAddresses"] == json!(true)
    })
}

/// Whether a host is `hostname.subdomain` of a pod in front of something.
fn names_a_pod(objects: &str, host: &str) -> bool {
    documents(objects).filter(|object| object["kind"] == "Pod").any(|pod| {
        let hostname = pod["spec"]["hostname"].as_str().or(pod["metadata"]["name"].as_str());
        let subdomain = pod["spec"]["subdomain"].as_str();
        match (hostname, subdomain) {
            (Some(hostname), Some(subdomain)) => host.starts_with(&format!("{hostname}.{subdomain}.")),
            _ => false,
        }
    })
}

fn documents(objects: &str) -> impl Iterator<Item = Value> {
    objects.split("\n---\n").filter_map(|document| serde_json::from_str(document).ok())
}

/// The set with its ServiceEntries as the API server has them.
pub(super) fn objects(documents: &str, loaded: &Loaded) -> String {
    let kept: Vec<&str> = documents
        .split("\n---\n")
        .filter(|document| !document.contains("\"kind\": \"ServiceEntry\""))
        .chain([loaded.objects.as_str()])
        .collect();
    kept.join("\n---\n")
}
