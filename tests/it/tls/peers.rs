//! Other programs at the TLS port: without ALPN, with old TLS, slow, silent, or in search of the admin pages.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use socket2::{Domain, Socket, Type};

use super::CLIENT;
use super::front::{Front, NAME, Place, Server};
use crate::support::certificates::{Authority, Pair};
use crate::support::dig::{data, dig};
use crate::support::process::page;

/// More than one address may have under way.
const MANY: usize = 70;

/// The octets that the server sends after this client has said hello and these octets; an error if it refuses TLS.
fn answer(
    server: SocketAddr,
    authority: &Authority,
    pair: &Pair,
    protocols: &[&str],
    version: &'static SupportedProtocolVersion,
    says: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let connection = ClientConnection::new(Arc::new(config), NAME.try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(says)?;
    stream.flush()?;
    let mut said = vec![0; 1024];
    let length = stream.read(&mut said)?;
    said.truncate(length);
    Ok(said)
}

fn server(authority: &Authority, place: &Place) -> Server {
    place.fill(&authority.pair(NAME), &authority.pem);
    Server::start(place, &format!("[{CLIENT}]"))
}

/// RFC 9113 §3.4: the preface of a client, with empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn only_http2_is_spoken() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    let mut server = server(&authority, &place);
    let pair = authority.pair(CLIENT);
    let grpc = server.meshdns.grpc;
    for version in [&TLS12, &TLS13] {
        let said = answer(grpc, &authority, &pair, &["http/1.1", "h2"], version, PREFACE).unwrap();
        // Type 4 of a frame: SETTINGS.
        assert_eq!(said[3], 4, "{said:?}");
        let error = answer(grpc, &authority, &pair, &["http/1.1"], version, PREFACE).unwrap_err();
        assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
        // Nothing agreed on: closed with a farewell, unanswered.
        assert_eq!(answer(grpc, &authority, &pair, &[], version, PREFACE).unwrap(), b"");
    }
    server.wait_for_handshakes("no_h2", 4);
    server.meshdns.wait_for_log("it does not offer HTTP/2");
}

/// What it sends on top of that would reset the connection, if we closed on it, and take the reason along.
#[test]
fn a_client_that_is_refused_hears_why() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    let server = server(&authority, &place);
    let says = [PREFACE, &[0; 1 << 16]].concat();
    for version in [&TLS12, &TLS13] {
        for (pair, alert) in [
            (authority.expired_pair(CLIENT), "CertificateExpired"),
            (authority.pair("other.svc"), "AccessDenied"),
            (Authority::new("theirs").pair(CLIENT), "UnknownCA"),
        ] {
            for _ in 0..5 {
                let said = answer(server.meshdns.grpc, &authority, &pair, &["h2"], version, &says);
                let error = said.unwrap_err().to_string();
                assert!(error.contains(alert), "{error}");
            }
        }
    }
}

#[test]
fn admin_pages_are_on_no_other_port() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    let server = server(&authority, &place);
    let pair = authority.pair(CLIENT);
    for path in ["/readyz", "/metrics", "/records", "/explain?name=a.load.internal"] {
        for port in [server.meshdns.grpc, server.meshdns.dns] {
            let said = page(port, path);
            assert!(!said.starts_with("200") && !said.contains("meshdns"), "{said}");
        }
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let said = answer(server.meshdns.grpc, &authority, &pair, &["h2"], &TLS13, request.as_bytes());
        let said = said.map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default();
        assert!(!said.contains("200") && !said.contains("meshdns"), "{said}");
    }
}

#[test]
fn silent_peers_keep_nobody_out() {
    let (authority, place) = (Authority::new("ours"), Place::cert_manager());
    let mut server = server(&authority, &place);
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], 0));
    let silent: Vec<Socket> = (0..MANY)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.bind(&elsewhere.into()).unwrap();
            socket.connect(&server.meshdns.grpc.into()).unwrap();
            socket
        })
        .collect();
    server.wait_for_handshakes("too_many", 6);
    assert_eq!(server.meshdns.metrics().sample("meshdns_tls_handshakes_under_way"), 64);
    let front = Front::start(&server, &authority.pair(CLIENT), &authority.pem);
    assert_eq!(data(&dig(front.dns, ["a.load.internal", "A"]).answer), ["10.20.30.50"]);
    // They have ten seconds.
    server.wait_for_handshakes("timed_out", 64);
    assert_eq!(server.meshdns.metrics().sample("meshdns_tls_handshakes_under_way"), 0);
    drop(silent);
}
