//! Peers that say nothing: dead ones are noticed, quiet ones are left in peace.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use meshdns::source::istiod::{IstiodSettings, Limits, Link};
use meshdns::telemetry::metrics::TableAge;
use tokio::io::copy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::peer::Peer;
use super::source::{Running, settings, within};

const PING: Duration = Duration::from_millis(100);

fn pinging(address: SocketAddr) -> IstiodSettings {
    let limits = Limits { ping_every: PING, ping_within: PING, ..settings(address).limits };
    IstiodSettings { limits, ..settings(address) }
}

/// A relay to `to` that passes nothing on once it is told to hold, and keeps its connections open.
async fn relay(to: SocketAddr) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (hold, held) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(to).await.unwrap().into_split();
            let mut held = held.clone();
            tokio::spawn(async move {
                tokio::select! {
                    _ = copy(&mut from_client, &mut to_server) => return,
                    _ = copy(&mut from_server, &mut to_client) => return,
                    _ = held.wait_for(|held| *held) => {}
                }
                // The halves live on.
                std::future::pending::<()>().await;
            });
        }
    });
    (address, hold)
}

#[tokio::test]
async fn a_peer_that_takes_connections_and_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut source = Running::start(pinging(address));
    let first = within(listener.accept()).await.unwrap();
    let cause = source.failure().await;
    assert_eq!(cause, format!("istiod at {address} gave no sign of life for 0.2 s"));
    let second = within(listener.accept()).await.unwrap();
    drop((first, second));
}

#[tokio::test]
async fn a_peer_that_has_nothing_new_to_say_is_left_in_peace() {
    let mut peer = Peer::start().await;
    let mut source = Running::start(pinging(peer.address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1")]).await;
    source.update().await;
    sleep(20 * PING).await;
    let status = source.now();
    assert_eq!((status.link.clone(), status.reconnects), (Link::Up, 0));
    assert_eq!(status.figures().age, TableAge::Current);
    stream.accepted_table("2", &[("a.internal", "10.0.0.2")]).await;
    assert_eq!(source.update().await, ["+ a.internal 10.0.0.2"]);
}

#[tokio::test]
async fn a_peer_that_dies_without_a_word_is_noticed_and_its_table_stays() {
    let mut peer = Peer::start().await;
    let (address, hold) = relay(peer.address).await;
    let mut source = Running::start(pinging(address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1")]).await;
    source.update().await;
    source.until(|status| status.current).await;
    hold.send_replace(true);
    let cause = source.failure().await;
    assert!(cause.contains("no sign of life"), "{cause}");
    let status = source.now();
    assert!(status.table.is_some() && !source.has_update());
    let TableAge::Since(at) = status.figures().age else { panic!("{status:?}") };
    assert!(at <= SystemTime::now() - PING, "it may have been dead before that was noticed");

    hold.send_replace(false);
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("2", &[("b.internal", "10.0.0.2")]).await;
    assert_eq!(source.update().await, ["- a.internal", "+ b.internal 10.0.0.2"]);
    assert_eq!(source.until(|status| status.current).await.figures().age, TableAge::Current);
}

#[tokio::test]
async fn a_connection_that_is_too_old_is_replaced_in_order() {
    let mut peer = Peer::start().await;
    let address = peer.address;
    let mut source = Running::start(pinging(address));
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1")]).await;
    source.update().await;
    peer.go(vec![stream]).await;
    let cause = source.failure().await;
    assert!(cause.contains("ended the stream") || cause.contains("cannot be connected to"), "{cause}");
    let mut peer = Peer::start_at(address, None).await;
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("2", &[("a.internal", "10.0.0.1")]).await;
    source.until(|status| status.current).await;
    assert!(!source.has_update(), "nothing changed");
}
