//! The same answers on every listener: gRPC over TCP and over a Unix socket, plain DNS over UDP and TCP.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, Record, RecordType};
use meshdns::serve::{DnsPacket, DnsServiceClient};
use tonic::transport::{Channel, Endpoint};

use crate::support::process::{Meshdns, written};

/// Names of every form in `examples/manifests`, and some that are not there.
const NAMES: [&str; 24] = [
    "cluster.local",
    "svc.cluster.local",
    "shop.svc.cluster.local",
    "web.shop.svc.cluster.local",
    "WEB.shop.svc.Cluster.Local",
    "_http._tcp.web.shop.svc.cluster.local",
    "_tcp.web.shop.svc.cluster.local",
    "redis.redis.svc.cluster.local",
    "redis-0.redis.redis.svc.cluster.local",
    "_sentinel._tcp.redis.redis.svc.cluster.local",
    "cassandra.cassandra.svc.cluster.local",
    "kafka-2.kafka-brokers.kafka.svc.cluster.local",
    "kafka-bootstrap.kafka.svc.cluster.local",
    "db-primary.db.legacy.svc.cluster.local",
    "checkout.shop.svc.cluster.local",
    "dns-version.cluster.local",
    "nothing.shop.svc.cluster.local",
    "www.example.com.default.svc.cluster.local",
    "address.internal",
    "auto.internal",
    "any.thing.wild.internal",
    "api.partner.example",
    "1.0.240.240.in-addr.arpa",
    "www.example.org",
];

const TYPES: [RecordType; 8] = [
    RecordType::A,
    RecordType::AAAA,
    RecordType::SRV,
    RecordType::PTR,
    RecordType::TXT,
    RecordType::SOA,
    RecordType::CNAME,
    RecordType::ANY,
];

fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(77, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(format!("{name}.")).unwrap(), kind));
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.set_edns(edns);
    message.to_vec().unwrap()
}

/// What does not depend on the rotation.
#[derive(Debug, PartialEq)]
struct Reply {
    head: String,
    sections: [BTreeSet<String>; 3],
}

fn reply(packet: &[u8]) -> Reply {
    let message = Message::from_vec(packet).unwrap();
    let lines = |records: &[Record]| records.iter().map(ToString::to_string).collect();
    Reply {
        head: format!("{} {:?}", message.metadata, message.queries),
        sections: [lines(&message.answers), lines(&message.authorities), lines(&message.additionals)],
    }
}

fn over_udp(server: SocketAddr, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.send_to(packet, server).unwrap();
    let mut octets = vec![0; 65_535];
    let length = socket.recv(&mut octets).unwrap();
    octets.truncate(length);
    octets
}

fn over_tcp(stream: &mut TcpStream, packet: &[u8]) -> Vec<u8> {
    stream.write_all(&(packet.len() as u16).to_be_bytes()).unwrap();
    stream.write_all(packet).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut octets).unwrap();
    octets
}

async fn over_grpc(client: &mut DnsServiceClient<Channel>, packet: &[u8]) -> Vec<u8> {
    client.query(DnsPacket { msg: packet.to_vec() }).await.unwrap().into_inner().msg
}

async fn client(endpoint: String) -> DnsServiceClient<Channel> {
    DnsServiceClient::new(Endpoint::from_shared(endpoint).unwrap().connect().await.unwrap())
}

#[tokio::test]
async fn every_listener_gives_the_same_answers() {
    let socket = written("dns.sock", "");
    std::fs::remove_file(&socket).unwrap();
    let unix = format!("unix://{}", socket.display());
    let settings = format!(
        "zones: [cluster.local, internal, 10.96.0.0/16, 240.240.0.0/16]\nsources:\n  manifests: [{}/examples/manifests]\n",
        env!("CARGO_MANIFEST_DIR")
    );
    let server = Meshdns::start_with(&settings, &["--grpc-listen", &unix]);
    let mut tcp_client = client(format!("http://{}", server.grpc)).await;
    let mut unix_client = client(unix).await;
    let mut stream = TcpStream::connect(server.dns).unwrap();
    for name in NAMES {
        for kind in TYPES {
            let packet = query(name, kind);
            let expected = reply(&over_grpc(&mut tcp_client, &packet).await);
            let context = format!("{name} {kind}");
            assert_eq!(
                reply(&over_grpc(&mut unix_client, &packet).await),
                expected,
                "{context} over a Unix socket"
            );
            assert_eq!(reply(&over_udp(server.dns, &packet)), expected, "{context} over UDP");
            assert_eq!(reply(&over_tcp(&mut stream, &packet)), expected, "{context} over TCP");
        }
    }
}
