//! Collectors that are away, come, go, do not read, or say what they should not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::collector::{Collector, meshdns, socket};
use crate::support::dig::dig;
use crate::support::process::{Meshdns, free_address};

const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";

/// A control frame with this type and these fields.
fn control(kind: u32, fields: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, 0, 0, 0];
    frame.extend_from_slice(&(4 + u32::try_from(fields.len()).unwrap()).to_be_bytes());
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(fields);
    frame
}

/// ACCEPT of this content type.
fn accept(content_type: &[u8]) -> Vec<u8> {
    let mut field = 1_u32.to_be_bytes().to_vec();
    field.extend_from_slice(&u32::try_from(content_type.len()).unwrap().to_be_bytes());
    field.extend_from_slice(content_type);
    control(1, &field)
}

/// A collector that says `words` to whoever comes, and then does with the connection what `then` does.
fn saying(words: Vec<u8>, then: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Whoever is hung up on early cannot be told.
            let _ = stream.write_all(&words);
            then(stream);
        }
    });
    address
}

fn is_answered(server: &Meshdns) {
    assert_eq!(dig(server.dns, ["web.shop.svc.cluster.local", "A"]).status, "NOERROR");
}

#[test]
fn a_collector_that_is_away_costs_messages_and_no_answer_and_may_come_and_go() {
    let socket = socket();
    let mut server = meshdns(&format!("unix://{}", socket.display()), "");
    server.wait_for_log("dnstap collector is away: messages are dropped");
    is_answered(&server);
    // What is in the queue when it comes is not too late.
    let collector = Collector::at(&socket);
    server.wait_until("sent", |metrics| metrics.sample("meshdns_dnstap_messages_total") == 2);
    collector.kill();
    // Noticed without anything being sent.
    server.wait_until("gone", |metrics| metrics.sample("meshdns_dnstap_connected") == 0);
    assert_eq!(server.logged("dnstap collector is away"), 2);
    is_answered(&server);
    std::fs::remove_file(&socket).unwrap();
    let collector = Collector::at(&socket);
    server.wait_until("back", |metrics| metrics.sample("meshdns_dnstap_messages_total") == 4);
    let read = collector.read(&[]);
    assert_eq!(read.lines().filter(|line| line.contains(" AQ ")).count(), 1, "{read}");
}

#[test]
fn collectors_that_say_what_they_should_not_are_named_and_cost_no_answer() {
    let mut too_long = vec![0, 0, 0, 0];
    too_long.extend_from_slice(&4096_u32.to_be_bytes());
    for (words, told) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "it says something that is no control frame"),
        (too_long, "it says a control frame of 4096 octets"),
        (control(9, &[]), "it says a control frame of the unknown type 9"),
        (
            control(1, &[0, 0, 0, 1, 0, 0, 1, 0, b'x']),
            "it says a control frame whose fields do not fit into it",
        ),
        (accept(b"text/plain"), "it does not take dnstap"),
        (control(5, &[]), "it says Finish, which does not belong there"),
        ([accept(CONTENT_TYPE), control(4, &[])].concat(), "it says Ready, which does not belong there"),
    ] {
        let address = saying(words, |mut stream| drop(stream.read_to_end(&mut Vec::new())));
        let mut server = meshdns(&format!("tcp://{address}"), "");
        server.wait_for_log("dnstap collector is away: messages are dropped");
        let line = server.log_lines("dnstap collector is away").remove(0);
        assert!(line.contains(told) && line.contains(&format!("\"endpoint\":\"tcp://{address}\"")), "{line}");
        is_answered(&server);
    }
}

#[test]
fn a_collector_that_hangs_up_is_named() {
    let address = saying(Vec::new(), drop);
    let mut server = meshdns(&format!("tcp://{address}"), "");
    server.wait_for_log("dnstap collector is away: messages are dropped");
    is_answered(&server);
}

#[test]
fn a_collector_that_does_not_answer_is_given_up() {
    let address = saying(Vec::new(), |mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let mut server = meshdns(&format!("tcp://{address}"), "");
    server.wait_for_log("it has not answered within 5 s");
    is_answered(&server);
    // And it does not keep the server from stopping.
    server.signal("TERM");
    assert!(server.wait_for_end().success());
}

#[test]
fn messages_go_over_tcp_too_and_by_the_share_that_is_asked_for() {
    let address = free_address();
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let collector = Collector::listening(&["-a", &ip, "-p", &port]);
    let mut server = meshdns(&format!("tcp://{address}"), ", ratio: 0.5");
    server.wait_until("connected", |metrics| metrics.sample("meshdns_dnstap_connected") == 1);
    for _ in 0..40 {
        is_answered(&server);
    }
    server.signal("TERM");
    assert!(server.wait_for_end().success());
    let read = collector.read(&[]);
    let (queries, replies): (Vec<&str>, Vec<&str>) = read.lines().partition(|line| line.contains(" AQ "));
    // Every worker takes every other one.
    assert!((18..=22).contains(&queries.len()) && queries.len() == replies.len(), "{read}");
}
