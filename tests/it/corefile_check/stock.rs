//! Corefiles as installers and providers ship them: what is suggested for them leads names to meshdns.

use std::path::{Path, PathBuf};

use super::corpus::{ACCEPTED, SENTINEL, folder, is_accepted, real};
use crate::commands::{Ran, command, path, ran};
use crate::support::process::written;

const SETTINGS: &str = "zones: [cluster.local, 10.96.0.0/16]\n";

/// A copy of a Corefile in a directory of its own, with what it imports.
fn copied(name: &str) -> PathBuf {
    let from = folder(&format!("tests/corefiles/{name}.Corefile"));
    let copy = written("Corefile", &std::fs::read_to_string(&from).unwrap());
    if std::fs::read_to_string(&from).unwrap().contains("import custom/") {
        std::fs::create_dir(copy.parent().unwrap().join("custom")).unwrap();
    }
    copy
}

fn check(corefile: &Path, settings: &str, more: &[&str]) -> Ran {
    let config = written("meshdns.yaml", settings);
    let mut command = command();
    command.current_dir(corefile.parent().unwrap());
    ran(command
        .args(["check", "--config", path(&config), "--output", "json", "--corefile", "Corefile"])
        .args(more))
}

/// Puts the server blocks that are suggested where they are said to go; says where that was.
fn mend(corefile: &Path, found: &Ran) -> Vec<String> {
    let mut files = Vec::new();
    for finding in found.json()["corefile"]["findings"].as_array().unwrap() {
        let change = finding["change"].as_str().unwrap();
        let file = change.strip_prefix("a new server block in ").unwrap_or_else(|| panic!("{finding}"));
        let file = file.split(',').next().unwrap();
        let home = corefile.parent().unwrap().join(file);
        let lines = finding["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        let block: String = lines.map(|line| format!("{line}\n")).collect();
        let before = std::fs::read_to_string(&home).unwrap_or_default();
        std::fs::write(&home, before + &block).unwrap();
        files.push(file.to_owned());
    }
    files
}

fn leads(found: &Ran, zone: &str) -> bool {
    let report = found.json();
    let routes = report["corefile"]["routes"].as_array().unwrap();
    let of_zone =
        |route: &&serde_json::Value| route["zones"].as_array().unwrap().iter().any(|known| known == zone);
    let route = routes.iter().find(of_zone).unwrap_or_else(|| panic!("no way of {zone}: {report}"));
    route["leadsToMeshdns"].as_bool().unwrap()
}

#[test]
fn what_is_suggested_for_the_corefile_of_a_cluster_mends_it() {
    for (name, home) in [("kubeadm", "Corefile"), ("eks", "Corefile"), ("aks", "custom/meshdns.server")] {
        let corefile = copied(&format!("good/{name}"));
        let found = check(&corefile, SETTINGS, &[]);
        assert_eq!((found.code, leads(&found, "cluster.local")), (1, false), "{name}");
        assert_eq!(mend(&corefile, &found), [home, home], "{name}");
        let mended = check(&corefile, SETTINGS, &[]);
        assert_eq!(mended.code, 0, "{name}: {}", mended.stdout);
        for zone in ["cluster.local", "10.96.0.0/16"] {
            assert!(leads(&mended, zone), "{name}: {}", mended.stdout);
        }
        let said = real(&corefile, SENTINEL);
        assert!(said.contains(ACCEPTED), "{name}: CoreDNS says\n{said}");
    }
}

/// The node's cache forwards to the cluster's, whose Corefile says the rest.
#[test]
fn what_is_suggested_behind_nodelocal_dnscache_mends_it() {
    let node = copied("good/nodelocaldns");
    let cluster = copied("good/kubeadm");
    let both = ["--corefile", path(&cluster)];
    let alone = check(&node, SETTINGS, &[]);
    let finding = &alone.json()["corefile"]["findings"][0];
    assert_eq!(finding["lines"][0], "--corefile FILE (the Corefile of 10.96.45.17)", "{finding}");

    let found = check(&node, SETTINGS, &both);
    assert_eq!(mend(&node, &found), [path(&cluster), path(&cluster)]);
    let mended = check(&node, SETTINGS, &both);
    assert!(leads(&mended, "cluster.local") && leads(&mended, "10.96.0.0/16"), "{}", mended.stdout);
    assert_eq!(mended.code, 0, "{}", mended.stdout);
    assert!(is_accepted(&cluster));
}

/// node-cache makes server blocks of the stub domains of kube-dns, which ask plain DNS.
#[test]
fn stub_domains_of_kube_dns_are_followed_to_the_plain_listener() {
    let node = copied("good/nodelocaldns-stub-domains");
    let settings = "zones: [internal]\n";
    let found = check(&node, settings, &[]);
    let finding = &found.json()["corefile"]["findings"][0];
    assert!(finding["lines"].as_array().unwrap().contains(&"--meshdns-at 10.96.0.53".into()), "{finding}");
    let told = check(&node, settings, &["--meshdns-at", "10.96.0.53"]);
    assert_eq!(told.code, 0, "{}", told.stdout);
    assert!(leads(&told, "internal"));
}

/// Its ConfigMap has words in it that node-cache replaces, and one that whoever installs it does.
#[test]
fn the_template_of_nodelocal_dnscache_is_read() {
    let template = folder("tests/corefiles/templates/nodelocaldns.Corefile");
    let text = std::fs::read_to_string(&template).unwrap();
    let cluster = copied("good/kubeadm");
    let found = check(&cluster, SETTINGS, &[]);
    mend(&cluster, &found);
    let both = ["--corefile", path(&cluster)];

    let raw = written("Corefile", &text);
    let found = check(&raw, SETTINGS, &both);
    let finding = &found.json()["corefile"]["findings"][0];
    let message = "`__PILLAR__DNS__DOMAIN__` is a name like any other to CoreDNS: the domain of the cluster is to stand there";
    assert_eq!((&finding["message"], &finding["line"]), (&message.into(), &1.into()), "{finding}");
    assert_eq!(finding["lines"], serde_json::json!(["cluster.local:53 {"]));

    let installed = text.replace("__PILLAR__DNS__DOMAIN__", "cluster.local");
    let node = written("Corefile", &installed);
    let found = check(&node, SETTINGS, &both);
    assert_eq!(found.code, 0, "{}", found.stdout);
    assert!(leads(&found, "cluster.local") && leads(&found, "10.96.0.0/16"), "{}", found.stdout);

    let words = [
        ("LOCAL__DNS", "127.0.0.1"),
        ("DNS__SERVER", ""),
        ("CLUSTER__DNS", "10.96.45.17"),
        ("UPSTREAM__SERVERS", "/etc/resolv.conf"),
    ];
    let run =
        words.iter().fold(installed, |text, (word, by)| text.replace(&format!("__PILLAR__{word}__"), by));
    assert!(!run.contains("PILLAR"), "{run}");
    let run = written("Corefile", &run);
    assert!(is_accepted(&run));
}
