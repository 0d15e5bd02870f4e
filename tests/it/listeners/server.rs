//! A server in this process, on free ports.
//!
//! It knows `web.shop.svc.cluster.local` (10.0.0.1) and the aliases `aN.shop.svc.cluster.local` to
//! `targetN.example.org`, for N from 0 to 9.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::{Addressing, Change, Labels, Namespace, Object, ObjectName, Service};
use meshdns::run::{Addresses, GrpcAddress, Parts, RunError, RunSettings, serve};
use meshdns::serve::chase::Upstreams;
use meshdns::serve::{DnsServiceClient, Readiness, StopSignal};
use meshdns::telemetry::metrics::Metrics;
use meshdns::telemetry::witness::Witness;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

/// A name with an address.
pub(crate) const WEB: &str = "web.shop.svc.cluster.local.";
/// Its address.
pub(crate) const WEB_ADDRESS: &str = "10.0.0.1";
/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// For limits that a test waits for.
pub(crate) const SOON: Duration = Duration::from_millis(50);

/// An alias that leads outside.
pub(crate) fn alias(number: usize) -> String {
    format!("a{number}.shop.svc.cluster.local.")
}

/// Where it leads.
pub(crate) fn target(number: usize) -> String {
    format!("target{number}.example.org.")
}

/// Two workers, everything on free ports of 127.0.0.1, nobody to ask.
pub(crate) fn settings() -> RunSettings {
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut settings = RunSettings::new();
    settings.grpc = vec![GrpcAddress::Tcp(local)];
    settings.dns = vec![local];
    settings.admin = Some(local);
    settings.upstreams = Upstreams::Servers(Vec::new());
    settings.workers = NonZeroUsize::new(2).unwrap();
    settings
}

/// What is served.
pub(crate) fn parts() -> Parts {
    let written = Settings::read("settings", "zones: [cluster.local]", &Overrides::default()).unwrap();
    let catalog = Arc::new(Catalog::new(written.policy()));
    let service = |name: String, addressing| {
        Object::Service(Service {
            written: None,
            name: ObjectName::new("shop", name),
            labels: Labels::default(),
            addressing,
            ports: [].into(),
            selects_pods: true,
            ttl: None,
        })
    };
    let mut objects = vec![
        Object::Namespace(Namespace { name: "shop".into(), labels: Labels::default() }),
        service("web".into(), Addressing::ClusterIps(vec![WEB_ADDRESS.parse().unwrap()])),
    ];
    for number in 0..10 {
        let target = target(number).trim_end_matches('.').into();
        objects.push(service(format!("a{number}"), Addressing::ExternalName(target)));
    }
    Keeper::new(Arc::clone(&catalog)).apply(0, Change::Replace(objects));
    let metrics = Arc::new(Metrics::new());
    let (witness, _) = Witness::new(None, None, None, metrics.witness());
    Parts {
        catalog,
        readiness: Readiness::new(),
        metrics,
        witness,
        identities: None,
        pages: axum::Router::new(),
        tasks: Vec::new(),
        farewell: Box::pin(async {}),
        last: Box::pin(async {}),
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) addresses: Addresses,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stop: StopSignal,
    running: JoinHandle<Result<(), RunError>>,
}

impl Server {
    /// Starts one that is ready.
    pub(crate) async fn start(settings: RunSettings) -> Self {
        Self::with(settings, parts()).await
    }

    /// Starts one of these parts.
    pub(crate) async fn with(settings: RunSettings, parts: Parts) -> Self {
        let metrics = Arc::clone(&parts.metrics);
        let (stop, stopped) = StopSignal::new();
        let (tell, told) = oneshot::channel();
        let running = tokio::spawn(serve(settings, parts, stopped, move |addresses| {
            tell.send(addresses.clone()).unwrap();
        }));
        let addresses = told.await.unwrap();
        Self { addresses, metrics, stop, running }
    }

    /// Where gRPC listens on TCP.
    pub(crate) fn grpc(&self) -> SocketAddr {
        let tcp = |address: &GrpcAddress| match address {
            GrpcAddress::Tcp(address) => Some(*address),
            GrpcAddress::Unix(_) => None,
        };
        self.addresses.grpc.iter().find_map(tcp).unwrap()
    }

    /// Where plain DNS listens.
    pub(crate) fn dns(&self) -> SocketAddr {
        self.addresses.dns[0]
    }

    /// Where admin HTTP listens.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.addresses.admin.unwrap()
    }

    /// A connection of gRPC.
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.grpc())).unwrap().connect().await.unwrap()
    }

    /// A client over a connection of its own.
    pub(crate) async fn client(&self) -> DnsServiceClient<Channel> {
        DnsServiceClient::new(self.channel().await)
    }

    /// How it ends by itself.
    pub(crate) async fn ended(self) -> Result<(), RunError> {
        let Self { running, stop: _stop, .. } = self;
        within(running).await.unwrap()
    }

    /// Stops it and waits for the end.
    pub(crate) async fn stop(self) -> Result<(), RunError> {
        self.stop.stop();
        self.ended().await
    }
}

/// Waits for what must happen.
pub(crate) async fn within<T>(happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, happens).await.expect("it did not happen")
}
