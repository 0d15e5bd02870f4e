//! The programs of a control plane, and how each is started.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use base64::prelude::{BASE64_STANDARD as BASE64, Engine};
use serde_json::{Value, json};

use super::super::peer::Peer;
use super::super::tethered::Tethered;

/// The pinned versions, or what these variables name.
static ETCD: Peer = Peer::tool("kube", "etcd", "MESHDNS_ETCD");
static API_SERVER: Peer = Peer::tool("kube", "kube-apiserver", "MESHDNS_KUBE_APISERVER");
static CONTROLLERS: Peer = Peer::tool("kube", "kube-controller-manager", "MESHDNS_KUBE_CONTROLLER_MANAGER");

/// Those that make and clean up EndpointSlices and namespaces. Slices of a deleted Service are collected as garbage.
const CONTROLLERS_RUN: &str = "endpointslice-controller,endpointslice-mirroring-controller,namespace-controller,\
    garbage-collector-controller";

/// Values that go into an etcd together; it takes no more than 128.
const PUTS: usize = 100;

/// The executable of the API server.
#[allow(dead_code, reason = "for benches")]
pub(crate) fn api_server_executable() -> &'static Path {
    API_SERVER.path()
}

/// An etcd with what this directory has, which goes with it.
pub(super) fn etcd(clients: SocketAddr, peers: SocketAddr, data: &Path) -> Tethered {
    let (clients, peers) = (format!("http://{clients}"), format!("http://{peers}"));
    let mut command = Command::new(ETCD.path());
    command.arg("--data-dir").arg(data);
    command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args([
        "--initial-cluster",
        &format!("default={peers}"),
        "--unsafe-no-fsync",
        // The default of 2 GB is too little for benches with a hundred thousand services.
        "--quota-backend-bytes=8589934592",
        "--log-level",
        "warn",
    ]);
    Tethered::start(&command, data.parent())
}

/// Copies a directory to where nothing is yet, in one step.
pub(super) fn copy(from: &Path, to: &Path) {
    let unfinished = to.with_extension("unfinished");
    let _ = std::fs::remove_dir_all(&unfinished);
    let status = Command::new("cp").arg("-R").arg(from).arg(&unfinished).status();
    assert!(status.is_ok_and(|status| status.success()), "cp {} {}", from.display(), unfinished.display());
    std::fs::rename(&unfinished, to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}

/// Has an etcd forget what was before this revision.
pub(super) fn compact(etcd: SocketAddr, revision: &str) {
    order(etcd, "compaction", &json!({"revision": revision, "physical": true}));
}

/// Puts values under keys into an etcd: what an API server would, without its doing it.
#[allow(dead_code, reason = "for benches")]
pub(super) fn put(etcd: SocketAddr, values: impl Iterator<Item = (String, Value)>) {
    let mut puts = values.map(|(key, value)| {
        json!({"requestPut": {"key": BASE64.encode(key), "value": BASE64.encode(value.to_string())}})
    });
    loop {
        let together: Vec<Value> = puts.by_ref().take(PUTS).collect();
        if together.is_empty() {
            return;
        }
        order(etcd, "txn", &json!({ "success": together }));
    }
}

/// Tells an etcd what to do.
fn order(etcd: SocketAddr, what: &str, order: &Value) {
    let mut stream = TcpStream::connect(etcd).unwrap();
    let order = order.to_string();
    let length = order.len();
    write!(stream, "POST /v3/kv/{what} HTTP/1.0\r\nHost: etcd\r\nContent-Length: {length}\r\n\r\n{order}")
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.0 200 "), "{reply}");
}

/// An API server in front of that etcd, with the files of this directory.
pub(super) fn api_server(address: SocketAddr, etcd: SocketAddr, files: &Path, flags: &[String]) -> Tethered {
    let file = |name: &str| files.join(name).display().to_string();
    let mut command = Command::new(API_SERVER.path());
    command.args([
        format!("--etcd-servers=http://{etcd}"),
        format!("--bind-address={}", address.ip()),
        format!("--advertise-address={}", address.ip()),
        format!("--secure-port={}", address.port()),
        format!("--tls-cert-file={}", file("server.crt")),
        format!("--tls-private-key-file={}", file("server.key")),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--service-account-key-file={}", file("accounts.pub")),
        format!("--service-account-signing-key-file={}", file("accounts.key")),
        "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112".to_owned(),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        // Pods need no service account then, so nothing has to make one.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        // The endpoints of the API server itself would be a loopback address, which none may be.
        "--endpoint-reconciler-type=none".to_owned(),
        "--profiling=false".to_owned(),
    ]);
    Tethered::start(command.args(flags), None)
}

/// The controllers, as the user of this kubeconfig.
pub(super) fn controllers(kubeconfig: &Path) -> Tethered {
    let mut command = Command::new(CONTROLLERS.path());
    command.arg("--kubeconfig").arg(kubeconfig);
    command.args([
        &format!("--controllers={CONTROLLERS_RUN}"),
        "--leader-elect=false",
        "--use-service-account-credentials=false",
        // No port of its own.
        "--secure-port=0",
        // As quickly as they can: the default is 20 requests in a second.
        "--kube-api-qps=1000",
        "--kube-api-burst=1000",
    ]);
    Tethered::start(&command, None)
}
