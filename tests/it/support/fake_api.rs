//! An API server that says what a test makes up: for what no real one would say.
//!
//! The test gives a function from requests to replies. [`Reply::quiet`] is the reply of an empty, idle cluster, for all that
//! the test is not about.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hyper::Response;
use hyper::body::Frame;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::faults::{Asked, Kind, Requests, status};
use super::http::{Body, HttpServer, Parts, in_parts, whole};
use super::kube::{ADMIN, kubeconfig, until};

/// A running one. It ends with the value.
pub(crate) struct FakeApi {
    server: HttpServer,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// What a request is answered with.
pub(crate) struct Reply {
    code: u16,
    content: Content,
}

enum Content {
    Text(String),
    Events(Events),
}

/// A response that goes on: everything pushed so far, and everything that will be.
#[derive(Clone, Default)]
pub(crate) struct Events(watch::Sender<Pushed>);

#[derive(Default)]
struct Pushed {
    pieces: Vec<String>,
    ended: bool,
}

impl FakeApi {
    /// Starts one that replies so.
    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&asked);
        let server = HttpServer::start(move || {
            move |request: hyper::Request<_>| {
                let mut asked = Asked::read(request.method(), request.uri(), request.headers());
                let reply = script(&asked);
                asked.answered = Some(reply.code);
                shared.lock().unwrap().push(asked);
                async { Ok(reply.into_response()) }
            }
        });
        Self { server, asked }
    }

    /// A kubeconfig file that leads here.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        kubeconfig(&self.server.url(), &ADMIN, None)
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The requests so far, in their order.
    pub(crate) fn asked(&self, requests: Requests) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| requests.include(asked)).cloned().collect()
    }

    /// Waits until there were so many of these.
    pub(crate) fn wait_for(&self, requests: Requests, count: usize) {
        until(&format!("{count} times {requests:?}"), || (self.asked(requests).len() >= count).then_some(()));
    }
}

impl Reply {
    /// This text, said to be JSON.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { code: 200, content: Content::Text(text.into()) }
    }

    /// A `Status` with this code.
    pub(crate) fn status(code: u16) -> Self {
        Self { code, content: Content::Text(status(code)) }
    }

    /// A watch, or anything else that goes on.
    pub(crate) fn events(events: &Events) -> Self {
        Self { code: 200, content: Content::Events(events.clone()) }
    }

    /// What an API server says that has nothing, and where nothing happens: at version 1 of everything.
    pub(crate) fn quiet(asked: &Asked) -> Self {
        let events = Events::default();
        match asked.kind {
            Kind::List | Kind::NextPage => return Self::text(list("1", "", &[])),
            Kind::Watch => {}
            Kind::StreamedList => events.push(&end_of_list("1")),
            Kind::Get | Kind::Write => return Self::status(404),
        }
        Self::events(&events)
    }

    fn into_response(self) -> Response<Body> {
        let body = match self.content {
            Content::Text(text) => whole(text),
            Content::Events(events) => {
                let (parts, body) = in_parts();
                tokio::task::spawn_local(pass_on(events.0.subscribe(), parts));
                body
            }
        };
        Response::builder().status(self.code).header(CONTENT_TYPE, "application/json").body(body).unwrap()
    }
}

impl Events {
    /// Says this, octet by octet.
    pub(crate) fn push(&self, text: &str) {
        self.0.send_modify(|pushed| pushed.pieces.push(text.to_owned()));
    }

    /// Ends, as watches do.
    pub(crate) fn end(&self) {
        self.0.send_modify(|pushed| pushed.ended = true);
    }
}

async fn pass_on(mut events: watch::Receiver<Pushed>, to: Parts) {
    let mut sent = 0;
    loop {
        let (new, ended) = {
            let pushed = events.borrow_and_update();
            (pushed.pieces[sent..].to_vec(), pushed.ended)
        };
        sent += new.len();
        for piece in new {
            if to.send(Ok(Frame::data(piece.into()))).await.is_err() {
                return;
            }
        }
        if ended {
            return;
        }
        tokio::select! {
            // Where nobody can push any more, it stays as it is.
            changed = events.changed() => if changed.is_err() {
                return to.closed().await;
            },
            () = to.closed() => return,
        }
    }
}

/// A page of a list. Without a token in `next` it is the last one.
pub(crate) fn list(version: &str, next: &str, items: &[&str]) -> String {
    let metadata = json!({"resourceVersion": version, "continue": next});
    format!(r#"{{"kind":"List","apiVersion":"v1","metadata":{metadata},"items":[{}]}}"#, items.join(","))
}

/// A watch event with this object.
pub(crate) fn event(kind: &str, object: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
}

/// A bookmark: the watch has got to this version.
pub(crate) fn bookmark(version: &str) -> String {
    bookmark_with(version, &json!({}))
}

/// The bookmark after the last object of a streamed list.
pub(crate) fn end_of_list(version: &str) -> String {
    bookmark_with(version, &json!({"k8s.io/initial-events-end": "true"}))
}

fn bookmark_with(version: &str, annotations: &Value) -> String {
    let metadata = json!({"resourceVersion": version, "annotations": annotations});
    event("BOOKMARK", &json!({"kind": "Object", "apiVersion": "v1", "metadata": metadata}).to_string())
}
