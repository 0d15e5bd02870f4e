//! Peers that send what they should not, and restart when they like.

use std::time::Duration;

use meshdns::source::istiod::proto::{Any, LISTENER, NAME_TABLE};
use meshdns::source::istiod::{IstiodError, Limits, Link, Subscriptions, fetch};
use meshdns::telemetry::metrics::TableAge;
use prost_types::value::Kind;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tonic::Status;

use super::peer::{Peer, table};
use super::source::{Running, settings, within};

#[tokio::test]
async fn the_first_table_is_everything_and_later_ones_are_what_changed() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    let first = stream.request().await;
    let node = first.node.unwrap();
    assert_eq!(node.id, "sidecar~192.0.2.1~meshdns.default~default.svc.cluster.local");
    let captures = &node.metadata.unwrap().fields["DNS_CAPTURE"];
    assert_eq!(captures.kind, Some(Kind::StringValue("true".to_owned())));
    assert_eq!((first.type_url.as_str(), first.version_info.as_str()), (NAME_TABLE, ""));
    assert!(source.now().table.is_none() && !stream.metadata.contains_key("authorization"));

    stream.accepted_table("1", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2,fd00::2")]).await;
    assert_eq!(source.update().await, ["= a.internal 10.0.0.1", "= b.internal 10.0.0.2,fd00::2"]);
    // The same again is no update.
    stream.accepted_table("2", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2,fd00::2")]).await;
    stream.accepted_table("3", &[("b.internal", "10.0.0.2,fd00::2"), ("*.c.internal", "10.0.0.3")]).await;
    assert_eq!(source.update().await, ["- a.internal", "+ *.c.internal 10.0.0.3"]);
    stream.accepted_table("4", &[]).await;
    assert_eq!(source.update().await, ["- *.c.internal", "- b.internal"]);
    let status = source.until(|status| status.table.as_ref().is_some_and(|table| table.version == "4")).await;
    assert_eq!((status.link, status.reconnects, status.nacks), (Link::Up, 0, 0));
}

#[tokio::test]
async fn an_empty_table_is_a_table() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[]).await;
    assert!(source.update().await.is_empty());
    assert!(source.until(|status| status.table.is_some()).await.table.unwrap().rows.is_empty());
}

#[tokio::test]
async fn what_does_not_decode_is_refused_and_the_last_table_stays() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1")]).await;
    source.update().await;

    let good = table(&[("b.internal", "10.0.0.2")]);
    let garbage = Any { value: vec![0xff; 64], ..good.clone() };
    let mistyped = Any { type_url: LISTENER.to_owned(), ..good.clone() };
    for (nacks, (resources, cause)) in (1..)
        .zip([(vec![garbage], "resource 0 does not decode"), (vec![good, mistyped], "resource 1 is of type")])
    {
        stream.send(NAME_TABLE, "bad", resources).await;
        let reply = stream.request().await;
        assert_eq!((reply.version_info.as_str(), reply.response_nonce.as_str()), ("1", "nonce of bad"));
        let detail = reply.error_detail.unwrap();
        assert!(detail.code == 3 && detail.message.starts_with(cause), "{detail:?}");
        let status = source.until(|status| status.nacks == nacks).await;
        assert!(status.refused.unwrap().starts_with(cause));
        assert_eq!(status.table.as_ref().unwrap().version, "1");
        assert!(!status.current, "istiod says something else now");
    }

    stream.accepted_table("2", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2")]).await;
    assert_eq!(source.update().await, ["+ b.internal 10.0.0.2"]);
    let status = source.until(|status| status.current).await;
    assert_eq!((status.figures().age, status.reconnects, status.refused), (TableAge::Current, 0, None));
}

#[tokio::test]
async fn bad_rows_are_reported_and_the_others_used() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream
        .accepted_table("1", &[("a..b", "10.0.0.1"), ("b.internal", "x,10.0.0.2"), ("c.internal", "y")])
        .await;
    assert_eq!(source.update().await, ["= b.internal 10.0.0.2"]);
    let status = source.until(|status| status.current).await;
    let report = status.report();
    assert_eq!((report.defects.len(), report.objects.values().sum::<u64>()), (3, 1));
}

#[tokio::test]
async fn several_resources_and_none_at_all() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    let resources = vec![table(&[("a.internal", "10.0.0.1")]), table(&[("b.internal", "10.0.0.2")])];
    stream.send(NAME_TABLE, "1", resources).await;
    assert_eq!(stream.request().await.version_info, "1");
    assert_eq!(source.update().await, ["= a.internal 10.0.0.1", "= b.internal 10.0.0.2"]);
    stream.send(NAME_TABLE, "2", vec![]).await;
    let reply = stream.request().await;
    assert_eq!((reply.version_info.as_str(), reply.error_detail), ("2", None));
    stream.accepted_table("3", &[("a.internal", "10.0.0.1")]).await;
    assert_eq!(source.update().await, ["- b.internal"], "no resource at all said nothing");
}

#[tokio::test]
async fn types_that_nobody_asked_for_are_ignored() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    for type_url in [LISTENER, "type.googleapis.com/made.up", "", LISTENER] {
        stream.send(type_url, "x", vec![table(&[])]).await;
    }
    // The next request is about the table: none of the others got a reply.
    stream.accepted_table("1", &[("a.internal", "10.0.0.1")]).await;
    assert_eq!(source.update().await, ["= a.internal 10.0.0.1"]);
    assert_eq!(source.now().nacks, 0);
}

#[tokio::test]
async fn after_a_restart_only_what_changed_is_told() {
    let mut peer = Peer::start().await;
    let address = peer.address;
    let mut source = Running::start(settings(address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2")]).await;
    source.update().await;
    peer.go(vec![stream]).await;
    let status = source.until(|status| status.reconnects > 2).await;
    assert!(matches!(&status.link, Link::Down(cause) if cause.contains("onnection refused")), "{status:?}");
    assert!(status.table.is_some() && matches!(status.figures().age, TableAge::Since(_)));
    assert!(!source.has_update(), "nothing is withdrawn");

    let mut peer = Peer::start_at(address, None).await;
    let mut stream = peer.stream().await;
    let first = stream.request().await;
    assert!(first.node.is_some() && first.response_nonce.is_empty(), "a new stream begins anew");
    stream.accepted_table("9", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.3")]).await;
    assert_eq!(source.update().await, ["+ b.internal 10.0.0.3"]);
    source.until(|status| status.current && status.link == Link::Up).await;
}

#[tokio::test]
async fn a_table_of_an_earlier_run_is_used_until_istiod_sends_one() {
    let mut peer = Peer::start().await;
    let mut first = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1"), ("b.internal", "10.0.0.2")]).await;
    first.update().await;
    let settings = settings(peer.address);
    let kept = first.until(|status| status.current).await.to_keep(&settings.view()).unwrap();
    assert!(kept.confirmed >= kept.table.received);
    drop((first, stream));

    let mut second = Running::with_kept(settings, Some(kept.clone()));
    assert_eq!(second.update().await, ["= a.internal 10.0.0.1", "= b.internal 10.0.0.2"]);
    let status = second.until(|status| status.table.is_some()).await;
    assert_eq!(status.figures().age, TableAge::Since(kept.confirmed));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("2", &[("a.internal", "10.0.0.1")]).await;
    assert_eq!(second.update().await, ["- b.internal"]);
}

#[tokio::test]
async fn failures_say_what_istiod_said() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[]).await;
    stream.fail(Status::internal("ate\nmy homework")).await;
    let cause = source.failure().await;
    assert!(cause.contains(&peer.address.to_string()) && cause.contains(r"ate\nmy homework"), "{cause}");
    peer.stream().await;
}

#[tokio::test]
async fn octets_that_are_no_http_are_a_failure_with_a_cause() {
    for garbage in [&b"\x00\xff\x17garbage\r\n\r\n".repeat(50)[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b""]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut source = Running::start(settings(listener.local_addr().unwrap()));
        for _ in 0..3 {
            let (mut socket, _) = within(listener.accept()).await.unwrap();
            // It may have hung up on us already.
            let _ = socket.write_all(garbage).await;
        }
        let cause = source.failure().await;
        assert!(cause.contains("broke off: "), "{cause}");
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_a_failure_with_its_limit() {
    let mut peer = Peer::start().await;
    let limits = Limits { message: 1 << 20, ..settings(peer.address).limits };
    let mut source =
        Running::start(meshdns::source::istiod::IstiodSettings { limits, ..settings(peer.address) });
    let mut stream = peer.stream().await;
    stream.request().await;
    let huge = Any { type_url: NAME_TABLE.to_owned(), value: vec![0; 2 << 20] };
    stream.send(NAME_TABLE, "1", vec![huge]).await;
    let cause = source.failure().await;
    assert_eq!(cause, format!("istiod at {} sends more than 1 MiB in one message", peer.address));
}

#[tokio::test]
async fn a_huge_table_is_taken() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(settings(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    let hosts: Vec<(String, String)> = (0..200_000u32)
        .map(|number| {
            (
                format!("host-{number}.some.where.internal"),
                format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255),
            )
        })
        .collect();
    let mut rows: Vec<(&str, &str)> = hosts.iter().map(|(host, ip)| (host.as_str(), ip.as_str())).collect();
    stream.accepted_table("1", &rows).await;
    assert_eq!(source.update().await.len(), 200_000);
    rows[123_456].1 = "10.99.99.99";
    stream.accepted_table("2", &rows).await;
    assert_eq!(source.update().await, ["+ host-123456.some.where.internal 10.99.99.99"]);
}

#[tokio::test]
async fn a_command_fetches_once() {
    let mut peer = Peer::start().await;
    let settings = settings(peer.address);
    let fetching =
        tokio::spawn(
            async move { fetch(&settings, Subscriptions::WithListeners, Duration::from_secs(60)).await },
        );
    let mut stream = peer.stream().await;
    assert_eq!(stream.request().await.type_url, NAME_TABLE);
    assert_eq!(stream.request().await.type_url, LISTENER);
    stream.send(LISTENER, "1", vec![]).await;
    assert_eq!(stream.request().await.version_info, "1");
    stream.table("2", &[("a.internal", "10.0.0.1"), ("a..b", "10.0.0.1")]).await;
    let fetched = within(fetching).await.unwrap().unwrap();
    assert_eq!((fetched.table.rows.len(), fetched.defects.len(), fetched.listeners.len()), (1, 1, 0));
}

#[tokio::test]
async fn a_command_is_told_why_it_gets_nothing() {
    let mut peer = Peer::start().await;
    let address = peer.address;
    let fetching = tokio::spawn(async move {
        fetch(&settings(address), Subscriptions::NameTable, Duration::from_secs(2)).await
    });
    let silent = within(fetching).await.unwrap().unwrap_err();
    assert_eq!(silent.to_string(), format!("istiod at {address} did not answer within 2 s"));
    drop(peer.stream().await);

    let fetching = tokio::spawn(async move {
        fetch(&settings(address), Subscriptions::NameTable, Duration::from_secs(60)).await
    });
    let stream = peer.stream().await;
    stream.send(NAME_TABLE, "1", vec![Any { type_url: "x".to_owned(), value: vec![] }]).await;
    let unusable = within(fetching).await.unwrap().unwrap_err();
    assert!(matches!(unusable, IstiodError::Unusable { .. }), "{unusable}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused =
        fetch(&settings(closed), Subscriptions::NameTable, Duration::from_secs(60)).await.unwrap_err();
    assert!(matches!(refused, IstiodError::Connect { .. }), "{refused}");
    assert!(
        refused.to_string().starts_with(&format!("istiod at {closed} cannot be connected to: ")),
        "{refused}"
    );
}
