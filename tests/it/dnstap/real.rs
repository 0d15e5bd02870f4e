//! What a real collector has in the end, as BIND's reader prints it.

use super::collector::{Collector, meshdns, socket};
use crate::support::coredns::CoreDns;
use crate::support::dig::dig;
use crate::support::process::free_address;

/// A message: what its keys say, and the question in it.
struct Message<'t>(&'t str);

impl Message<'_> {
    /// What stands behind this key, at whatever depth.
    fn key(&self, key: &str) -> Option<&str> {
        let value = |line: &str| {
            let (found, value) = line.trim().split_once(": ")?;
            (found == key).then(|| value.trim_matches('"').to_owned())
        };
        let line = self.0.lines().find(|line| value(line).is_some())?;
        line.split_once(": ").map(|(_, value)| value.trim_matches('"'))
    }

    fn asks(&self, question: &str) -> bool {
        self.0.contains(&format!("- '{question}'"))
    }
}

#[test]
fn queries_and_replies_are_read_back() {
    let socket = socket();
    let collector = Collector::at(&socket);
    let mut server = meshdns(&format!("unix://{}", socket.display()), ", identity: ns1.example");
    server.wait_until("connected", |metrics| metrics.sample("meshdns_dnstap_connected") == 1);
    dig(server.dns, ["WEB.shop.svc.cluster.local", "A", "+nsid"]);
    dig(server.dns, ["+tcp", "www.example.org", "AAAA"]);
    let dns = free_address();
    let (port, grpc) = (dns.port(), server.grpc);
    let _coredns = CoreDns::start(&format!(".:{port} {{\n    bind 127.0.0.1\n    grpc . {grpc}\n}}\n"));
    dig(dns, ["none.shop.svc.cluster.local", "A"]);
    // At once: what is on its way is not lost.
    server.signal("TERM");
    assert!(server.wait_for_end().success());
    let text = collector.read(&["-y"]);
    let messages: Vec<Message<'_>> =
        text.split("---\n").filter(|part| part.contains("type: AUTH_")).map(Message).collect();
    assert_eq!(messages.len(), 6, "{text}");
    for (question, protocol, status, answers) in [
        ("WEB.shop.svc.cluster.local. IN A", "UDP", "NOERROR", "1"),
        ("www.example.org. IN AAAA", "TCP", "REFUSED", "0"),
        ("none.shop.svc.cluster.local. IN A", "TCP", "NXDOMAIN", "0"),
    ] {
        let found: Vec<_> = messages.iter().filter(|message| message.asks(question)).collect();
        let [query, reply] = found.as_slice() else { panic!("{question}:\n{text}") };
        let both = [query, reply].map(|message| {
            let keys =
                ["identity", "version", "socket_family", "socket_protocol", "query_address", "query_port"];
            keys.map(|key| message.key(key).unwrap().to_owned())
        });
        assert_eq!(both[0], both[1]);
        assert_eq!(both[0][..4], ["ns1.example", "meshdns 0.1.0", "INET", protocol]);
        assert_eq!(query.0.matches("  type: AUTH_QUERY").count(), 1, "{text}");
        assert_eq!(reply.0.matches("  type: AUTH_RESPONSE").count(), 1, "{text}");
        assert!(query.key("query_time").is_some() && reply.key("response_time").is_some());
        assert_eq!((reply.key("status"), reply.key("ANSWER")), (Some(status), Some(answers)));
    }
    // As it was on the wire, options included.
    assert!(messages[0].0.contains("NSID"), "{text}");
}

#[test]
fn messages_have_the_id_that_the_query_has_in_the_log() {
    let socket = socket();
    let collector = Collector::at(&socket);
    let mut server = meshdns(&format!("unix://{}", socket.display()), "");
    server.wait_until("connected", |metrics| metrics.sample("meshdns_dnstap_connected") == 1);
    dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    server.wait_for_log("\"message\":\"query\"");
    let line = server.log_lines("\"message\":\"query\"").remove(0);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    server.signal("TERM");
    assert!(server.wait_for_end().success());
    // BIND's reader leaves `extra` out.
    let octets = collector.octets();
    let id = line["query"].as_str().unwrap().as_bytes();
    let count = octets.windows(id.len()).filter(|window| *window == id).count();
    assert_eq!(count, 2, "{line}");
    // The machine's name stands in for an identity.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(octets.windows(host.trim().len()).any(|window| window == host.trim().as_bytes()));
}
