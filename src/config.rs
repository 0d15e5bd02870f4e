//! The settings: what the file, the flags and the environment say, checked and complete.
//!
//! Rules: as written and as used are two things. The file is read into a tree (`yaml`) and taken apart by one
//! `read` per section, which knows the keys, the ranges and the cross-checks of that section and fills in what was
//! left out from its `Default`, the only place that states a default. What flags say replaces what the file says.
//! All problems are reported at once. Nothing here opens a socket or looks up a name.

mod api_server;
mod field;
mod istiod;
mod kubernetes;
mod ledger;
mod listen;
mod overrides;
mod policy;
mod problem;
mod reload;
mod report;
mod section;
mod service_entries;
mod snapshot;
mod socket;
mod sources;
mod state_directory;
mod suggest;
mod telemetry;
mod tls;
mod ttl;
mod upstreams;
mod zones;

use std::path::Path;

pub use kubernetes::{KubernetesSettings, NamespaceFilter};
pub use ledger::{
    LedgerPlace, LedgerSettings, NoLedgerFile, NoNamespace, SharedLedger, ledger_file_or_default,
};
pub use listen::{GrpcAddress, Inspect, Listen};
pub use overrides::Overrides;
pub use problem::{Problem, Problems};
pub use reload::Live;
pub use service_entries::ServiceEntrySettings;
pub use snapshot::{NoSnapshotFile, SnapshotSettings};
pub use sources::Sources;
pub use telemetry::TelemetrySettings;
pub use upstreams::Upstreams;

use crate::catalog::TtlPolicy;
use crate::model::Zones;
use crate::yaml::{Node, Value, documents};
use report::Report;
use section::Section;

/// All settings, as used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The zones we are authoritative for, those of cluster sets included.
    pub zones: Zones,
    /// Whether a name outside the zones gets NXDOMAIN instead of REFUSED. Default: no.
    pub catch_all: bool,
    /// Where we are asked.
    pub listen: Listen,
    /// Where objects come from.
    pub sources: Sources,
    /// Who resolves targets outside our zones.
    pub upstreams: Upstreams,
    /// How Kubernetes names are answered.
    pub kubernetes: KubernetesSettings,
    /// How the hosts of ServiceEntries are answered.
    pub service_entries: ServiceEntrySettings,
    /// How long answers may be kept.
    pub ttl: TtlPolicy,
    /// What is told about single queries.
    pub telemetry: TelemetrySettings,
}

impl Settings {
    /// Reads the settings file, if there is one, and applies what was given besides it.
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Self, Problems> {
        let Some(path) = path else { return Self::read("", "", overrides) };
        let file = path.display().to_string();
        let refused = |message: String| {
            let problem = Problem { file: file.clone(), line: None, setting: String::new(), message };
            Problems::new(vec![problem])
        };
        let octets = std::fs::read(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(octets).map_err(|error| {
            refused(format!("is not UTF-8 text from octet {}", error.utf8_error().valid_up_to()))
        })?;
        Self::read(&file, &text, overrides)
    }

    /// The same for a text that is at hand; `file` is what problems call it.
    pub fn read(file: &str, text: &str, overrides: &Overrides) -> Result<Self, Problems> {
        let report = Report::new(file);
        let settings = tree(&report, text)
            .map(|tree| Section::root(&report, &tree, |root| Self::from_section(&report, root, overrides)));
        report.conclude(settings)
    }

    fn from_section(report: &Report, root: &mut Section<'_>, overrides: &Overrides) -> Self {
        let mut catch_all = false;
        let zones = zones::Written::read(root);
        root.set("catchAll", &mut catch_all, |field| field.boolean());
        let listen = Listen::read(report, root, overrides);
        let (mut sources, api_server) = Sources::read(report, root, overrides);
        let upstreams = Upstreams::read(report, root, overrides);
        let (kubernetes, cluster_set_zones) = root.section("kubernetes", KubernetesSettings::read);
        let service_entries =
            root.section("serviceEntries", |section| ServiceEntrySettings::read(report, section, overrides));
        let ttl = root.section("ttl", ttl::read);
        let telemetry = root.section("telemetry", TelemetrySettings::read);
        let catch_all = overrides.catch_all.unwrap_or(catch_all);
        let zones = zones.complete(report, overrides, cluster_set_zones, catch_all);
        sources.kubernetes = api_server
            .map(|written| api_server::complete(report, written, &zones, &kubernetes, &service_entries));
        if let Some(istiod) = &mut sources.istiod {
            istiod::complete(istiod, &zones, &service_entries);
        }
        Self { zones, catch_all, listen, sources, upstreams, kubernetes, service_entries, ttl, telemetry }
    }
}

/// The one document of the file; an empty file says nothing. `None` when it cannot be read, which is reported.
fn tree(report: &Report, text: &str) -> Option<Node> {
    let mut all = documents(text);
    let first = all.next();
    if let Some(second) = all.next() {
        report.add_to_file(Some(second.line), "a second document begins here: all settings belong into one");
    }
    match first.map(|document| document.parse()) {
        None => Some(Node { line: 1, column: 1, value: Value::Null }),
        Some(Ok(node)) => Some(node),
        Some(Err(error)) => {
            report.add_to_file(Some(error.line), &format!("column {}: {}", error.column, error.message));
            None
        }
    }
}

#[cfg(test)]
mod tests;
