//! Whom we say we are: a sidecar that captures DNS.
//!
//! Facts: istio/istio `pilot/pkg/model/context.go` (`ParseServiceNodeWithMetadata`): the id has four parts, no pod
//! needs to exist; booleans and lists in the metadata are text. `NAMESPACE` decides what is visible, `CLUSTER_ID` whose
//! cluster IPs are meant, the addresses which families are given.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use prost_types::value::Kind;
use prost_types::{Struct, Value};

use super::proto::Node;

/// The proxy that we pass for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeIdentity {
    /// Namespace whose view of the mesh is wanted; with a token, the namespace of its service account.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
    /// Its addresses, at least one. Their families are those that istiod gives addresses of.
    pub addresses: Vec<IpAddr>,
    /// The cluster it is in, as istiod calls it.
    pub cluster_id: String,
    /// The network it is in; empty: any.
    pub network: String,
    /// Its service account; empty: not said.
    pub service_account: String,
    /// The domain of the cluster, without a final dot.
    pub domain: String,
    /// Whether the proxy uses addresses that istiod computes in meshes without `status.addresses`
    /// (`DNS_AUTO_ALLOCATE`).
    pub auto_allocate: bool,
    /// Further metadata; replaces what is said otherwise.
    pub metadata: BTreeMap<String, String>,
}

impl Default for NodeIdentity {
    fn default() -> Self {
        Self {
            namespace: "default".to_owned(),
            name: "meshdns".to_owned(),
            // Of a range for documentation (RFC 5737): no workload has it, so istiod takes us for none.
            addresses: vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))],
            cluster_id: "Kubernetes".to_owned(),
            network: String::new(),
            service_account: String::new(),
            domain: "cluster.local".to_owned(),
            auto_allocate: false,
            metadata: BTreeMap::new(),
        }
    }
}

impl NodeIdentity {
    /// `sidecar~<address>~<name>.<namespace>~<namespace>.svc.<domain>`.
    pub fn id(&self) -> String {
        let address = self.addresses.first().map(IpAddr::to_string).unwrap_or_default();
        let Self { namespace, name, domain, .. } = self;
        format!("sidecar~{address}~{name}.{namespace}~{namespace}.svc.{domain}")
    }

    /// The message of the first request.
    pub(super) fn to_proto(&self) -> Node {
        let addresses: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
        let mut metadata = BTreeMap::from([
            ("NAMESPACE", self.namespace.clone()),
            ("CLUSTER_ID", self.cluster_id.clone()),
            ("INSTANCE_IPS", addresses.join(",")),
            // Without it automatic addresses are left out of the table.
            ("DNS_CAPTURE", "true".to_owned()),
        ]);
        let mut said = |key, value: &str| {
            if !value.is_empty() {
                metadata.insert(key, value.to_owned());
            }
        };
        said("NETWORK", &self.network);
        said("SERVICE_ACCOUNT", &self.service_account);
        said("DNS_AUTO_ALLOCATE", if self.auto_allocate { "true" } else { "" });
        metadata.extend(self.metadata.iter().map(|(key, value)| (key.as_str(), value.clone())));
        let text = |value| Value { kind: Some(Kind::StringValue(value)) };
        let fields = metadata.into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect();
        let cluster = format!("{}.{}", self.name, self.namespace);
        Node { id: self.id(), cluster, metadata: Some(Struct { fields }) }
    }
}
