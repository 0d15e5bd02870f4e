//! A release of the chart in a cluster, and what its pods run.

use std::path::Path;

use serde_json::json;

use super::cell::Cell;
use super::chart::Release;
use super::node::Node;
use crate::support::certificates::Pair;
use crate::support::kube::{ControlPlane, Identity, Namespace};
use crate::support::process::{Meshdns, Ports};

/// A release whose objects the API server has.
pub(super) struct Installed<'p> {
    pub(super) namespace: Namespace<'p>,
    pub(super) plane: &'p ControlPlane,
    pub(super) release: Release,
    pub(super) account: Identity,
}

impl<'p> Installed<'p> {
    /// The release `dns` in a namespace of its own, with these values.
    pub(super) fn new(plane: &'p ControlPlane, values: &str) -> Self {
        let namespace = plane.namespace("mesh");
        let release = Release::new(&namespace.name, values);
        let applied = plane.api().try_apply_strictly(&release.text);
        applied.unwrap_or_else(|error| panic!("{values}: {error}\n{}", release.text));
        let account = namespace.service_account("dns-meshdns");
        Self { namespace, plane, release, account }
    }

    /// A Secret with a certificate, as cert-manager writes it.
    pub(super) fn keep(&self, name: &str, pair: &Pair, authority: &str) {
        let Pair { certificate, key } = pair;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": name},
            "stringData": {"tls.crt": certificate, "tls.key": key, "ca.crt": authority},
        });
        self.namespace.apply(&secret.to_string());
    }

    /// One of its pods on a node.
    pub(super) fn pod(&self, node: &Node) -> Cell {
        let cell = Cell::new(self.release.pod(), &self.namespace, node);
        cell.let_be(&self.account, self.plane, &self.namespace.name);
        cell
    }

    /// Starts what one of its pods runs.
    pub(super) fn started(&self) -> Meshdns {
        self.started_in(&self.pod(&Node::new()))
    }

    /// The same in a pod that is there. Ports alone are others than the chart's: on one machine all pods have the same.
    pub(super) fn started_in(&self, cell: &Cell) -> Meshdns {
        let ports = Ports::free();
        cell.edit("/etc/meshdns/meshdns.yaml", |settings| {
            assert!(settings.contains(":8081"), "{settings}");
            let free = [(":8053", ports.grpc), (":1053", ports.dns), (":8081", ports.admin)];
            free.iter().fold(settings, |text, (port, free)| text.replace(port, &format!(":{}", free.port())))
        });
        let program = Path::new(env!("CARGO_BIN_EXE_meshdns"));
        Meshdns::started(ports, &mut cell.command(program, "meshdns", self.plane))
    }
}
