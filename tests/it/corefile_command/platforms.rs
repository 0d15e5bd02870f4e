//! Every form that is printed leads every declared name to meshdns, on a real CoreDNS.
//!
//! Where a cluster is needed, something stands in: a block that asks a resolver for the kubernetes plugin, and for kube-dns, which has
//! dnsmasq, the server blocks that node-cache makes of the same stub domains (kubernetes/dns `cmd/node-cache/app/configmap.go`).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{EXAMPLES, corefile};
use crate::commands::{Ran, path, run};
use crate::support::coredns::CoreDns;
use crate::support::dig::{data, dig};
use crate::support::process::{Meshdns, free_address, written};

/// TTLs below every floor of CoreDNS and above every cap.
const EXTREME: &str = "ttl:\n  default: 2\n  negative: 1\n  serviceEntry: 2000\n  rules:\n    - {name: long, hosts: ['*.partner.example'], ttl: 3600}\n";

/// A meshdns with the objects of `examples/`, and its settings.
struct Backend {
    meshdns: Meshdns,
    config: String,
}

impl Backend {
    fn start(more: &str) -> Self {
        let manifests = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/manifests");
        let settings = std::fs::read_to_string(EXAMPLES).unwrap().replace("./examples/manifests", manifests);
        let config = path(&written("meshdns.yaml", &format!("{settings}{more}"))).to_owned();
        Self { meshdns: Meshdns::start(&format!("{settings}{more}")), config }
    }

    /// What is printed for a platform. Blocks listen on 127.0.0.1 alone.
    fn printed(&self, platform: &str, more: &[&str]) -> Ran {
        let plain = ["gke", "kube-dns", "nodelocal"].contains(&platform);
        let at = if plain { self.meshdns.dns } else { self.meshdns.grpc }.to_string();
        let arguments = ["--for", platform, "--meshdns-at", &at, "--bind", "127.0.0.1"];
        corefile(&self.config, &[&arguments[..], more].concat())
    }

    /// The addresses of every name that is declared, as `meshdns records` lists them; of wildcards, those of a name below.
    fn declared(&self) -> BTreeMap<String, Vec<String>> {
        let listed = run(&["records", "--config", &self.config, "--output", "json"]).json();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in listed.as_array().unwrap().iter().filter(|line| line["type"] == "A") {
            let name = line["name"].as_str().unwrap().replace("*.", "some.where.");
            found.entry(name).or_default().push(line["data"].as_str().unwrap().to_owned());
        }
        for addresses in found.values_mut() {
            addresses.sort();
            addresses.dedup();
        }
        assert!(found.len() > 20, "{found:?}");
        found
    }

    /// Every declared name that `has` is answered there with its addresses; says how many these are.
    fn resolves(&self, dns: SocketAddr, has: impl Fn(&str) -> bool) -> usize {
        let declared = self.declared();
        let wanted: Vec<_> = declared.iter().filter(|(name, _)| has(name)).collect();
        for (name, addresses) in &wanted {
            let reply = dig(dns, [name.as_str(), "A"]);
            assert_eq!(&data(&reply.answer), *addresses, "{}", reply.text);
        }
        wanted.len()
    }
}

/// On this port, and metrics where nobody else is.
fn served_on(text: &str, dns: SocketAddr) -> String {
    let ports = [" ", ",", "\n"].map(|end| (format!(":53{end}"), format!(":{}{end}", dns.port())));
    let text = ports.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    [" :9153", " :9253"].iter().fold(text, |text, port| text.replace(port, &format!(" {}", free_address())))
}

/// What a provider's Corefile does with all other names.
fn rest(resolver: SocketAddr) -> String {
    format!(".:53 {{\n    bind 127.0.0.1\n    forward . {resolver}\n    cache 30\n}}\n")
}

/// The value of a key of a printed ConfigMap.
fn value(config_map: &str, name: &str, key: &str) -> String {
    let head = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: kube-system\ndata:\n  {key}: |\n"
    );
    let lines = config_map.strip_prefix(&head).unwrap_or_else(|| panic!("{config_map}")).lines();
    lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect()
}

/// `check` has nothing to say against it.
fn is_fine(config: &str, corefiles: &[&str], more: &[&str]) {
    let files = corefiles.iter().map(|text| written("Corefile", text));
    let files: Vec<String> =
        files.flat_map(|file| ["--corefile".to_owned(), path(&file).to_owned()]).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let found = run(&[&["check", "--config", config][..], &files, more].concat());
    assert_eq!(found.code, 0, "{}{}\n{corefiles:?}", found.stdout, found.stderr);
    // Nor has the command itself, of what it printed.
    let again = corefile(config, &[&files, more].concat());
    assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{corefiles:?}");
    assert!(!again.stdout.contains('{'), "blocks are printed twice:\n{}", again.stdout);
}

#[test]
fn blocks_for_a_corefile_of_ones_own() {
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    for (platform, more) in [("coredns", ""), ("kubeadm", EXTREME)] {
        let backend = Backend::start(more);
        let printed = backend.printed(platform, &[]);
        assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
        let whole = format!("{}\n{}", printed.stdout, rest(resolver));
        is_fine(&backend.config, &[&whole], &[]);
        let dns = free_address();
        let _coredns = CoreDns::start(&served_on(&whole, dns));
        assert_eq!(backend.resolves(dns, |_| true), backend.declared().len());
        assert_eq!(data(&dig(dns, ["-x", "240.240.0.1"]).answer), ["auto.internal."]);
        assert_eq!(data(&dig(dns, ["www.example.org", "A"]).answer), ["192.0.2.53"]);
        if more == EXTREME {
            let ttl = |name| dig(dns, [name, "A"]).answer[0].ttl;
            assert!(ttl("web.shop.svc.cluster.local") <= 2);
            assert!(ttl("address.internal") > 1900);
            assert!(ttl("api.partner.example") > 3500);
        }
    }
}

#[test]
fn a_key_of_the_config_map_that_aks_imports() {
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    let backend = Backend::start("");
    let printed = backend.printed("aks", &[]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    let block = value(&printed.stdout, "coredns-custom", "meshdns.server");
    let dns = free_address();
    let main = written("Corefile", &served_on(&(rest(resolver) + "import custom/*.server\n"), dns));
    let custom = main.with_file_name("custom");
    std::fs::create_dir(&custom).unwrap();
    std::fs::write(custom.join("meshdns.server"), served_on(&block, dns)).unwrap();
    // By its place, as the imports are relative to that.
    let mut coredns = std::process::Command::new(crate::support::coredns::executable());
    let _coredns = CoreDns::started(coredns.arg("-conf").arg(&main));
    assert_eq!(backend.resolves(dns, |_| true), backend.declared().len());
    let found = corefile(&backend.config, &["--for", "aks", "--corefile", path(&main)]);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
}

#[test]
fn configuration_values_of_the_eks_add_on() {
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    let backend = Backend::start("");
    let before = rest(resolver);
    let printed = backend.printed("eks", &["--corefile", path(&written("Corefile", &before))]);
    assert_eq!(printed.code, 1, "{}", printed.stderr);
    assert!(printed.stderr.contains("`forward` asks"), "{}", printed.stderr);
    let values = printed.json();
    assert_eq!(values.as_object().unwrap().len(), 1);
    let whole = values["corefile"].as_str().unwrap();
    assert!(whole.starts_with(&before), "{whole}");
    is_fine(&backend.config, &[whole], &[]);
    let dns = free_address();
    let _coredns = CoreDns::start(&served_on(whole, dns));
    assert_eq!(backend.resolves(dns, |_| true), backend.declared().len());
    assert_eq!(data(&dig(dns, ["www.example.org", "A"]).answer), ["192.0.2.53"]);
}

/// node-cache is a CoreDNS without `grpc`; the cluster's CoreDNS behind it has the rest.
#[test]
fn blocks_for_nodelocal_dnscache() {
    let resolver = free_address();
    let _resolver = CoreDns::resolver(resolver);
    for more in ["", EXTREME] {
        let backend = Backend::start(more);
        let (node, cluster) = (free_address(), free_address());
        let printed = backend.printed("nodelocal", &[]);
        assert_eq!(printed.code, 0);
        assert!(printed.stderr.starts_with("note: cluster.local 10.96.0.0/16"), "{}", printed.stderr);
        assert!(
            !printed.stdout.contains("grpc") && !printed.stdout.contains("cluster.local"),
            "{}",
            printed.stdout
        );
        let behind =
            served_on(&format!("{}\n{}", backend.printed("kubeadm", &[]).stdout, rest(resolver)), cluster);
        let template = |zone: &str| {
            format!(
                "{zone}:53 {{\n    cache {{\n        success 9984 86400 0\n        denial 9984 1800 0\n    }}\n    bind 127.0.0.1\n    forward . {cluster} {{\n        force_tcp\n    }}\n}}\n"
            )
        };
        let templates = ["cluster.local", "in-addr.arpa", "ip6.arpa"].map(template).concat();
        let before = served_on(&format!("{templates}{}", printed.stdout), node);
        let asked = backend.meshdns.dns.to_string();
        let found = run(&[
            "check",
            "--config",
            &backend.config,
            "--meshdns-at",
            &asked,
            "--corefile",
            path(&written("Corefile", &before)),
            "--corefile",
            path(&written("Corefile", &behind)),
            "--output",
            "json",
        ]);
        // The node sends all reverse zones along, which is the template's.
        for finding in found.json()["corefile"]["findings"].as_array().unwrap() {
            assert!(finding["message"].as_str().unwrap().contains("asked for the reverse zone"), "{finding}");
        }
        let _behind = CoreDns::start(&behind);
        let _coredns = CoreDns::start(&before);
        assert_eq!(backend.resolves(node, |_| true), backend.declared().len());
    }
}

#[test]
fn stub_domains_of_kube_dns() {
    let backend = Backend::start("");
    for platform in ["gke", "kube-dns"] {
        let printed = backend.printed(platform, &[]);
        assert_eq!(printed.code, 0);
        assert!(printed.stderr.contains("kube-dns keeps these for itself"), "{}", printed.stderr);
        let stubs = value(&printed.stdout, "kube-dns", "stubDomains");
        let stubs: BTreeMap<String, Vec<String>> = serde_json::from_str(&stubs).unwrap();
        assert_eq!(stubs.keys().collect::<Vec<_>>(), ["api.partner.example", "internal"]);
        let dns = free_address();
        let blocks = stubs.iter().map(|(domain, asked)| {
            format!(
                "{domain}:53 {{\n    bind 127.0.0.1\n    cache 30\n    forward . {}\n}}\n",
                asked.join(" ")
            )
        });
        let _coredns = CoreDns::start(&served_on(&blocks.collect::<String>(), dns));
        assert!(backend.resolves(dns, |name| !name.ends_with("cluster.local.")) >= 4);
    }
}

/// A Unix socket, mutual TLS, and what a running server says is declared.
#[test]
fn ways_to_ask() {
    let backend = Backend::start("");
    let socket = corefile(&backend.config, &["--meshdns-at", "unix:///run/meshdns/dns.sock"]);
    assert!(socket.stdout.contains("    grpc . unix:///run/meshdns/dns.sock\n"), "{}", socket.stdout);
    let running = format!("http://{}", backend.meshdns.admin);
    let at = backend.meshdns.grpc.to_string();
    let asked = corefile(&backend.config, &["--server", &running, "--meshdns-at", &at]);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    assert_eq!(asked.stdout, corefile(&backend.config, &["--meshdns-at", &at]).stdout);

    let tls = "zones: [cluster.local]\nlisten:\n  grpc: ['0.0.0.0:8053']\n  grpcTls: {certificate: /a, key: /b, clientCa: /c, clientNames: [x.y.svc]}\n";
    let config = written("meshdns.yaml", tls);
    let alone = corefile(path(&config), &["--for", "nodelocal", "--meshdns-at", "10.96.0.53"]);
    assert!(alone.stderr.starts_with("note: no objects are read"), "{}", alone.stderr);
    let files = ["--tls", "/t/tls.crt,/t/tls.key,/t/ca.crt", "--tls-servername", "meshdns.mesh.svc"];
    let printed = corefile(path(&config), &[&["--meshdns-at", "10.96.0.53"][..], &files].concat());
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    let lines = "    grpc . 10.96.0.53:8053 {\n        tls /t/tls.crt /t/tls.key /t/ca.crt\n        tls_servername meshdns.mesh.svc\n    }\n";
    assert!(printed.stdout.contains(lines), "{}", printed.stdout);
    let found = run(&[
        "check",
        "--config",
        path(&config),
        "--corefile",
        path(&written("Corefile", &printed.stdout)),
        "--output",
        "json",
    ]);
    assert_eq!(found.json()["corefile"]["findings"], serde_json::json!([]), "{}", found.stdout);
}
