//! Admin HTTP, asked as a probe asks.

use std::net::SocketAddr;

use axum::routing::get;
use meshdns::config::Inspect;
use meshdns::run::RunSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::server::{Server, parts, settings, within};

/// The status and the body of a page.
async fn page(server: SocketAddr, path: &str) -> (u16, String) {
    page_from([127, 0, 0, 1], server, path).await
}

/// The same for a client at this address.
async fn page_from(client: [u8; 4], server: SocketAddr, path: &str) -> (u16, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((client, 0))).unwrap();
    let mut stream = socket.connect(server).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    within(stream.read_to_string(&mut text)).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn readiness_lists_what_is_missing() {
    let parts = parts();
    let (manifests, ledger) = (parts.readiness.handle("manifests"), parts.readiness.handle("ledger"));
    let server = Server::with(settings(), parts).await;
    let admin = server.admin();
    assert_eq!(page(admin, "/livez").await, (200, "ok\n".into()));
    assert_eq!(page(admin, "/readyz").await, (503, "ledger\nmanifests\n".into()));
    manifests.release();
    assert_eq!(page(admin, "/readyz").await, (503, "ledger\n".into()));
    ledger.release();
    assert_eq!(page(admin, "/readyz").await, (200, "ok\n".into()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn pages_with_names_are_for_this_machine_unless_they_are_to_be_seen() {
    for (inspect, seen) in [(Inspect::Local, false), (Inspect::Anywhere, true)] {
        let mut parts = parts();
        parts.pages = axum::Router::new().route("/records", get(|| async { "all of them" }));
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let server =
            Server::with(RunSettings { inspect, admin: Some(everywhere), ..settings() }, parts).await;
        let local = SocketAddr::from(([127, 0, 0, 1], server.admin().port()));
        assert_eq!(page(local, "/records").await, (200, "all of them".into()));
        // As what comes through a sidecar.
        let (status, body) = page_from([127, 0, 0, 6], local, "/records").await;
        assert_eq!(status == 200, seen, "{status} {body}");
        assert_eq!(status == 403 && body.contains("listen.inspect"), !seen, "{status} {body}");
        for path in ["/livez", "/readyz", "/metrics", "/version"] {
            assert_eq!(page_from([127, 0, 0, 6], local, path).await.0, 200, "{path}");
        }
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn metrics_are_shown_from_the_beginning() {
    let server = Server::start(settings()).await;
    server.metrics.sources().set_reloads(3);
    let (status, text) = page(server.admin(), "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        r#"meshdns_queries_total{listener="grpc",zone="none",type="other",rcode="status",source="none"} 0"#,
        r#"meshdns_query_duration_seconds_count{listener="udp",chased="false"} 0"#,
        "meshdns_connections{listener=\"admin\"} 1",
        "meshdns_build_info{version=",
        "meshdns_reloads_total 3",
        "meshdns_defects 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn pages_of_others_are_mounted_beside_ours() {
    let mut parts = parts();
    parts.pages = axum::Router::new().route("/records", get(|| async { "all of them" }));
    let server = Server::with(settings(), parts).await;
    assert_eq!(page(server.admin(), "/records").await, (200, "all of them".into()));
    let (status, version) = page(server.admin(), "/version").await;
    assert_eq!(status, 200);
    assert!(version.contains(r#""name":"meshdns""#), "{version}");
    assert_eq!(page(server.admin(), "/nothing").await.0, 404);
    server.stop().await.unwrap();
}
