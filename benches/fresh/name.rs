//! The names: what is there before them, and the endpoint that makes each.

use std::net::Ipv4Addr;

use kube::Client;
use serde_json::{Value, json};

use crate::NAMES;
use crate::api;
use crate::path::Server;

const NAMESPACES: &str = "/api/v1/namespaces";

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Of a pod, in a headless service that has others.
    Pod,
    /// Of a headless service that has no endpoint yet.
    Service,
}

impl Form {
    pub(crate) const ALL: [Self; 2] = [Self::Pod, Self::Service];

    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Form::Pod => "pod",
            Form::Service => "headless service",
        }
    }
}

/// A name that is asked for before it exists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    /// Who answers it: each has names of its own, which nobody has asked the others for.
    pub(crate) server: Server,
    pub(crate) form: Form,
    pub(crate) number: usize,
}

impl Name {
    fn service(self) -> String {
        match self.form {
            Form::Pod => "set".to_owned(),
            Form::Service => format!("late-{}", self.number),
        }
    }

    fn hostname(self) -> String {
        format!("pod-{}", self.number)
    }

    /// Its name in DNS.
    pub(crate) fn domain(self) -> String {
        let pod = match self.form {
            Form::Pod => format!("{}.", self.hostname()),
            Form::Service => String::new(),
        };
        format!("{pod}{}.{}.svc.cluster.local", self.service(), namespace(self.server))
    }

    /// The address that it will have.
    pub(crate) fn address(self) -> Ipv4Addr {
        let form = Form::ALL.iter().position(|form| *form == self.form).unwrap();
        Ipv4Addr::from(0x0af4_0001 + (form * NAMES + self.number) as u32)
    }

    /// Makes its endpoint, and returns when the API server has it.
    pub(crate) async fn appear(self, client: &Client) {
        let slice = slice(&self.service(), &self.hostname(), self.address());
        api::create(client, &slices(self.server), &slice).await;
    }
}

/// A name that is there from the start.
pub(crate) fn first(server: Server) -> (String, Ipv4Addr) {
    (format!("first.set.{}.svc.cluster.local", namespace(server)), Ipv4Addr::new(10, 244, 255, 1))
}

/// Makes what is there before the names.
pub(crate) async fn prepare(client: &Client, server: Server) {
    let namespace = namespace(server);
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    api::create(client, NAMESPACES, &object).await;
    let services = format!("{NAMESPACES}/{namespace}/services");
    let late = (0..NAMES).map(|number| Name { server, form: Form::Service, number }.service());
    for name in late.chain(["set".to_owned()]) {
        let object = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"clusterIP": "None", "ports": [{"name": "http", "port": 80}]},
        });
        api::create(client, &services, &object).await;
    }
    api::create(client, &slices(server), &slice("set", "first", first(server).1)).await;
}

fn namespace(server: Server) -> String {
    format!("fresh-{}", Server::ALL.iter().position(|known| *known == server).unwrap())
}

fn slices(server: Server) -> String {
    format!("/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", namespace(server))
}

/// A slice with one endpoint.
fn slice(service: &str, hostname: &str, address: Ipv4Addr) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": format!("{service}-{hostname}"), "labels": {"kubernetes.io/service-name": service},
        },
        "endpoints": [{
            "addresses": [address], "hostname": hostname,
            "conditions": {"ready": true, "serving": true, "terminating": false},
        }],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
    })
}
