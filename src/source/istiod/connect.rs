//! One connection and the stream on it.
//!
//! The steps are taken one by one, so that a failure says which it was: files, looking up the name, connecting, the
//! handshake, the call. The call only returns with the first response, because grpc-go sends its headers with it.

use std::future::{Ready, ready};
use std::io;
use std::path::Path;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::{Service, http::Uri};
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic::{Request, Streaming};

use super::error::chain;
use super::life::{Heeded, Life};
use super::proto::{AggregatedDiscoveryServiceClient, DiscoveryRequest, DiscoveryResponse};
use super::{Endpoint, Exchange, IstiodError, IstiodSettings, Limits};

/// Replies that may wait to be sent; istiod has each of them before it sends the next response.
const WAITING_REPLIES: usize = 64;
/// Octets that may be under way, so that a large table comes in few round trips.
const WINDOW: u32 = 4 << 20;

/// A bearer token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

/// A stream that stands.
pub(super) struct Stream {
    peer: Peer,
    requests: mpsc::Sender<DiscoveryRequest>,
    responses: Streaming<DiscoveryResponse>,
}

/// The other end, as far as errors speak of it.
struct Peer {
    endpoint: Endpoint,
    limits: Limits,
    life: Life,
}

/// Reads the token file, if there is one.
pub(super) async fn token(settings: &IstiodSettings) -> Result<Option<Token>, IstiodError> {
    let Some(path) = &settings.token else { return Ok(None) };
    let text = file(settings, "token", path).await?;
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(bad_file(settings, "token", path, "has no token in it"));
    }
    Ok(Some(Token(text.to_owned())))
}

/// Connects and sends the first requests of an exchange.
pub(super) async fn open(
    settings: &IstiodSettings,
    token: Option<&Token>,
    exchange: &mut Exchange,
) -> Result<Stream, IstiodError> {
    let (endpoint, limits) = (&settings.endpoint, settings.limits);
    let life = Life::new();
    let connected = timeout(limits.connect, connect(settings, &life)).await;
    let silent = IstiodError::Silent { endpoint: endpoint.clone(), after: limits.connect };
    let channel = connected.map_err(|_| silent)??;
    let (requests, waiting) = mpsc::channel(WAITING_REPLIES);
    for request in exchange.first_requests() {
        let sent = requests.try_send(request);
        sent.expect("the channel is empty and holds more");
    }
    let mut call = Request::new(ReceiverStream::new(waiting));
    if let Some(token) = token {
        let header = |text: &str| MetadataValue::try_from(text).map_err(|error| error.to_string());
        let cluster = &settings.node.cluster_id;
        let cluster =
            header(cluster).map_err(|cause| IstiodError::Unusable { endpoint: endpoint.clone(), cause })?;
        let mut bearer = header(&format!("Bearer {}", token.0)).expect("a token is visible ASCII");
        bearer.set_sensitive(true);
        // By this istiod finds the API server that knows the token (kubeauth/kube_jwt.go).
        call.metadata_mut().insert("clusterid", cluster);
        call.metadata_mut().insert("authorization", bearer);
    }
    let mut client = AggregatedDiscoveryServiceClient::new(channel).max_decoding_message_size(limits.message);
    let responses = client.stream_aggregated_resources(call).await;
    let peer = Peer { endpoint: endpoint.clone(), limits, life };
    match responses {
        Ok(responses) => Ok(Stream { peer, requests, responses: responses.into_inner() }),
        Err(status) => Err(peer.error(&status)),
    }
}

impl Stream {
    /// The next response. Waits for ever, as long as istiod answers pings.
    pub(super) async fn next(&mut self) -> Result<DiscoveryResponse, IstiodError> {
        match self.responses.message().await {
            Ok(Some(response)) => Ok(response),
            Ok(None) => Err(IstiodError::Ended { endpoint: self.peer.endpoint.clone() }),
            Err(status) => Err(self.peer.error(&status)),
        }
    }

    /// Sends a reply.
    pub(super) fn reply(&self, request: DiscoveryRequest) -> Result<(), IstiodError> {
        // When the stream is over, `next` says why.
        match self.requests.try_send(request) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(IstiodError::Broken {
                endpoint: self.peer.endpoint.clone(),
                cause: "it does not read what we reply".to_owned(),
            }),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }
}

impl Peer {
    fn error(&self, status: &tonic::Status) -> IstiodError {
        let Limits { message, ping_every, ping_within, .. } = self.limits;
        match self.life.silence() {
            // Less would be a reason of another kind, found while it happened to be silent.
            Some(silence) if silence >= ping_within => IstiodError::Dead {
                endpoint: self.endpoint.clone(),
                limit: ping_every + ping_within,
                silence,
            },
            _ => IstiodError::from_status(&self.endpoint, message, status),
        }
    }
}

async fn connect(settings: &IstiodSettings, life: &Life) -> Result<Channel, IstiodError> {
    let (endpoint, limits) = (&settings.endpoint, settings.limits);
    let authority = match &settings.tls {
        Some(tls) => format!("https://{}:{}", tls.server_name, endpoint.port),
        None => format!("http://{endpoint}"),
    };
    let unusable = |cause: String| IstiodError::Unusable { endpoint: endpoint.clone(), cause };
    let mut http = Channel::from_shared(authority)
        .map_err(|error| unusable(error.to_string()))?
        .http2_keep_alive_interval(limits.ping_every)
        .keep_alive_timeout(limits.ping_within)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    if let Some(tls) = &settings.tls {
        let pem = file(settings, "CA", &tls.ca).await?;
        let bad = |cause: &str| bad_file(settings, "CA", &tls.ca, cause);
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(bad("has no certificate in PEM in it"));
        }
        let config = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(pem))
            .domain_name(tls.server_name.clone());
        http = http.tls_config(config).map_err(|error| bad(&format!("cannot be used: {}", chain(&error))))?;
    }
    let lookup = |cause: String| IstiodError::Lookup { endpoint: endpoint.clone(), cause };
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let addresses: Vec<_> = found.map_err(|error| lookup(error.to_string()))?.collect();
    if addresses.is_empty() {
        return Err(lookup("it has no address".to_owned()));
    }
    let refused = |cause| IstiodError::Connect { endpoint: endpoint.clone(), cause };
    let socket = TcpStream::connect(addresses.as_slice()).await.map_err(refused)?;
    socket.set_nodelay(true).map_err(refused)?;
    let connected =
        http.connect_with_connector(Once(Some(TokioIo::new(Heeded::new(socket, life.clone()))))).await;
    connected.map_err(|error| match settings.tls {
        Some(_) => IstiodError::Tls { endpoint: endpoint.clone(), cause: tls_cause(&error) },
        None => IstiodError::Broken { endpoint: endpoint.clone(), cause: chain(&error) },
    })
}

/// What went wrong in a handshake, and what that usually means.
fn tls_cause(error: &tonic::transport::Error) -> String {
    let told = chain(error);
    let told = told.strip_prefix("transport error: ").unwrap_or(&told);
    if told.contains("InvalidContentType") {
        return format!("{told} (it does not speak TLS on this port)");
    }
    told.to_owned()
}

async fn file(settings: &IstiodSettings, what: &'static str, path: &Path) -> Result<String, IstiodError> {
    let read = tokio::fs::read_to_string(path).await;
    read.map_err(|error| bad_file(settings, what, path, &format!("cannot be read: {error}")))
}

fn bad_file(settings: &IstiodSettings, what: &'static str, path: &Path, cause: &str) -> IstiodError {
    let endpoint = settings.endpoint.clone();
    IstiodError::File { endpoint, what, path: path.to_owned(), cause: cause.to_owned() }
}

/// Gives the one connection that there is. A channel that lost it is of no more use.
struct Once(Option<TokioIo<Heeded>>);

impl Service<Uri> for Once {
    type Response = TokioIo<Heeded>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::Error::other("the connection is lost")))
    }
}
