//! Replicas that share a ledger, at a real API server.

mod damage;
mod gate;
mod history;
mod permissions;
mod replicas;
mod speed;

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::{addresses, entry, put};
use crate::support::kube::{ADMIN, Api, CONFIG_MAPS, ControlPlane, Identity, Namespace, until};
use crate::support::process::{Meshdns, written};

/// A namespace with a service account that may do what the documentation says.
struct Mesh {
    namespace: Namespace<'static>,
    account: Identity,
}

impl Mesh {
    fn new() -> Self {
        let mesh = Self::without_rights();
        mesh.allow(&["get", "list", "watch", "create", "update"]);
        mesh
    }

    fn without_rights() -> Self {
        let namespace = ControlPlane::shared().namespace("ledger");
        let account = namespace.service_account("meshdns");
        Self { namespace, account }
    }

    /// Applies the YAML of the documentation, with these verbs in place of its own.
    fn allow(&self, verbs: &[&str]) {
        let text = include_str!("../../../docs/ledger.md");
        let begin = text.find("apiVersion: rbac").expect("a Role is documented");
        let yaml = &text[begin..begin + text[begin..].find("```").unwrap()];
        assert!(yaml.contains("verbs: [get, list, watch, create, update]"), "{yaml}");
        let yaml = yaml.replace("namespace: meshdns", &format!("namespace: {}", self.namespace.name));
        self.namespace.apply(&yaml.replace("get, list, watch, create, update", &verbs.join(", ")));
        let api = ControlPlane::shared().api_as(&self.account).within(&self.namespace.name);
        for verb in ["get", "list", "watch", "create", "update"] {
            until("rights in effect", || (may(&api, verb) == verbs.contains(&verb)).then_some(()));
        }
    }

    /// A replica with manifests of its own.
    fn replica(&self) -> Replica {
        let kubeconfig = ControlPlane::shared().kubeconfig(&self.account);
        Replica::new(&self.namespace.name, kubeconfig)
    }

    /// The number of addresses that are stored, by shard.
    fn rows(&self) -> Vec<String> {
        let maps = self.namespace.list(CONFIG_MAPS).into_iter();
        let rows = maps.filter_map(|map| map["data"]["rows"].as_str().map(str::to_owned));
        rows.flat_map(|rows| rows.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

fn may(api: &Api, verb: &str) -> bool {
    let namespace = api.namespace().unwrap();
    api.may(&json!({ "namespace": namespace, "resource": "configmaps", "verb": verb }))
}

/// The place of one replica.
struct Replica {
    place: PathBuf,
    namespace: String,
    kubeconfig: PathBuf,
    more: String,
    shards: u32,
}

impl Replica {
    fn new(namespace: &str, kubeconfig: PathBuf) -> Self {
        let place = written("README", "").parent().unwrap().to_owned();
        std::fs::create_dir(place.join("manifests")).unwrap();
        Self { place, namespace: namespace.to_owned(), kubeconfig, more: String::new(), shards: 8 }
    }

    fn settings(&self) -> String {
        let Self { place, namespace, kubeconfig, more, shards } = self;
        format!(
            "zones: [cluster.local]\nsources:\n  manifests: [{}]\nserviceEntries:\n  ledger:\n    kubernetes: \
             {{namespace: {namespace}, shards: {shards}, kubeconfig: {}}}\n  {more}\n",
            place.join("manifests").display(),
            kubeconfig.display()
        )
    }

    fn declare(&self, hosts: impl IntoIterator<Item = usize>) {
        for host in hosts {
            put(
                &self.place.join(format!("manifests/{host}.yaml")),
                &entry(&format!("n{host}"), &format!("n{host}.example")),
            );
        }
    }

    fn drop_entry(&self, host: usize) {
        let _ = std::fs::remove_file(self.place.join(format!("manifests/{host}.yaml")));
    }

    /// Starts it and does not wait.
    fn begin(&self) -> Meshdns {
        Meshdns::begin(&mut Command::new(env!("CARGO_BIN_EXE_meshdns")), &self.settings(), &[])
    }

    fn start(&self) -> Meshdns {
        let mut server = self.begin();
        server.wait_until_ready();
        server
    }

    /// What a command prints that reads the ledger itself: exit code, output, errors.
    fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let config = written("meshdns.yaml", &self.settings());
        let output = Command::new(env!("CARGO_BIN_EXE_meshdns"))
            .args(arguments)
            .arg("--config")
            .arg(config)
            .output()
            .unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// Waits until a host has addresses.
fn given(server: &Meshdns, host: &str) -> Vec<String> {
    until(host, || Some(addresses(server, host)).filter(|found| found.len() == 2))
}
