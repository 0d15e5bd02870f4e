//! What `/metrics` shows: the page about it has it all, and labels say what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshdns::allocate::ledger::{RangeStats, Stats};
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::model::Kind;
use meshdns::serve::{DnsPacket, DnsServiceClient};
use meshdns::source::{Moment, Since};
use meshdns::telemetry::metrics::{
    ChaseOutcome, Handshake, IstiodFigures, Listener, Metrics, SnapshotFigures, TableAge, WatchFigures,
};
use tonic::transport::Endpoint;

use crate::support::coredns::CoreDns;
use crate::support::dig::dig;
use crate::support::process::{Meshdns, free_address, written};

const PAGE: &str = include_str!("../../docs/metrics.md");

/// A registry in which everything has happened once.
fn everything() -> Metrics {
    let metrics = Metrics::new();
    let settings = Settings::read("settings", "zones: [cluster.local]", &Overrides::default()).unwrap();
    let catalog = Arc::new(Catalog::new(settings.policy()));
    metrics.hosts().watch(Arc::clone(&catalog), |_| 0);
    metrics.stale().watch(catalog);
    let _shard = metrics.query_shard();
    metrics.connections(Listener::Grpc);
    metrics.chases(ChaseOutcome::Answered);
    metrics.sources().set_objects(&BTreeMap::from([(Kind::Service, 1)]));
    metrics.istiod().set(IstiodFigures { age: TableAge::Current, ..IstiodFigures::default() });
    let figures = WatchFigures {
        heard: Some(tokio::time::Instant::now()),
        version: Some(1),
        failures: BTreeMap::from([("forbidden", 1)]),
        ..WatchFigures::default()
    };
    metrics.kubernetes().set(BTreeMap::from([("services", figures)]));
    metrics.snapshot().written(SnapshotFigures { written: 1, live: 1, objects: 1, octets: 1 });
    let range = RangeStats { range: "240.240.0.0/16".into(), capacity: 1, used: 1 };
    let stats = Stats { in_use: 1, cooling: 1, waiting: 1, conflicts: 1, ranges: vec![range] };
    metrics.ledger().show(&stats);
    metrics.ledger().show_shared([("get", true)].into_iter(), 1);
    metrics.ledger().committed(Duration::from_millis(1), true);
    metrics.tls().begin();
    metrics.tls().ended(Handshake::Accepted);
    metrics.tls().applied(1);
    metrics.reloads().applied();
    metrics.propagation().observe(Moment { kind: Kind::Service, since: Since::Received(Instant::now()) });
    metrics
}

/// The name that a sample is documented under, and its labels, without those of buckets.
fn name_and_labels(sample: &str) -> (String, BTreeSet<String>) {
    let (name, labels) = match sample.split_once('{') {
        Some((name, rest)) => (name, rest.split_once("} ").expect("labels end").0),
        None => (sample.split_once(' ').expect("a value").0, ""),
    };
    let name = ["_bucket", "_count", "_sum"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .filter(|name| name.ends_with("_seconds"))
        .unwrap_or(name);
    let names = labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
    (name.to_owned(), names.filter(|name| name != "le").collect())
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The rows of the page's tables of metrics: names and their labels.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let rows = PAGE
        .lines()
        .filter(|line| ["| `meshdns_", "| `process_"].iter().any(|begin| line.starts_with(begin)));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let name = quoted(cells[0]).next().expect("a name").to_owned();
        let labels = row.split('|').nth(2).expect("labels");
        (name, quoted(labels).map(str::to_owned).collect())
    })
    .collect()
}

#[test]
fn the_page_has_every_metric_with_its_labels_and_no_other() {
    let text = everything().text();
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in text.lines().filter(|line| !line.starts_with('#')).map(name_and_labels) {
        shown.entry(name).or_default().extend(labels);
    }
    assert!(shown.len() > 40, "{text}");
    assert_eq!(documented(), shown);
}

#[test]
fn every_histogram_ends_with_a_bucket_for_everything() {
    let text = everything().text();
    let counts = text
        .lines()
        .filter(|line| line.split(['{', ' ']).next().is_some_and(|name| name.ends_with("_seconds_count")));
    let mut histograms = 0;
    for line in counts {
        let (series, count) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once("_count").unwrap();
        let labels = labels.trim_matches(['{', '}']);
        let labels = if labels.is_empty() { String::new() } else { format!(",{labels}") };
        let bucket = format!("{name}_bucket{{le=\"+Inf\"{labels}}} {count}");
        assert!(text.lines().any(|line| line == bucket), "no {bucket} in\n{text}");
        histograms += 1;
    }
    assert!(histograms > 5, "{text}");
}

#[test]
fn every_name_in_an_expression_is_one_of_ours() {
    let (documented, readme) = (documented(), include_str!("../../README.md"));
    for page in [PAGE, readme] {
        let words = page.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        for word in words.filter(|word| word.starts_with("meshdns_")) {
            let name = word.strip_suffix("_bucket").unwrap_or(word);
            assert!(documented.contains_key(name), "{word}");
        }
    }
}

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: away, namespace: shop}
spec: {type: ExternalName, externalName: www.example.org}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: shop}
spec: {hosts: [api.example.com], addresses: [192.0.2.7], resolution: NONE, ports: [{number: 443, name: tls, protocol: TLS}]}
";

#[tokio::test]
async fn queries_are_counted_by_what_they_asked_and_what_knew_it() {
    let (manifests, upstream) = (written("objects.yaml", OBJECTS), free_address());
    let _resolver = CoreDns::resolver(upstream);
    let socket = manifests.with_file_name("dns.sock");
    let settings = format!(
        "zones: [cluster.local, 10.0.0.0/16]\nsources: {{manifests: ['{}']}}\nupstreams: ['{upstream}']\n",
        manifests.display()
    );
    let server = Meshdns::start_with(&settings, &["--grpc-listen", &format!("unix://{}", socket.display())]);
    for question in [
        ["web.shop.svc.cluster.local", "A"],
        ["web.shop.svc.cluster.local", "AAAA"],
        ["none.shop.svc.cluster.local", "A"],
        ["cluster.local", "SOA"],
        ["dns-version.cluster.local", "TXT"],
        ["1.0.0.10.in-addr.arpa", "PTR"],
        ["api.example.com", "A"],
        ["away.shop.svc.cluster.local", "A"],
        ["www.example.net", "HTTPS"],
    ] {
        dig(server.dns, question);
    }
    dig(server.dns, ["+tcp", "web.shop.svc.cluster.local", "A"]);
    let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).unwrap();
    let mut client = DnsServiceClient::new(endpoint.connect().await.unwrap());
    let msg =
        b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x03web\x04shop\x03svc\x07cluster\x05local\0\0\x01\0\x01".to_vec();
    client.query(DnsPacket { msg }).await.unwrap();
    let page = server.page("/metrics");
    for sample in [
        r#"listener="udp",zone="cluster",type="A",rcode="NOERROR",source="kubernetes"} 1"#,
        r#"listener="udp",zone="cluster",type="AAAA",rcode="NOERROR",source="kubernetes"} 1"#,
        r#"listener="udp",zone="cluster",type="A",rcode="NXDOMAIN",source="none"} 1"#,
        r#"listener="udp",zone="cluster",type="SOA",rcode="NOERROR",source="zone"} 1"#,
        r#"listener="udp",zone="cluster",type="TXT",rcode="NOERROR",source="zone"} 1"#,
        r#"listener="udp",zone="reverse",type="PTR",rcode="NOERROR",source="kubernetes"} 1"#,
        r#"listener="udp",zone="mesh",type="A",rcode="NOERROR",source="istio"} 1"#,
        r#"listener="udp",zone="cluster",type="A",rcode="NOERROR",source="upstream"} 1"#,
        r#"listener="udp",zone="none",type="other",rcode="REFUSED",source="none"} 1"#,
        r#"listener="tcp",zone="cluster",type="A",rcode="NOERROR",source="kubernetes"} 1"#,
        r#"listener="grpc_unix",zone="cluster",type="A",rcode="NOERROR",source="kubernetes"} 1"#,
    ] {
        assert!(page.contains(&format!("\nmeshdns_queries_total{{{sample}\n")), "{sample}\n{page}");
    }
    for sample in [
        r#"meshdns_query_duration_seconds_count{listener="udp",chased="true"} 1"#,
        r#"meshdns_query_duration_seconds_count{listener="udp",chased="false"} 8"#,
        r#"meshdns_catalog_units{kind="service"} 2"#,
        r#"meshdns_catalog_units{kind="host"} 1"#,
    ] {
        assert!(page.contains(&format!("\n{sample}\n")), "{sample}\n{page}");
    }
}
