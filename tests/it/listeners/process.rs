//! The server as a process: what signals and panics do to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use meshdns::run::{Task, run};
use meshdns::telemetry::log;

use super::packet::{query, read};
use super::server::{parts, settings};

/// Says that this process is the one that is to panic.
const PANICS: &str = "MESHDNS_TEST_PANICS";

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("meshdns-process-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The built command on free ports, with one service in its manifests.
fn start(scratch: &Scratch) -> Child {
    let manifest = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.0.0.1}}";
    std::fs::write(scratch.0.join("web.yaml"), manifest).unwrap();
    Command::new(env!("CARGO_BIN_EXE_meshdns"))
        .args(["serve", "--zone", "cluster.local", "--grpc-listen", "127.0.0.1:0"])
        .args(["--dns-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--manifests"])
        .arg(&scratch.0)
        .arg("--ports-file")
        .arg(scratch.0.join("ports"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads until a line that has this in it.
fn wait_for(lines: &mut impl BufRead, part: &str) {
    let mut line = String::new();
    while !line.contains(part) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the process ended before {part}");
    }
}

/// The address that a log line gives.
fn told(lines: &mut impl BufRead, listener: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the process ended early");
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        if event["listener"] == listener {
            return event["address"].as_str().unwrap().to_owned();
        }
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn both_signals_end_the_process_well() {
    for name in ["TERM", "INT"] {
        let scratch = Scratch::new(name);
        let mut child = start(&scratch);
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        wait_for(&mut lines, r#""listener":"admin""#);
        signal(&child, name);
        wait_for(&mut lines, r#""message":"stopped""#);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let scratch = Scratch::new("twice");
    let mut child = start(&scratch);
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let address = told(&mut lines, "grpc");
    // A connection whose client answers no ping holds up the end.
    let mut mute = std::net::TcpStream::connect(address).unwrap();
    mute.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    mute.read_exact(&mut [0; 9]).unwrap();
    signal(&child, "TERM");
    wait_for(&mut lines, r#""message":"stopping""#);
    signal(&child, "TERM");
    wait_for(&mut lines, r#""message":"ended by a second signal""#);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn the_ports_file_says_where_to_ask() {
    let scratch = Scratch::new("ports");
    let mut child = start(&scratch);
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    // The file is written after these lines and before anything is served.
    wait_for(&mut lines, r#""listener":"admin""#);
    let ports = scratch.0.join("ports");
    while !ports.exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(&ports).unwrap()).unwrap();
    assert_eq!(ports["grpc"].as_array().unwrap().len(), 1);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(ports["dns"][0].as_str().unwrap()).unwrap();
    socket.set_read_timeout(Some(super::server::PATIENCE)).unwrap();
    let mut buffer = [0; 4096];
    loop {
        socket.send(&query(1, super::server::WEB)).unwrap();
        let length = socket.recv(&mut buffer).unwrap();
        // SERVFAIL until the manifests are read.
        let said = read(&buffer[..length]);
        if said.answer == [super::server::WEB_ADDRESS] {
            break;
        }
        assert_eq!(said.rcode, hickory_proto::op::ResponseCode::ServFail);
    }
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
}

/// Runs as a process of its own: this test program, started by the next test.
#[test]
#[ignore = "part of the test of panics"]
fn serves_beside_a_panic() {
    if std::env::var_os(PANICS).is_none() {
        return;
    }
    log::start("info", log::Format::Auto).unwrap();
    log::end_process_on_panic();
    let mut parts = parts();
    let future = Box::pin(async { panic!("of the test") });
    parts.tasks.push(Task { name: "manifests", future });
    run(settings(), parts).unwrap();
}

#[test]
fn a_panic_is_logged_and_ends_the_process() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "listeners::process::serves_beside_a_panic", "--ignored", "--nocapture"])
        .env(PANICS, "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains(r#""message":"panicked"#) && text.contains("of the test"), "{text}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
