//! The conversation on one stream: what we ask, and what we reply to each response. Pure.
//!
//! Rules (xDS protocol, state of the world): the node stands in the first request only. A response that can be used is
//! acknowledged with its version and nonce; one that cannot is refused with its nonce, the last version that could be
//! used, and what is wrong. Types that nobody asked for get no reply.

use std::collections::BTreeSet;

use super::convert::{ListenerAddress, Rows, listeners, name_table, shown};
use super::proto::{DiscoveryRequest, DiscoveryResponse, LISTENER, NAME_TABLE, Node, Status};
use super::{NodeIdentity, Table};

/// gRPC's INVALID_ARGUMENT, as clients of xDS refuse with.
const INVALID_ARGUMENT: i32 = 3;
/// So many types that nobody asked for are told apart; istiod has fewer.
const MOST_STRANGE_TYPES: usize = 16;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscriptions {
    /// The name table.
    NameTable,
    /// The name table, and where the listeners of the proxy are bound.
    WithListeners,
}

/// One stream.
#[derive(Debug)]
pub struct Exchange {
    node: Option<Node>,
    table: Subscription,
    listeners: Option<Subscription>,
    strange: BTreeSet<String>,
}

/// One type on it.
#[derive(Debug)]
struct Subscription {
    type_url: &'static str,
    /// The last version that could be used; empty at first.
    version: String,
}

/// What a response was.
#[derive(Debug)]
pub enum Step {
    /// A name table and its version.
    Table(Rows, String),
    /// All listeners.
    Listeners(Vec<ListenerAddress>),
    /// A name table that cannot be used, and why.
    BadTable(String),
    /// Listeners that cannot be used, and why.
    BadListeners(String),
    /// Of a type that nobody asked for, seen for the first time on this stream.
    Strange(String),
    /// Nothing that matters.
    Nothing,
}

impl Exchange {
    /// For one new stream.
    pub fn new(node: &NodeIdentity, subscriptions: Subscriptions) -> Self {
        let subscription = |type_url| Subscription { type_url, version: String::new() };
        let with_listeners = subscriptions == Subscriptions::WithListeners;
        Self {
            node: Some(node.to_proto()),
            table: subscription(NAME_TABLE),
            listeners: with_listeners.then(|| subscription(LISTENER)),
            strange: BTreeSet::new(),
        }
    }

    /// What is sent before anything came, in order.
    pub fn first_requests(&mut self) -> Vec<DiscoveryRequest> {
        let all = std::iter::once(&self.table).chain(&self.listeners);
        let mut requests: Vec<DiscoveryRequest> = all.map(|one| one.request("")).collect();
        requests[0].node = self.node.take();
        requests
    }

    /// What a response is, and what is replied to it, if anything.
    pub fn take(&mut self, response: DiscoveryResponse) -> (Step, Option<DiscoveryRequest>) {
        let DiscoveryResponse { version_info, resources, type_url, nonce } = response;
        if type_url == NAME_TABLE {
            let read = name_table(&resources);
            let reply = self.table.reply(&read, &version_info, &nonce);
            let step = match read {
                Ok(Some(rows)) => Step::Table(rows, version_info),
                Ok(None) => Step::Nothing,
                Err(cause) => Step::BadTable(cause),
            };
            return (step, Some(reply));
        }
        if let Some(subscription) = self.listeners.as_mut().filter(|one| one.type_url == type_url) {
            let read = listeners(&resources);
            let reply = subscription.reply(&read, &version_info, &nonce);
            return (read.map_or_else(Step::BadListeners, Step::Listeners), Some(reply));
        }
        let type_url = shown(&type_url);
        if self.strange.len() < MOST_STRANGE_TYPES && self.strange.insert(type_url.clone()) {
            return (Step::Strange(type_url), None);
        }
        (Step::Nothing, None)
    }
}

impl Subscription {
    fn request(&self, nonce: &str) -> DiscoveryRequest {
        DiscoveryRequest {
            version_info: self.version.clone(),
            type_url: self.type_url.to_owned(),
            response_nonce: nonce.to_owned(),
            ..DiscoveryRequest::default()
        }
    }

    /// Acknowledges or refuses.
    fn reply<T>(&mut self, read: &Result<T, String>, version: &str, nonce: &str) -> DiscoveryRequest {
        match read {
            Ok(_) => {
                version.clone_into(&mut self.version);
                self.request(nonce)
            }
            Err(cause) => DiscoveryRequest {
                error_detail: Some(Status { code: INVALID_ARGUMENT, message: cause.clone() }),
                ..self.request(nonce)
            },
        }
    }
}

impl Table {
    /// The table that rows make, received now.
    pub(super) fn received(rows: Rows, version: String) -> (Self, Vec<crate::model::Defect>) {
        let Rows { rows, defects } = rows;
        (Self { rows, version, received: std::time::SystemTime::now() }, defects)
    }
}
