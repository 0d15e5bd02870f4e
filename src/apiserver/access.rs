//! Finding the API server and connecting to it.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::AccessError;

/// How long a connection may take: a dead address is no reason to wait any longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Set by the kubelet in every container.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// Which API server, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ApiServerSettings {
    /// A kubeconfig file. Default: in a pod its service account, elsewhere `$KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig. Default: its current one.
    pub context: Option<String>,
}

/// An API server that can be asked. Clones share its connections.
///
/// Tokens of files, a pod's own included, are read again at least once a minute.
#[derive(Clone)]
pub struct ApiServer {
    client: Client,
    address: String,
}

impl ApiServer {
    /// Reads what is needed to connect. Nothing is sent yet.
    pub async fn find(settings: &ApiServerSettings) -> Result<Self, AccessError> {
        let mut config = config(settings).await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Whoever asks decides when to ask again, and says so.
        config.default_retry = false;
        let address = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = Client::try_from(config)
            .map_err(|error| AccessError::Unusable { what: address.clone(), source: Box::new(error) })?;
        Ok(Self { client, address })
    }

    /// What requests are sent with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its URL.
    pub fn address(&self) -> &str {
        &self.address
    }
}

async fn config(settings: &ApiServerSettings) -> Result<Config, AccessError> {
    let ApiServerSettings { kubeconfig, context } = settings;
    if kubeconfig.is_none() && context.is_none() && std::env::var_os(IN_CLUSTER).is_some() {
        return Config::incluster()
            .map_err(|source| AccessError::ServiceAccount { source: Box::new(source) });
    }
    let (what, read) = match kubeconfig {
        Some(path) => (path.display().to_string(), Kubeconfig::read_from(path)),
        None => ("kubeconfig".to_owned(), Kubeconfig::read()),
    };
    let unusable = |source| AccessError::Unusable { what: what.clone(), source };
    let kubeconfig = read.map_err(|error| unusable(Box::new(error)))?;
    let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| unusable(Box::new(error)))
}
