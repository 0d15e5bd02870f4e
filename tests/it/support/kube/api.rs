//! Asking an API server, one request at a time, from tests with and without a runtime.

use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyper::{Method, Request};
use kube::core::Status;
use kube::{Client, Config};
use meshdns::model::Utc;
use meshdns::yaml;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Handle};

use super::identity::Identity;
use super::lines::Lines;
use super::resource::{NAMESPACES, PODS, Resource, SERVICE_ACCOUNTS};

/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const PACE: Duration = Duration::from_millis(20);

/// An API server, seen from one namespace or from none.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    namespace: Option<String>,
}

impl Api {
    pub(super) fn new(client: Client) -> Self {
        Self { client, namespace: None }
    }

    /// Whoever plays an API server at this URL, without TLS.
    pub(crate) fn at(url: &str, identity: &Identity) -> Self {
        let mut config = Config::new(url.parse().unwrap());
        config.auth_info.token = Some(identity.token.to_string().into());
        config.default_retry = false;
        Self::new(connect(config))
    }

    /// The same, where objects without a namespace belong to this one, and others are not seen.
    pub(crate) fn within(&self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self.clone() }
    }

    /// Creates or changes the objects of these documents, YAML or JSON, and gives them as they are then.
    pub(crate) fn apply(&self, documents: &str) -> Vec<Value> {
        self.try_apply(documents).unwrap_or_else(|error| panic!("{error}\n{documents}"))
    }

    /// The same where a refusal is expected.
    pub(crate) fn try_apply(&self, documents: &str) -> kube::Result<Vec<Value>> {
        self.apply_by(documents, "fieldManager=test&force=true")
    }

    /// The same, and fields that the API server does not know are refused.
    pub(crate) fn try_apply_strictly(&self, documents: &str) -> kube::Result<Vec<Value>> {
        self.apply_by(documents, "fieldManager=test&force=true&fieldValidation=Strict")
    }

    fn apply_by(&self, documents: &str, query: &str) -> kube::Result<Vec<Value>> {
        yaml::documents(documents)
            .map(|document| {
                let object = document.parse().expect("the test writes YAML").to_json();
                // The text as it stands: the API server reads YAML itself.
                let uri = format!("{}?{query}", self.path_of(&object)?);
                self.send(Method::PATCH, &uri, "application/apply-patch+yaml", document.text)
            })
            .collect()
    }

    /// Creates an object, and gives it as it is then.
    pub(crate) fn create(&self, resource: Resource, object: &Value) -> kube::Result<Value> {
        self.send(Method::POST, &self.path(resource, ""), "application/json", &object.to_string())
    }

    /// Deletes the objects of these documents, of which kind, namespace and name count.
    pub(crate) fn delete_all(&self, documents: &str) {
        for document in yaml::documents(documents) {
            let object = document.parse().expect("the test writes YAML").to_json();
            let path = self.path_of(&object).unwrap_or_else(|error| panic!("{error}\n{documents}"));
            self.must(Method::DELETE, &path, "application/json", "");
        }
    }

    /// Deletes an object; a pod at once.
    pub(crate) fn delete(&self, resource: Resource, name: &str) {
        self.must(
            Method::DELETE,
            &self.path(resource, name),
            "application/json",
            r#"{"gracePeriodSeconds": 0}"#,
        );
    }

    /// Begins to delete an object with a grace period, which nobody ends.
    pub(crate) fn let_leave(&self, resource: Resource, name: &str) {
        let options = r#"{"gracePeriodSeconds": 3600}"#;
        self.must(Method::DELETE, &self.path(resource, name), "application/json", options);
    }

    /// Takes a namespace away at once. What is in it stays, which happens to no namespace that controllers clean up.
    pub(crate) fn forget_namespace(&self, name: &str) {
        self.delete(NAMESPACES, name);
        let mut namespace = self.get(NAMESPACES, name).expect("finalizers hold it");
        namespace["spec"]["finalizers"] = json!([]);
        let path = format!("{}/finalize", self.path(NAMESPACES, name));
        self.must(Method::PUT, &path, "application/json", &namespace.to_string());
    }

    /// Deletes an object if it is there and somebody answers.
    pub(super) fn try_delete(&self, resource: Resource, name: &str) {
        let _ = self.send(Method::DELETE, &self.path(resource, name), "application/json", "");
    }

    /// Merges this into an object.
    pub(crate) fn merge(&self, resource: Resource, name: &str, patch: &Value) -> Value {
        self.must(
            Method::PATCH,
            &self.path(resource, name),
            "application/merge-patch+json",
            &patch.to_string(),
        )
    }

    /// Merges this into the status of an object.
    pub(crate) fn merge_status(&self, resource: Resource, name: &str, status: &Value) -> Value {
        let path = format!("{}/status", self.path(resource, name));
        self.must(
            Method::PATCH,
            &path,
            "application/merge-patch+json",
            &json!({ "status": status }).to_string(),
        )
    }

    /// A pod that runs with these addresses, ready, as its kubelet would report it.
    pub(crate) fn run_pod(&self, name: &str, labels: &Value, addresses: &[&str]) {
        self.apply(
            &json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
                "spec": {
                    "nodeName": "node", "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "main", "image": "none"}],
                },
            })
            .to_string(),
        );
        let addresses: Vec<Value> = addresses.iter().map(|address| json!({ "ip": address })).collect();
        // From here the controller of slices has when the change was.
        let now = Utc(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).to_string();
        self.merge_status(
            PODS,
            name,
            &json!({
                "phase": "Running", "podIP": addresses[0]["ip"], "podIPs": addresses,
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now}],
            }),
        );
    }

    /// A token for a service account of the namespace, which is created.
    pub(crate) fn service_account(&self, name: &str) -> Identity {
        self.apply(&format!("{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}}}}}"));
        let path = format!("{}/token", self.path(SERVICE_ACCOUNTS, name));
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let granted = self.must(Method::POST, &path, "application/json", &request.to_string());
        Identity::with_token(granted["status"]["token"].as_str().unwrap())
    }

    /// Who the API server thinks we are.
    pub(crate) fn who_am_i(&self) -> String {
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let review = self.must(Method::POST, path, "application/json", &review.to_string());
        review["status"]["userInfo"]["username"].as_str().unwrap().to_owned()
    }

    /// The namespace that it is seen from, if it is one.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Whether we may do this: `resourceAttributes` of a SelfSubjectAccessReview.
    pub(crate) fn may(&self, what: &Value) -> bool {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": what},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let review = self.must(Method::POST, path, "application/json", &review.to_string());
        review["status"]["allowed"] == true
    }

    /// An object, if it exists.
    pub(crate) fn get(&self, resource: Resource, name: &str) -> Option<Value> {
        match self.send(Method::GET, &self.path(resource, name), "application/json", "") {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// All objects.
    pub(crate) fn list(&self, resource: Resource) -> Vec<Value> {
        let mut list = self.must(Method::GET, &self.path(resource, ""), "application/json", "");
        serde_json::from_value(list["items"].take()).unwrap()
    }

    /// What a path has, as text: `/readyz`, `/version`, `/metrics`.
    pub(crate) fn text(&self, path: &str) -> kube::Result<String> {
        let (client, request) = (self.client.clone(), Request::get(path).body(Vec::new()).unwrap());
        run(async move { client.request_text(request).await })
    }

    /// What a path has, line by line as it comes: a watch, or a list.
    pub(crate) fn open(&self, path: &str) -> kube::Result<Lines> {
        let (client, request) =
            (self.client.clone(), Request::get(path).body(kube::client::Body::empty()).unwrap());
        run(async move {
            let (head, body) = client.send(request).await?.into_parts();
            if !head.status.is_success() {
                let status = Status::failure("not opened", "").with_code(head.status.as_u16());
                return Err(kube::Error::Api(status.boxed()));
            }
            Ok(Lines::of(body))
        })
    }

    /// The path that [`Self::open`] takes for a resource, with this query.
    pub(crate) fn query(&self, resource: Resource, query: &str) -> String {
        format!("{}?{query}", self.path(resource, ""))
    }

    fn must(&self, method: Method, path: &str, content_type: &str, body: &str) -> Value {
        let what = format!("{method} {path}");
        self.send(method, path, content_type, body).unwrap_or_else(|error| panic!("{what}: {error}\n{body}"))
    }

    fn send(&self, method: Method, path: &str, content_type: &str, body: &str) -> kube::Result<Value> {
        let request = Request::builder().method(method).uri(path).header("Content-Type", content_type);
        let (client, request) = (self.client.clone(), request.body(body.as_bytes().to_vec()).unwrap());
        run(async move { client.request(request).await })
    }

    /// The path of an object, or of all, seen from here.
    fn path(&self, resource: Resource, name: &str) -> String {
        let namespace = self.namespace.as_ref().map(|name| format!("/namespaces/{name}")).unwrap_or_default();
        let Resource { root, plural } = resource;
        format!("/{root}{namespace}/{plural}/{name}").trim_end_matches('/').to_owned()
    }

    /// The path of an object by what it says itself. The API server knows where its kind lives.
    fn path_of(&self, object: &Value) -> kube::Result<String> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let version = text("/apiVersion").expect("objects have an apiVersion");
        let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
        let kinds = self.send(Method::GET, &root, "application/json", "")?;
        let kind = kinds["resources"].as_array().into_iter().flatten().find(|resource| {
            resource["kind"].as_str() == text("/kind") && !resource["name"].as_str().unwrap().contains('/')
        });
        let unknown =
            || Status::failure(&format!("{version} has no {:?}", text("/kind")), "NotFound").with_code(404);
        let kind = kind.ok_or_else(|| kube::Error::Api(unknown().boxed()))?;
        let namespace = text("/metadata/namespace").or(self.namespace.as_deref()).unwrap_or("default");
        let namespace =
            if kind["namespaced"] == true { format!("/namespaces/{namespace}") } else { String::new() };
        let name = text("/metadata/name").expect("objects have a name");
        Ok(format!("{root}{namespace}/{}/{name}", kind["name"].as_str().unwrap()))
    }
}

/// Waits until there is something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(PACE);
    }
}

/// A client that lives on the runtime of this module.
pub(super) fn connect(config: Config) -> Client {
    run(async move { Client::try_from(config).expect("the control plane can be connected to") })
}

/// Runs something to its end, on a thread of its own, so that it works inside of a runtime too.
fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    let handle = RUNTIME.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        handle
    });
    let (sender, receiver) = channel();
    handle.spawn(async move { sender.send(future.await) });
    receiver.recv().expect("the request does not panic")
}
