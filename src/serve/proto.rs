//! The service of CoreDNS's `grpc` plugin, generated from `proto/dns.proto`.

#[expect(missing_docs, unreachable_pub, reason = "generated")]
mod generated {
    tonic::include_proto!("coredns.dns");
}

pub use generated::DnsPacket;
pub use generated::dns_service_client::DnsServiceClient;
pub(super) use generated::dns_service_server::{DnsService, DnsServiceServer, SERVICE_NAME};

/// The service and its messages, described for reflection.
pub(super) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/dns_descriptor.bin"));
