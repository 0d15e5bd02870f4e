//! xDS as istiod speaks it, generated from `proto/istiod/`. The server side is there for tests.

#[expect(missing_docs, unreachable_pub, reason = "generated")]
mod discovery {
    tonic::include_proto!("envoy.service.discovery.v3");
}

#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod nds {
    tonic::include_proto!("istio.networking.nds.v1");
}

#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod listener {
    tonic::include_proto!("envoy.config.listener.v3");
}

pub use discovery::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
pub use discovery::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
pub use discovery::{DiscoveryRequest, DiscoveryResponse, Node, Status};
pub use listener::{AdditionalAddress, Address, Listener, SocketAddress, address, socket_address};
pub use nds::{NameTable, name_table::NameInfo};

/// A serialized resource with the name of its type.
pub use prost_types::Any;

/// The type of name tables.
pub const NAME_TABLE: &str = "type.googleapis.com/istio.networking.nds.v1.NameTable";
/// The type of listeners.
pub const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
