//! A server of xDS that does what the test tells it, stream by stream.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use meshdns::source::istiod::proto::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer, Any, DiscoveryRequest, DiscoveryResponse,
    NAME_TABLE, NameInfo, NameTable,
};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::metadata::MetadataMap;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};

use super::source::within;

/// A running server.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    streams: mpsc::UnboundedReceiver<Stream>,
    /// The value of `authorization` that is accepted; anything by default.
    pub(crate) accepts: Arc<Mutex<Option<String>>>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// A stream that a client opened.
pub(crate) struct Stream {
    pub(crate) metadata: MetadataMap,
    requests: Streaming<DiscoveryRequest>,
    responses: mpsc::Sender<Result<DiscoveryResponse, Status>>,
}

struct Service {
    streams: mpsc::UnboundedSender<Stream>,
    accepts: Arc<Mutex<Option<String>>>,
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for Service {
    type StreamAggregatedResourcesStream = ReceiverStream<Result<DiscoveryResponse, Status>>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        let (metadata, _, requests) = request.into_parts();
        if let Some(accepted) = self.accepts.lock().unwrap().as_deref() {
            let given = metadata.get("authorization").map(|value| value.to_str().unwrap());
            if given != Some(accepted) {
                return Err(Status::unauthenticated("authentication failure"));
            }
        }
        let (responses, receiver) = mpsc::channel(8);
        // A test that is over takes no more streams.
        let _ = self.streams.send(Stream { metadata, requests, responses });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl Peer {
    /// On a free port, in the clear.
    pub(crate) async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), None).await
    }

    /// At an address, with a certificate or without.
    pub(crate) async fn start_at(address: SocketAddr, identity: Option<Identity>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, streams) = mpsc::unbounded_channel();
        let accepts = Arc::default();
        let service = Service { streams: sender, accepts: Arc::clone(&accepts) };
        let service = AggregatedDiscoveryServiceServer::new(service).max_encoding_message_size(usize::MAX);
        let mut server = Server::builder();
        if let Some(identity) = identity {
            server = server.tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            let incoming = TcpListenerStream::new(listener);
            // A client that breaks off a handshake is none of its business.
            let _ = server.add_service(service).serve_with_incoming_shutdown(incoming, stopped).await;
        });
        Self { address, streams, accepts, stop: Some(stop), running }
    }

    /// The next stream that is opened.
    pub(crate) async fn stream(&mut self) -> Stream {
        within(self.streams.recv()).await.unwrap()
    }

    /// Says GOAWAY, as for age, and ends with the last stream.
    pub(crate) async fn go(mut self, streams: Vec<Stream>) {
        self.stop.take().unwrap().send(()).unwrap();
        drop(streams);
        within(self.running).await.unwrap();
    }
}

impl Stream {
    /// The next request.
    pub(crate) async fn request(&mut self) -> DiscoveryRequest {
        within(self.requests.message()).await.unwrap().expect("a request")
    }

    /// Sends anything.
    pub(crate) async fn send(&self, type_url: &str, version: &str, resources: Vec<Any>) {
        let response = DiscoveryResponse {
            version_info: version.to_owned(),
            resources,
            type_url: type_url.to_owned(),
            nonce: format!("nonce of {version}"),
        };
        within(self.responses.send(Ok(response))).await.unwrap();
    }

    /// Sends a name table.
    pub(crate) async fn table(&self, version: &str, rows: &[(&str, &str)]) {
        self.send(NAME_TABLE, version, vec![table(rows)]).await;
    }

    /// Sends a name table, and sees it acknowledged.
    pub(crate) async fn accepted_table(&mut self, version: &str, rows: &[(&str, &str)]) {
        self.table(version, rows).await;
        let reply = self.request().await;
        assert_eq!((reply.version_info.as_str(), reply.error_detail), (version, None));
        assert_eq!(reply.response_nonce, format!("nonce of {version}"));
        assert_eq!((reply.type_url.as_str(), reply.node), (NAME_TABLE, None));
    }

    /// Ends with a status.
    pub(crate) async fn fail(self, status: Status) {
        within(self.responses.send(Err(status))).await.unwrap();
    }
}

/// A name table of ServiceEntry hosts, as a resource.
pub(crate) fn table(rows: &[(&str, &str)]) -> Any {
    let info = |ip: &str| NameInfo {
        ips: ip.split(',').map(str::to_owned).collect(),
        registry: "External".to_owned(),
        ..NameInfo::default()
    };
    let table: BTreeMap<String, NameInfo> =
        rows.iter().map(|(host, ip)| ((*host).to_owned(), info(ip))).collect();
    Any { type_url: NAME_TABLE.to_owned(), value: NameTable { table }.encode_to_vec() }
}
