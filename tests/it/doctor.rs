//! `doctor` beside a real istiod, and a server that has both sources.

use super::commands::run;
use super::support::istiod::{Istiod, Mode};
use super::support::process::{Meshdns, free_address, written};

const ENTRIES: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: auto, namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'}
spec: {hosts: [auto.example], resolution: STATIC, ports: [{number: 9000, name: tcp, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: literal, namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'}
spec: {hosts: [literal.example], addresses: [10.1.2.3], ports: [{number: 9000, name: tcp, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: dns, namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'}
spec: {hosts: [dns.example], resolution: DNS, ports: [{number: 9000, name: tcp, protocol: TCP}]}
";

/// Settings that compute addresses or take them from the status.
fn settings(addresses: &str, manifests: &str) -> String {
    format!(
        "zones: [cluster.local]\nsources: {{manifests: ['{manifests}']}}\nserviceEntries: {{addresses: {addresses}}}\n"
    )
}

fn doctor(addresses: &str, manifests: &str, istiod: &str) -> super::commands::Ran {
    let settings = written("settings.yaml", &settings(addresses, manifests));
    run(&["doctor", "auto.example", "--config", settings.to_str().unwrap(), "--istiod", istiod])
}

#[test]
fn what_differs_is_listed_with_the_mode_that_agrees() {
    let mut peer = Istiod::start();
    let istiod = peer.load(ENTRIES, Mode::Hash).unwrap().address.to_string();
    let manifests = written("entries.yaml", ENTRIES);
    let manifests = manifests.to_str().unwrap();

    let agreed = doctor("hash", manifests, &istiod);
    assert_eq!((agreed.code, &*agreed.stderr), (0, ""), "{}", agreed.stdout);
    // 32-bit FNV-1a of `shop/auto.example` gives the slot.
    let [listener, counts] = agreed.stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", agreed.stdout)
    };
    assert!(
        listener.starts_with("auto.example.: a listener of the proxy is bound to 240.240."),
        "{listener}"
    );
    assert_eq!(
        counts,
        "2 hosts compared, 0 different; 1 listener found; 1 host answered by a rule of meshdns"
    );

    let address = listener.rsplit(' ').next().unwrap().trim_end_matches(":9000");
    let wrong = doctor("status", manifests, &istiod);
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    let first = wrong.stdout.lines().next().unwrap();
    let words: Vec<&str> = first.split_whitespace().collect();
    assert_eq!(words, ["auto.example.", "entries:", "nothing", "istiod:", address, "shop/auto"]);
    assert_eq!(
        wrong.stderr.trim(),
        "with serviceEntries.addresses: hash there are 0 differences instead of 1"
    );

    let fewer = written("fewer.yaml", ENTRIES.split_once("---").unwrap().0);
    let missing = doctor("hash", fewer.to_str().unwrap(), &istiod);
    assert_eq!(missing.code, 1);
    assert!(
        missing.stdout.contains("literal.example.: istiod has it, and no entry that was read declares it\n"),
        "{}",
        missing.stdout
    );
}

#[test]
fn an_istiod_that_is_not_there_is_named() {
    let nobody = free_address().to_string();
    let manifests = written("entries.yaml", ENTRIES);
    let asked = doctor("status", manifests.to_str().unwrap(), &nobody);
    assert_eq!((asked.code, &*asked.stdout), (2, ""));
    assert!(
        asked.stderr.starts_with(&format!("istiod at {nobody} cannot be connected to: ")),
        "{}",
        asked.stderr
    );
    let alone = run(&["doctor", "--zone", "cluster.local", "--manifests", manifests.to_str().unwrap()]);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("give --istiod ADDRESS or --server URL"), "{}", alone.stderr);
}

#[test]
fn a_server_with_both_sources_counts_differences() {
    let mut peer = Istiod::start();
    let loaded = peer.load(ENTRIES, Mode::Hash).unwrap();
    let manifests = written("entries.yaml", ENTRIES);
    let settings = settings("status", manifests.to_str().unwrap());
    let with_istiod =
        settings.replace("sources: {", &format!("sources: {{istiod: {{address: '{}'}}, ", loaded.address));
    // The proxies of a mesh that computes addresses say so; `addresses: hash` would say it for us.
    let with_istiod =
        with_istiod.replace("'}, manifests", "', node: {metadata: {DNS_AUTO_ALLOCATE: 'true'}}}, manifests");
    let server = Meshdns::start(&with_istiod);
    let metrics = server.page("/metrics");
    assert!(metrics.contains("\nmeshdns_parity_differences 1\n"), "{metrics}");
    let url = format!("http://{}", server.admin);
    let asked = run(&["doctor", "--server", &url]);
    assert_eq!(asked.code, 1, "{}", asked.stderr);
    assert!(asked.stdout.starts_with("auto.example.  entries: nothing"), "{}", asked.stdout);
    // The answer is istiod's, whatever the entries say.
    let explained = run(&["explain", "auto.example.", "--server", &url]);
    assert!(explained.stdout.contains("has the addresses of istiod's name table"), "{}", explained.stdout);
    assert!(explained.stdout.contains("the entries give nothing"), "{}", explained.stdout);
}
