//! Asking the API server, many requests at once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::{Method, Request};
use kube::Client;
use meshdns::apiserver::{ApiServer, ApiServerSettings};
use serde_json::Value;
use tokio::task::JoinSet;

/// Threads that write, each with so many requests under way.
const WRITERS: usize = 3;
const AT_ONCE: usize = 48;

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A client as the user of this kubeconfig, for the runtime that it is made on.
pub(crate) async fn client(kubeconfig: &Path) -> Client {
    let settings = ApiServerSettings { kubeconfig: Some(kubeconfig.to_owned()), context: None };
    ApiServer::find(&settings).await.unwrap().client().clone()
}

/// Creates an object.
pub(crate) async fn create(client: &Client, path: &str, object: &Value) {
    send(client, Method::POST, path, "application/json", object).await;
}

/// Changes an object by a JSON patch.
pub(crate) async fn patch(client: &Client, path: &str, patch: &Value) {
    send(client, Method::PATCH, path, "application/json-patch+json", patch).await;
}

/// Sends a request; what comes back is of no matter unless it is a refusal.
async fn send(client: &Client, method: Method, path: &str, content_type: &str, body: &Value) {
    let request = Request::builder().method(method).uri(path).header("Content-Type", content_type);
    let request = request.body(body.to_string().into_bytes()).unwrap();
    client.request_text(request).await.unwrap_or_else(|error| panic!("{path}: {error}\n{body}"));
}

/// Creates `count` objects as fast as the API server takes them; `object` gives the path and the object of each.
pub(crate) fn create_all(kubeconfig: &Path, count: usize, object: fn(usize) -> (String, Value)) {
    let next = Arc::new(AtomicUsize::new(0));
    let write = |next: Arc<AtomicUsize>, client: Client| async move {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            let (path, object) = object(index);
            create(&client, &path, &object).await;
        }
    };
    let work = || async {
        let client = client(kubeconfig).await;
        let mut tasks = JoinSet::new();
        for _ in 0..AT_ONCE {
            tasks.spawn(write(next.clone(), client.clone()));
        }
        tasks.join_all().await;
    };
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| runtime().block_on(work()));
        }
    });
}
