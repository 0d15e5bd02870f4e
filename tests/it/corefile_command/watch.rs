//! `--watch`: what is declared later is answered through a CoreDNS that nobody restarts.

use std::path::Path;
use std::process::Command;

use crate::commands::{command, path};
use crate::support::coredns::executable;
use crate::support::dig::{data, dig};
use crate::support::process::{Meshdns, Process, free_address, written};

/// An entry with one host.
fn entry(name: &str, host: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: {name}, namespace: mesh}}\nspec:\n  \
         hosts: [\"{host}\"]\n  addresses: [10.20.30.40]\n  resolution: STATIC\n  ports: [{{name: tcp, number: 1, protocol: TCP}}]\n"
    )
}

/// CoreDNS resets connections while it reloads, so nobody asks it before it is through with that.
fn reloaded(coredns: &mut Process, times: usize) {
    coredns.wait_until("a reload", |printed| {
        printed.iter().filter(|line| line.ends_with("Reloading complete")).count() >= times
    });
}

fn follows(ask_the_server: bool) {
    let manifests = written("first.yaml", &entry("first", "first.example.com")).parent().unwrap().to_owned();
    let settings = format!("zones: [cluster.local]\nsources:\n  manifests: ['{}']\n", manifests.display());
    let meshdns = Meshdns::start(&settings);
    let config = written("meshdns.yaml", &settings);

    let dns = free_address();
    let reload = "    bind 127.0.0.1\n    reload 2s 1s\n    forward . 127.0.0.1:9\n";
    let main = written("Corefile", &format!(".:{} {{\n{reload}}}\nimport custom/*.server\n", dns.port()));
    let custom = main.with_file_name("custom");
    std::fs::create_dir(&custom).unwrap();
    let file = custom.join("meshdns.server");
    let at = meshdns.grpc.to_string();
    let running = format!("http://{}", meshdns.admin);
    // The port and the address are those of a Corefile that is there.
    let there = written("Corefile", &format!(".:{} {{\n    bind 127.0.0.1\n}}\n", dns.port()));
    let mut watch = command();
    watch.args(["corefile", "--config", path(&config), "--watch", path(&file), "--meshdns-at", &at]);
    watch.args(["--corefile", path(&there)]);
    if ask_the_server {
        watch.args(["--server", &running]);
    }
    let mut watch = Process::start(&mut watch);
    watch.wait_until("written", |printed| {
        printed.iter().any(|line| line.ends_with("whenever what is declared changes"))
    });
    let mut coredns = Process::start(Command::new(executable()).arg("-conf").arg(&main));
    coredns.wait_for_line("CoreDNS-");

    let is_answered = |name: &str| data(&dig(dns, [name, "A", "+tcp"]).answer) == ["10.20.30.40"];
    assert!(is_answered("first.example.com"));
    assert!(!is_answered("any.second.example.org"));
    let put = |name: &str, text: &str| std::fs::write(manifests.join(name), text).unwrap();
    put("second.yaml", &entry("second", "*.second.example.org"));
    reloaded(&mut coredns, 1);
    assert!(is_answered("any.second.example.org"));
    assert!(is_answered("first.example.com"));
    std::fs::remove_file(manifests.join("second.yaml")).unwrap();
    reloaded(&mut coredns, 2);
    assert!(!is_answered("any.second.example.org"));
    assert!(is_answered("first.example.com"));
    let left: Vec<_> = std::fs::read_dir(&custom).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["meshdns.server"]);
}

#[test]
fn hosts_of_new_manifests_come_through() {
    follows(false);
}

#[test]
fn hosts_of_a_running_server_come_through() {
    follows(true);
}

/// What is there stays while the server is away, and is somebody else's once somebody else has written it.
#[test]
fn the_last_good_file_stays() {
    let mut meshdns = Meshdns::start(&format!(
        "zones: [cluster.local]\nsources:\n  manifests: ['{}']\n",
        written("first.yaml", &entry("first", "first.example.com")).display()
    ));
    let config = written("meshdns.yaml", "zones: [cluster.local]\n");
    let file = config.with_file_name("meshdns.server");
    let running = format!("http://{}", meshdns.admin);
    let mut watch = command();
    watch.args(["corefile", "--config", path(&config), "--watch", path(&file), "--server", &running]);
    let mut watch = Process::start(&mut watch);
    watch.wait_until("written", |printed| {
        printed.iter().any(|line| line.ends_with("whenever what is declared changes"))
    });
    let text = |file: &Path| std::fs::read_to_string(file).unwrap();
    let good = text(&file);
    assert!(good.contains("first.example.com:53 {"), "{good}");
    meshdns.signal("TERM");
    meshdns.wait_for_end();
    watch.wait_until("trouble", |printed| printed.iter().any(|line| line.ends_with("stays as it is")));
    assert_eq!(text(&file), good);
}

/// What a broken manifest gave before is answered by the server, so it stays in the file too.
#[test]
fn a_broken_manifest_takes_no_host_away() {
    let manifests = written("first.yaml", &entry("first", "first.example.com")).parent().unwrap().to_owned();
    let config = written(
        "meshdns.yaml",
        &format!("zones: [cluster.local]\nsources:\n  manifests: ['{}']\n", manifests.display()),
    );
    let file = config.with_file_name("meshdns.server");
    let mut watch = command();
    watch.args(["corefile", "--config", path(&config), "--watch", path(&file)]);
    let mut watch = Process::start(&mut watch);
    watch.wait_until("written", |printed| {
        printed.iter().any(|line| line.ends_with("whenever what is declared changes"))
    });
    std::fs::write(manifests.join("first.yaml"), "kind: ServiceEntry\nspec: {hosts: [").unwrap();
    std::fs::write(manifests.join("second.yaml"), entry("second", "second.example.org")).unwrap();
    watch.wait_until("the defect", |printed| printed.iter().any(|line| line.contains("first.yaml")));
    watch.wait_until("the second host", |_| {
        std::fs::read_to_string(&file).unwrap().contains("second.example.org:53")
    });
    assert!(std::fs::read_to_string(&file).unwrap().contains("first.example.com:53"));
    // What somebody else has put there is left alone.
    std::fs::write(&file, "mine {\n}\n").unwrap();
    std::fs::write(manifests.join("third.yaml"), entry("third", "third.example.net")).unwrap();
    watch.wait_until("trouble", |printed| printed.iter().any(|line| line.ends_with("stays as it is")));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine {\n}\n");
    std::fs::remove_file(&file).unwrap();
    watch.wait_until("the third host", |_| {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("third.example.net:53"))
    });
}
