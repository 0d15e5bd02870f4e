//! The control plane as one: started, broken, asked.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use kube::Config;
use serde_json::Value;

use super::super::process::{free_address, written};
use super::super::tethered::Tethered;
use super::api::{self, Api, until};
use super::identity::{ADMIN, Identity, TOKENS};
use super::namespace::Namespace;
use super::pki::Pki;
use super::programs;

/// Where all pods are: pods on a node that does not exist get into no slice.
const NODE: &str =
    "{apiVersion: v1, kind: Node, metadata: {name: node, labels: {topology.kubernetes.io/zone: zone}}}";

/// How often a large API server is started until it is ready.
const ATTEMPTS: usize = 5;

/// What a control plane is to be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    flags: Vec<String>,
    without_controllers: bool,
    data: Option<PathBuf>,
    patience: Option<Duration>,
}

impl Setup {
    /// Without kube-controller-manager: no EndpointSlices but those that the test writes, and namespaces stay.
    pub(crate) fn without_controllers(mut self) -> Self {
        self.without_controllers = true;
        self
    }

    /// The API server refuses streamed lists (`sendInitialEvents`) with 422, as before Kubernetes 1.32 by default.
    pub(crate) fn without_watch_lists(self) -> Self {
        self.flag("--feature-gates=WatchList=false")
    }

    /// A further flag of kube-apiserver.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// It begins with what [`ControlPlane::keep_data`] kept there.
    #[allow(dead_code, reason = "for benches")]
    pub(crate) fn with_data(mut self, directory: &Path) -> Self {
        self.data = Some(directory.to_owned());
        self
    }

    /// How long the API server may take until it is ready.
    #[allow(dead_code, reason = "for benches")]
    pub(crate) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(self) -> ControlPlane {
        ControlPlane::start(self)
    }
}

/// A control plane. It ends with the value, or with the test process.
pub(crate) struct ControlPlane {
    setup: Setup,
    pki: Pki,
    files: PathBuf,
    address: SocketAddr,
    etcd_address: SocketAddr,
    etcd_data: PathBuf,
    // In the order in which they end.
    controllers: Option<Tethered>,
    api_server: Option<Tethered>,
    etcd: Option<Tethered>,
    api: Api,
}

impl ControlPlane {
    /// The one that the tests of this run share. Nobody may break it, and definitions of custom resources stay.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        SHARED.get_or_init(|| Setup::default().start())
    }

    fn start(setup: Setup) -> Self {
        let pki = Pki::new();
        let files = written("tokens.csv", TOKENS).parent().unwrap().to_owned();
        pki.write(&files);
        let (address, etcd_address) = (free_address(), free_address());
        let api = Api::new(api::connect(config(&pki, &format!("https://{address}"), Some(&ADMIN))));
        let mut plane = Self {
            setup,
            pki,
            files,
            address,
            etcd_address,
            etcd_data: PathBuf::new(),
            controllers: None,
            api_server: None,
            etcd: None,
            api,
        };
        let kept = plane.setup.data.clone();
        plane.start_etcd(kept.as_deref());
        plane.start_api_server();
        plane
    }

    /// Starts it empty, or with what was kept.
    fn start_etcd(&mut self, kept: Option<&Path>) {
        self.etcd_data = written("etcd", "").with_file_name("data");
        if let Some(kept) = kept {
            programs::copy(kept, &self.etcd_data);
        }
        let etcd = programs::etcd(self.etcd_address, free_address(), &self.etcd_data);
        etcd.wait_until("listening", |_| TcpStream::connect(self.etcd_address).is_ok());
        self.etcd = Some(etcd);
    }

    /// Starts the API server, which is down, on the same port with the same data, and then the controllers.
    pub(crate) fn start_api_server(&mut self) {
        assert!(self.api_server.is_none(), "the API server runs already");
        // A killed one may need a moment to let go.
        super::until("port of the API server free", || {
            TcpStream::connect(self.address).is_err().then_some(())
        });
        self.api_server = Some(match self.setup.patience {
            None => self.try_api_server().unwrap_or_else(|error| panic!("{error}")),
            // It gives up when it has not looked through all services within a minute.
            Some(_) => (0..ATTEMPTS).find_map(|_| self.try_api_server().ok()).expect("an API server"),
        });
        self.api.apply(NODE);
        if !self.setup.without_controllers {
            self.controllers = Some(programs::controllers(&self.kubeconfig(&ADMIN)));
        }
    }

    fn try_api_server(&self) -> Result<Tethered, String> {
        let server = programs::api_server(self.address, self.etcd_address, &self.files, &self.setup.flags);
        self.setup.patience.into_iter().for_each(|patience| server.be_patient(patience));
        server.try_wait_until("ready", |_| self.api.text("/readyz").is_ok_and(|text| text == "ok"))?;
        Ok(server)
    }

    /// Kills the API server and the controllers: connections are reset, then refused.
    pub(crate) fn kill_api_server(&mut self) {
        self.controllers = None;
        assert!(self.api_server.take().is_some(), "the API server is down already");
        gone(self.address);
    }

    /// The API server takes connections and requests but does nothing any more.
    pub(crate) fn freeze_api_server(&self) {
        self.api_server.as_ref().unwrap().signal("STOP");
    }

    /// It goes on after that.
    pub(crate) fn thaw_api_server(&self) {
        self.api_server.as_ref().unwrap().signal("CONT");
    }

    /// Everything starts again without any object, and resource versions begin anew.
    pub(crate) fn wipe(&mut self) {
        self.kill_api_server();
        self.etcd = None;
        gone(self.etcd_address);
        self.start_etcd(None);
        self.start_api_server();
    }

    /// The API server is killed and started again, and neither it nor etcd has older versions of objects than the last:
    /// watches and lists that began before are answered with 410.
    pub(crate) fn restart_without_history(&mut self) {
        let list: Value = serde_json::from_str(&self.api.text("/api/v1/namespaces").unwrap()).unwrap();
        let version = list["metadata"]["resourceVersion"].as_str().unwrap();
        programs::compact(self.etcd_address, version);
        self.kill_api_server();
        self.start_api_server();
    }

    /// Puts objects into etcd as the API server stores them, by key, without asking it.
    #[allow(dead_code, reason = "for benches")]
    pub(crate) fn store(&self, objects: impl Iterator<Item = (String, Value)>) {
        programs::put(self.etcd_address, objects);
    }

    /// Ends everything, and keeps what etcd has in a directory that is not there yet.
    #[allow(dead_code, reason = "for benches")]
    pub(crate) fn keep_data(mut self, directory: &Path) {
        self.kill_api_server();
        let etcd = self.etcd.take().unwrap();
        etcd.signal("TERM");
        gone(self.etcd_address);
        programs::copy(&self.etcd_data, directory);
    }

    /// Where the API server listens, with TLS.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Everything, asked as the administrator.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// The same as somebody else.
    pub(crate) fn api_as(&self, identity: &Identity) -> Api {
        Api::new(api::connect(config(&self.pki, &self.url(), Some(identity))))
    }

    /// How to reach the API server without saying who asks.
    pub(crate) fn unauthenticated(&self) -> Config {
        config(&self.pki, &self.url(), None)
    }

    /// Lets a service account do this everywhere: the `rules` of a ClusterRole. [`super::MESHDNS`] is `meshdns` in `meshdns`.
    pub(crate) fn grant(&self, namespace: &str, account: &str, rules: &str) {
        let name = format!("test-{namespace}-{account}");
        let group = "rbac.authorization.k8s.io";
        self.api.apply(&format!(
            "apiVersion: {group}/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules: {rules}\n---\n\
             apiVersion: {group}/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {name}}}\n\
             roleRef: {{apiGroup: {group}, kind: ClusterRole, name: {name}}}\n\
             subjects: [{{kind: ServiceAccount, namespace: {namespace}, name: {account}}}]\n"
        ));
    }

    /// A new namespace, of this name and a number.
    pub(crate) fn namespace(&self, name: &str) -> Namespace<'_> {
        Namespace::create(self, name)
    }

    /// A kubeconfig file that leads to the API server.
    pub(crate) fn kubeconfig(&self, identity: &Identity) -> PathBuf {
        self.kubeconfig_to(&self.url(), identity)
    }

    /// A kubeconfig file that leads elsewhere, a proxy for example. With `https` it must prove itself with a certificate
    /// of this control plane.
    pub(crate) fn kubeconfig_to(&self, url: &str, identity: &Identity) -> PathBuf {
        kubeconfig(url, identity, Some(&self.file("ca.crt")))
    }

    /// The certificate of the authority that signed the API server's.
    pub(crate) fn authority(&self) -> PathBuf {
        self.file("ca.crt")
    }

    /// A file of [`Pki::write`].
    fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.files).join(name)
    }

    /// What the programs printed last.
    pub(crate) fn last_words(&self) -> String {
        let programs =
            [("etcd", &self.etcd), ("API server", &self.api_server), ("controllers", &self.controllers)];
        let said = programs.into_iter().filter_map(|(name, program)| {
            Some(format!("--- {name} said last:\n{}\n", program.as_ref()?.last_words()))
        });
        said.collect()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.last_words());
        }
    }
}

/// A kubeconfig file. The authority is for `https`.
pub(crate) fn kubeconfig(url: &str, identity: &Identity, authority: Option<&Path>) -> PathBuf {
    let authority = authority.map(|path| format!(", certificate-authority: \"{}\"", path.display()));
    written(
        "kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters: [{{name: test, cluster: {{server: \"{url}\"{authority}}}}}]\n\
             users: [{{name: test, user: {{token: \"{token}\"}}}}]\n\
             contexts: [{{name: test, context: {{cluster: test, user: test}}}}]\n",
            authority = authority.unwrap_or_default(),
            token = identity.token,
        ),
    )
}

/// Waits until nobody listens there: a killed process needs a moment to let go.
fn gone(address: SocketAddr) {
    until("killed process gone", || TcpStream::connect(address).is_err().then_some(()));
}

fn config(pki: &Pki, url: &str, identity: Option<&Identity>) -> Config {
    let mut config = Config::new(url.parse().unwrap());
    config.root_cert = Some(vec![pki.authority_der.clone()]);
    config.auth_info.token = identity.map(|identity| identity.token.to_string().into());
    config.default_retry = false;
    config
}
