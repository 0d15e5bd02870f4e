//! A real istiod over an API server in memory (`tests/peers/istiod`).

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::{ChildStdin, Command};

use serde::Deserialize;
use serde_json::{Value, json};

use super::peer::Peer;
use super::process::Process;

/// The pinned version, or what `MESHDNS_PEER_ISTIOD` names. (`MESHDNS_ISTIOD` is a setting of `meshdns serve`.)
static EXECUTABLE: Peer = Peer::new("istiod", "MESHDNS_PEER_ISTIOD");

/// A running istiod; it ends with the value.
pub(crate) struct Istiod {
    process: Process,
    orders: ChildStdin,
}

/// Which of Istio's allocators gives automatic addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The one that writes `status.addresses`.
    Status,
    /// The one that computes them of namespaces and hosts.
    Hash,
}

/// A cluster whose addresses are allocated and whose name tables are final.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Where xDS is served, without TLS. Another one with every set that is loaded.
    pub(crate) address: SocketAddr,
    /// A List of all ServiceEntries as the API server has them now, in JSON.
    pub(crate) objects: String,
}

/// What istiod sends to a sidecar that has DNS capture.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    /// The addresses of each host. Several of one host are in no particular order.
    pub(crate) name_table: BTreeMap<String, Vec<IpAddr>>,
    /// Where each listener is bound, by its name.
    pub(crate) listeners: BTreeMap<String, Vec<SocketAddr>>,
}

/// Why istiod refuses an order: which object is wrong and how, or what it did not get done in time.
#[derive(Debug, thiserror::Error)]
#[error("istiod: {0}")]
pub(crate) struct Refusal(String);

impl Istiod {
    /// Starts it, with no cluster yet.
    pub(crate) fn start() -> Self {
        let (process, orders) = Process::start_talking(&mut Command::new(EXECUTABLE.path()));
        Self { process, orders }
    }

    /// A new cluster with the objects of these YAML documents; the one before is gone.
    pub(crate) fn load(&mut self, documents: &str, mode: Mode) -> Result<Loaded, Refusal> {
        let mode = match mode {
            Mode::Status => "status",
            Mode::Hash => "hash",
        };
        self.settle(&json!({"load": documents, "mode": mode}))
    }

    /// Creates or replaces objects.
    pub(crate) fn apply(&mut self, documents: &str) -> Result<Loaded, Refusal> {
        self.settle(&json!({"apply": documents}))
    }

    /// Deletes objects: of the documents, kind, namespace and name count.
    pub(crate) fn delete(&mut self, documents: &str) -> Result<Loaded, Refusal> {
        self.settle(&json!({"delete": documents}))
    }

    /// What a sidecar with this address in this namespace is sent.
    pub(crate) fn sent_to(&mut self, namespace: &str, address: IpAddr) -> Result<Sent, Refusal> {
        let order = json!({"dump": {"namespace": namespace, "addresses": [address]}});
        let mut reply = self.obey(&order)?;
        Ok(serde_json::from_value(reply["dump"].take()).expect("a dump has this shape"))
    }

    fn settle(&mut self, order: &Value) -> Result<Loaded, Refusal> {
        let reply = self.obey(order)?;
        let address = reply["address"].as_str().and_then(|text| text.parse().ok());
        Ok(Loaded {
            address: address.expect("a settled cluster serves"),
            objects: reply["objects"].to_string(),
        })
    }

    fn obey(&mut self, order: &Value) -> Result<Value, Refusal> {
        writeln!(self.orders, "{order}").expect("istiod reads its orders");
        let reply: Value = serde_json::from_str(&self.process.reply("{")).expect("replies are JSON");
        match reply["error"].as_str() {
            Some(error) => Err(Refusal(error.to_owned())),
            None => Ok(reply),
        }
    }
}
