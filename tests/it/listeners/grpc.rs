//! gRPC, as CoreDNS and operators' tools use it.

use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use meshdns::run::GrpcAddress;
use meshdns::serve::chase::Upstreams;
use meshdns::serve::{DnsPacket, DnsServiceClient};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use super::packet::{query, read};
use super::proxy::Proxy;
use super::server::{Server, WEB, WEB_ADDRESS, alias, parts, settings, within};
use super::upstream::{FOUND, Manner, Upstream};

const SERVICE: &str = "coredns.dns.DnsService";

fn packet(name: &str) -> DnsPacket {
    DnsPacket { msg: query(1, name) }
}

async fn addresses(client: &mut DnsServiceClient<Channel>, name: &str) -> Vec<String> {
    let reply = within(client.query(packet(name))).await.unwrap().into_inner();
    read(&reply.msg).answer
}

async fn status(client: &mut HealthClient<Channel>, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.into() };
    client.check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn a_query_is_answered_over_tcp() {
    let server = Server::start(settings()).await;
    assert_eq!(addresses(&mut server.client().await, WEB).await, [WEB_ADDRESS]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_query_is_answered_over_a_unix_socket_that_goes_with_the_server() {
    let directory = std::env::temp_dir().join(format!("meshdns-it-unix-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("dns.sock");
    let mut settings = settings();
    settings.grpc = vec![GrpcAddress::Unix(path.clone())];
    let server = Server::start(settings).await;
    let endpoint = Endpoint::from_shared(format!("unix://{}", path.display())).unwrap();
    let mut client = DnsServiceClient::new(endpoint.connect().await.unwrap());
    assert_eq!(addresses(&mut client, WEB).await, [WEB_ADDRESS]);
    drop(client);
    server.stop().await.unwrap();
    assert!(!path.exists());
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn hundreds_of_calls_wait_on_one_connection_and_do_not_hold_up_others() {
    let permits = Arc::new(Semaphore::new(0));
    let upstream = Upstream::start(Manner::Waits(Arc::clone(&permits))).await;
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(vec![upstream.address]);
    settings.limits.chase.attempt = super::server::PATIENCE;
    settings.limits.chase.total = super::server::PATIENCE;
    let server = Server::start(settings).await;
    let client = server.client().await;
    let mut calls = JoinSet::new();
    for _ in 0..500 {
        let mut client = client.clone();
        calls.spawn(async move { addresses(&mut client, &alias(0)).await });
    }
    upstream.is_asked(1).await;
    assert_eq!(addresses(&mut client.clone(), WEB).await, [WEB_ADDRESS]);
    assert_eq!(calls.len(), 500);
    permits.add_permits(1);
    while let Some(answer) = within(calls.join_next()).await {
        assert!(answer.unwrap().contains(&FOUND.to_owned()));
    }
    assert_eq!(upstream.asked(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_gives_up_on_everything_keeps_its_connection() {
    let upstream = Upstream::start(Manner::Silent).await;
    let mut settings = settings();
    settings.upstreams = Upstreams::Servers(vec![upstream.address]);
    let server = Server::start(settings).await;
    let proxy = Proxy::start(server.grpc()).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", proxy.address)).unwrap();
    let client = DnsServiceClient::new(endpoint.connect().await.unwrap());
    for round in 0..5 {
        let mut calls = JoinSet::new();
        for _ in 0..1000 {
            let mut client = client.clone();
            calls.spawn(async move { client.query(packet(&alias(round))).await });
        }
        upstream.is_asked(round + 1).await;
        calls.shutdown().await;
        assert_eq!(addresses(&mut client.clone(), WEB).await, [WEB_ADDRESS]);
    }
    assert_eq!(proxy.opened(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_dns_message_is_an_invalid_argument() {
    let server = Server::start(settings()).await;
    let mut client = server.client().await;
    for msg in [Vec::new(), vec![0; 11]] {
        let refused = client.query(DnsPacket { msg }).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("DNS message"), "{}", refused.message());
    }
    let huge = client.query(DnsPacket { msg: vec![0; 70_000] }).await.unwrap_err();
    assert_ne!(huge.code(), Code::NotFound);
    let reply = client.query(DnsPacket { msg: vec![0; 12] }).await.unwrap().into_inner();
    assert_eq!(read(&reply.msg).rcode, ResponseCode::FormErr);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_answered_before_everything_is_known() {
    let parts = parts();
    let manifests = parts.readiness.handle("manifests");
    let server = Server::with(settings(), parts).await;
    let channel = server.channel().await;
    let (mut client, mut health) = (DnsServiceClient::new(channel.clone()), HealthClient::new(channel));
    assert_eq!(client.query(packet(WEB)).await.unwrap_err().code(), Code::Unavailable);
    for service in ["", SERVICE] {
        assert_eq!(status(&mut health, service).await, ServingStatus::NotServing);
    }
    manifests.release();
    assert_eq!(addresses(&mut client, WEB).await, [WEB_ADDRESS]);
    for service in ["", SERVICE] {
        assert_eq!(status(&mut health, service).await, ServingStatus::Serving);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_health_watch_tells_changes_and_ends_when_the_server_stops() {
    let parts = parts();
    let manifests = parts.readiness.handle("manifests");
    let server = Server::with(settings(), parts).await;
    let mut health = HealthClient::new(server.channel().await);
    let request = HealthCheckRequest { service: SERVICE.into() };
    let mut states = health.watch(request).await.unwrap().into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    manifests.release();
    assert_eq!(within(states.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.stop.stop();
    assert_eq!(within(states.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(within(states.message()).await.unwrap().is_none());
    server.ended().await.unwrap();
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let server = Server::start(settings()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut replies =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let reply: ServerReflectionResponse = within(replies.next()).await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = reply.message_response else {
        panic!("another reply: {reply:?}");
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&SERVICE) && names.contains(&"grpc.health.v1.Health"), "{names:?}");
    drop(replies);
    drop(client);
    server.stop().await.unwrap();
}
