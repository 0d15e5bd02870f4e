//! Answers that may be wrong by now, as clients get them.

use std::sync::Arc;

use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use meshdns::catalog::{Catalog, StaleFrom, Staleness};
use meshdns::report::{Question, explain, text};
use meshdns::serve::DnsPacket;
use tokio::net::UdpSocket;

use super::packet::{query, read};
use super::server::{Server, WEB, WEB_ADDRESS, alias, parts, settings, within};

const TEXT: &str = "Kubernetes API unreachable, snapshot of 2026-11-21T12:00:00Z";
const MISSING: &str = "nope.shop.svc.cluster.local.";

fn with_edns(name: &str) -> Vec<u8> {
    let mut message = Message::from_vec(&query(1, name)).unwrap();
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.set_edns(edns);
    message.to_vec().unwrap()
}

/// The Extended DNS Error of a reply.
fn error(reply: &[u8]) -> Option<(u16, String)> {
    let message = Message::from_vec(reply).unwrap();
    let EdnsOption::Unknown(15, data) = message.edns?.option(EdnsCode::from(15))?.clone() else {
        return None;
    };
    Some((u16::from_be_bytes([data[0], data[1]]), String::from_utf8(data[2..].to_vec()).unwrap()))
}

/// A server, its catalog, and how to ask it over both.
struct Asked {
    server: Server,
    catalog: Arc<Catalog>,
    udp: UdpSocket,
}

impl Asked {
    async fn start() -> Self {
        let parts = parts();
        let catalog = Arc::clone(&parts.catalog);
        parts.metrics.stale().watch(Arc::clone(&catalog));
        let server = Server::with(settings(), parts).await;
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        udp.connect(server.dns()).await.unwrap();
        Self { server, catalog, udp }
    }

    /// The reply over UDP and over gRPC.
    async fn ask(&self, packet: Vec<u8>) -> [Vec<u8>; 2] {
        self.udp.send(&packet).await.unwrap();
        let mut octets = vec![0; 2048];
        let length = within(self.udp.recv(&mut octets)).await.unwrap();
        octets.truncate(length);
        let mut client = self.server.client().await;
        let reply = within(client.query(DnsPacket { msg: packet })).await.unwrap().into_inner();
        [octets, reply.msg]
    }

    fn metric(&self, name: &str) -> u64 {
        let text = self.server.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name}\n{text}")).parse().unwrap()
    }
}

#[tokio::test]
async fn clients_that_can_read_it_are_told_that_an_answer_is_stale() {
    let asked = Asked::start().await;
    for reply in asked.ask(with_edns(WEB)).await {
        assert_eq!(error(&reply), None, "nothing is stale yet");
    }
    assert_eq!((asked.metric("meshdns_stale"), asked.metric("meshdns_stale_answers_total")), (0, 0));

    let staleness = Staleness { since: 1_795_262_400, from: StaleFrom::Snapshot };
    asked.catalog.staleness().set(Some(staleness));
    for reply in asked.ask(with_edns(WEB)).await {
        assert_eq!(read(&reply).answer, [WEB_ADDRESS]);
        assert_eq!(error(&reply), Some((3, TEXT.to_owned())));
    }
    for reply in asked.ask(with_edns(MISSING)).await {
        assert_eq!(read(&reply).rcode, ResponseCode::NXDomain);
        assert_eq!(error(&reply), Some((19, TEXT.to_owned())));
    }
    for reply in asked.ask(with_edns(&alias(0))).await {
        assert_eq!(error(&reply), Some((3, TEXT.to_owned())), "an alias of ours that leads elsewhere");
    }
    for reply in asked.ask(query(1, WEB)).await {
        assert_eq!(read(&reply).answer, [WEB_ADDRESS]);
        assert!(Message::from_vec(&reply).unwrap().edns.is_none(), "not without being asked in EDNS");
    }
    for reply in asked.ask(with_edns("elsewhere.example.")).await {
        assert_eq!((read(&reply).rcode, error(&reply)), (ResponseCode::Refused, None));
    }
    assert_eq!((asked.metric("meshdns_stale"), asked.metric("meshdns_stale_answers_total")), (1, 8));

    asked.catalog.staleness().set(None);
    for reply in asked.ask(with_edns(WEB)).await {
        assert_eq!(error(&reply), None, "it was caught up with");
    }
    assert_eq!((asked.metric("meshdns_stale"), asked.metric("meshdns_stale_answers_total")), (0, 8));
    asked.server.stop().await.unwrap();
}

#[test]
fn explain_says_it_in_text_and_json() {
    let catalog = parts().catalog;
    let explained = |name: &str| explain(&catalog, &[], &Question::parse(name, None).unwrap());
    assert_eq!(explained(WEB).stale, None);
    let staleness = Staleness { since: 1_795_262_400, from: StaleFrom::Snapshot };
    catalog.staleness().set(Some(staleness));
    for name in [WEB, MISSING] {
        let found = explained(name);
        let (first, steps) =
            text(&found).split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(first.ends_with(&format!("; stale: {TEXT}")), "{first}");
        assert!(steps.contains(&format!("\nstale    {TEXT}\n")), "{steps}");
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["stale"], serde_json::json!({ "since": 1_795_262_400, "text": TEXT }));
    }
    assert_eq!(explained("elsewhere.example").stale, None, "it is not ours");
    assert_eq!(catalog.staleness().answers(), 0, "looking is not answering");
}
