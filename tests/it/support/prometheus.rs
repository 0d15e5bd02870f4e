//! A real Prometheus, and what it answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::kube::until;
use super::peer;
use super::process::{Process, free_address, page, written};

/// A running Prometheus; it ends with the value.
pub(crate) struct Prometheus {
    _process: Process,
    address: SocketAddr,
    begun: f64,
}

/// Samples with the same labels: when, in Unix seconds, and what.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) samples: Vec<(f64, f64)>,
}

impl Prometheus {
    /// Starts one that scrapes these instances every second, as one job of the namespace `mesh`, and waits until it understood each of them.
    pub(crate) fn start(instances: &[(&str, SocketAddr)], rules: &Path) -> Self {
        let (address, data) = (free_address(), written("data", "").with_file_name("tsdb"));
        let target = |(name, address): &(&str, SocketAddr)| {
            format!("  - {{targets: ['{address}'], labels: {{namespace: mesh, instance: '{name}'}}}}\n")
        };
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n- job_name: meshdns\n  static_configs:\n{}",
            rules.display(),
            instances.iter().map(target).collect::<String>()
        );
        let mut command = Command::new(peer::prometheus().join("prometheus"));
        command
            .arg(format!("--config.file={}", written("prometheus.yml", &config).display()))
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--storage.tsdb.path={}", data.display()));
        let this = Self { _process: Process::start(&mut command), address, begun: now() };
        until("scrapes that were understood", || {
            let targets = this.asked("/api/v1/targets")?["data"]["activeTargets"].take();
            let targets = targets.as_array().filter(|targets| targets.len() == instances.len())?;
            for target in targets {
                assert_eq!(target["lastError"].as_str().unwrap_or_default(), "");
            }
            targets.iter().all(|target| target["health"] == "up").then_some(())
        });
        this
    }

    /// What its API says, once it is there.
    pub(crate) fn asked(&self, path: &str) -> Option<Value> {
        let page = page(self.address, path);
        let (status, body) = page.split_once(' ')?;
        // Nobody listens yet, or what it has on disk is being read.
        if status.is_empty() || status == "503" {
            return None;
        }
        let reply: Value =
            serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
        assert_eq!(reply["status"], "success", "{path}: {reply}");
        Some(reply)
    }

    /// What a query gives now.
    pub(crate) fn instant(&self, query: &str) -> Vec<Series> {
        self.series(&format!("/api/v1/query?query={}", encoded(query)), |result| {
            vec![result["value"].clone()]
        })
    }

    /// What it gives for each second since Prometheus was started.
    pub(crate) fn since_start(&self, query: &str) -> Vec<Series> {
        let (query, from, to) = (encoded(query), self.begun, now());
        let path = format!("/api/v1/query_range?query={query}&start={from}&end={to}&step=1");
        self.series(&path, |result| result["values"].as_array().unwrap().clone())
    }

    /// The values that a label has with the series of a selector.
    pub(crate) fn label_values(&self, label: &str, selector: &str) -> Vec<String> {
        let path = format!("/api/v1/label/{label}/values?match[]={}", encoded(selector));
        let values = self.asked(&path).expect("it is there")["data"].take();
        serde_json::from_value(values).unwrap()
    }

    /// Seconds since it was started.
    pub(crate) fn age(&self) -> f64 {
        now() - self.begun
    }

    /// When it was started, in Unix seconds.
    pub(crate) fn begun(&self) -> f64 {
        self.begun
    }

    fn series(&self, path: &str, samples: impl Fn(&Value) -> Vec<Value>) -> Vec<Series> {
        let reply = self.asked(path).expect("it is there");
        let results = reply["data"]["result"].as_array().unwrap_or_else(|| panic!("{path}: {reply}"));
        let sample = |pair: Value| (pair[0].as_f64().unwrap(), pair[1].as_str().unwrap().parse().unwrap());
        let series = results.iter().map(|result| Series {
            labels: serde_json::from_value(result["metric"].clone()).unwrap(),
            samples: samples(result).into_iter().map(sample).collect(),
        });
        series.collect()
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// As it stands in a URL.
fn encoded(text: &str) -> String {
    let octet = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(octet).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(octet).collect()
}
