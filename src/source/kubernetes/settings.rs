//! Which API server is watched, for what, and how patiently.

use std::time::Duration;

use super::Resource;
use crate::apiserver::ApiServerSettings;

/// The source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSource {
    /// The API server.
    pub api: ApiServerSettings,
    /// The namespaces that are watched, each by itself; empty: all at once.
    pub namespaces: Vec<String>,
    /// The kinds that are watched.
    pub resources: Vec<Resource>,
    /// How patient we are.
    pub limits: Limits,
}

impl KubernetesSource {
    /// What of which cluster is looked at, for comparison with an earlier run.
    pub fn scope(&self, address: &str) -> String {
        let resources: Vec<&str> = self.resources.iter().map(|resource| resource.plural()).collect();
        let namespaces = match self.namespaces.as_slice() {
            [] => "all namespaces".to_owned(),
            some => format!("namespaces {}", some.join(", ")),
        };
        format!("{} of {namespaces} at {address}", resources.join(", "))
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A watch that says nothing for so long, not even a bookmark, is stuck. API servers send a bookmark every minute.
    pub silence: Duration,
    /// For an answer to begin, and between two objects of a list.
    pub answer: Duration,
    /// For one page of a list.
    pub page: Duration,
    /// How long a list that lacks more than half of what there was, or a namespace, is doubted: what it lacks goes when
    /// another list says so after that time.
    pub doubt: Duration,
    /// How often a kind is asked for that the API server does not have.
    pub absent: Duration,
    /// First pause after a failure, and the longest.
    pub first_pause: Duration,
    /// Longest pause after failures.
    pub longest_pause: Duration,
    /// Objects on one page.
    pub page_size: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(90),
            answer: Duration::from_secs(30),
            page: Duration::from_secs(60),
            doubt: Duration::from_secs(30),
            absent: Duration::from_secs(10),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(10),
            page_size: 250,
        }
    }
}
