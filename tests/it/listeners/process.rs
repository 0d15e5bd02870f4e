//! The server as a process: what signals do to it.
//!
//! The process is this very test program, told to run one test that serves until it is stopped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use meshdns::run::run;
use meshdns::telemetry::log;

use super::server::{parts, settings};

const SERVER: &str = "listeners::process::serves_until_stopped";

#[test]
#[ignore = "runs only as a process of its own"]
fn serves_until_stopped() {
    log::start("info").unwrap();
    log::end_process_on_panic();
    run(settings(), parts()).unwrap();
}

#[test]
#[ignore = "runs only as a process of its own"]
fn serves_beside_a_panic() {
    log::start("info").unwrap();
    log::end_process_on_panic();
    let mut parts = parts();
    let future = Box::pin(async { panic!("of the test") });
    parts.tasks.push(meshdns::run::Task { name: "manifests", future });
    run(settings(), parts).unwrap();
}

fn start(test: &str) -> (Child, BufReader<ChildStderr>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap());
    (child, lines)
}

/// Reads until a line that has this in it.
fn wait_for(lines: &mut impl BufRead, part: &str) {
    let mut line = String::new();
    while !line.contains(part) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the process ended before {part}");
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn both_signals_end_the_process_well() {
    for name in ["TERM", "INT"] {
        let (mut child, mut lines) = start(SERVER);
        wait_for(&mut lines, r#""listener":"admin""#);
        // Signals are ours before anything is bound.
        signal(&child, name);
        wait_for(&mut lines, r#""message":"stopped""#);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_panic_is_logged_and_ends_the_process() {
    let (mut child, mut lines) = start("listeners::process::serves_beside_a_panic");
    let mut text = String::new();
    lines.read_to_string(&mut text).unwrap();
    assert!(text.contains(r#""message":"panicked""#) || text.contains("panicked"), "{text}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
