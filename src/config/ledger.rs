//! `serviceEntries.ledger` and `serviceEntries.ranges`: which addresses we give, and where that is remembered.

use std::num::NonZeroU32;
use std::path::PathBuf;

use super::field::Field;
use super::kubernetes::namespace;
use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;
use super::sources::path as any_path;
use super::state_directory::state_directory;
use crate::apiserver::ApiServerSettings;
use crate::model::Cidr;

/// The ranges that Istio allocates from, the default of `ranges`.
const RANGES: [&str; 2] = ["240.240.0.0/16", "2001:2::/48"];
/// A day: longer than anything keeps an answer.
const COOLING: u64 = 86_400;
/// A year.
const LONGEST_COOLING: i64 = 31_536_000;
const EMPTY_PATH: &str = "the path is empty: a file is expected";
/// The name of the file where only a directory is known.
const FILE: &str = "ledger.redb";

/// The prefix of the ConfigMaps' names.
const NAME: &str = "meshdns-ledger";
/// How many shards a shared ledger has: with the default ranges each has 1,022 IPv4 addresses or so.
const SHARDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);
const MOST_SHARDS: i64 = 256;
/// So that names with a number behind them are no longer than a label of an object may be.
const LONGEST_NAME: usize = 59;
/// Where a pod finds the namespace that it runs in.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Where the ledger is kept, and for how long what it has given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// Where it is kept. Default: a file.
    pub place: LedgerPlace,
    /// How long the address of a host that went is kept for it, in seconds. Default: a day.
    pub cooling: u64,
}

/// Where a ledger is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerPlace {
    /// In this file. Default: `ledger.redb` in the state directory.
    File(Option<PathBuf>),
    /// In ConfigMaps, which replicas share.
    Kubernetes(SharedLedger),
}

/// The ConfigMaps of a shared ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedLedger {
    /// Their namespace. Default: that of the pod.
    pub namespace: Option<String>,
    /// How their names begin; a dash and a number follow.
    pub name: String,
    /// How many there are.
    pub shards: NonZeroU32,
    /// Which API server has them.
    pub api: ApiServerSettings,
}

/// There is no place for the file that could be taken without being told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "serviceEntries.ledger.file is missing: addresses need a file that remembers them, and none of STATE_DIRECTORY, \
     XDG_STATE_HOME and HOME says where; set it, or give --ledger-file"
)]
pub struct NoLedgerFile;

/// The namespace of a shared ledger is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "serviceEntries.ledger.kubernetes.namespace is missing: outside of a pod nothing else says where the ConfigMaps of \
     the ledger are ({OWN_NAMESPACE} cannot be read)"
)]
pub struct NoNamespace;

impl Default for LedgerSettings {
    fn default() -> Self {
        Self { place: LedgerPlace::File(None), cooling: COOLING }
    }
}

impl SharedLedger {
    fn read(section: &mut Section<'_>) -> Self {
        let mut used = Self {
            namespace: None,
            name: NAME.to_owned(),
            shards: SHARDS,
            api: ApiServerSettings::default(),
        };
        used.namespace = section.take("namespace").and_then(|field| field.parsed("a namespace", namespace));
        section.set("name", &mut used.name, |field| field.parsed("a name", name));
        section.set("shards", &mut used.shards, |field| field.integer("ConfigMaps", shards));
        used.api.kubeconfig = section.take("kubeconfig").and_then(|field| field.parsed("a path", any_path));
        used.api.context = section.take("context").and_then(|field| field.parsed("a context", context));
        used
    }

    /// The namespace by the settings, or else the one that the pod runs in; `read` reads a file.
    pub fn namespace_or_own(&self, read: impl FnOnce(&str) -> Option<String>) -> Result<String, NoNamespace> {
        let own = || read(OWN_NAMESPACE).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        self.namespace.clone().or_else(own).ok_or(NoNamespace)
    }
}

impl LedgerSettings {
    /// Reads `ledger` of the section `serviceEntries`; nothing if nothing is said about it.
    pub(super) fn read(report: &Report, section: &mut Section<'_>, overrides: &Overrides) -> Option<Self> {
        let said = section.has("ledger") || overrides.ledger_file.is_some();
        let mut used = Self::default();
        section.section("ledger", |section| {
            let shared = section.has("kubernetes");
            let file = section.take("file");
            if let (true, Some(file)) = (shared, &file) {
                section.problem(&file.place, "a ledger is kept in a file or in Kubernetes, not in both");
            }
            let file = file.and_then(|field| field.parsed("a path", path));
            used.place = LedgerPlace::File(overrides.ledger_file.clone().or(file));
            let kubernetes = section.section("kubernetes", SharedLedger::read);
            if shared {
                used.place = LedgerPlace::Kubernetes(kubernetes);
                if overrides.ledger_file.is_some() {
                    report.add_flag(
                        "--ledger-file",
                        "serviceEntries.ledger.kubernetes says that replicas share it",
                    );
                }
            }
            section.set("cooling", &mut used.cooling, |field| field.integer("seconds", cooling));
        });
        if overrides.ledger_file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            report.add_flag("--ledger-file", EMPTY_PATH);
        }
        said.then_some(used)
    }

    /// Whether replicas share it.
    pub fn is_shared(&self) -> bool {
        matches!(self.place, LedgerPlace::Kubernetes(_))
    }
}

/// The file of a ledger, by the settings or else in the state directory that the environment names.
pub fn ledger_file_or_default(
    file: Option<&PathBuf>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<PathBuf, NoLedgerFile> {
    if let Some(file) = file {
        return Ok(file.clone());
    }
    let directory = state_directory(variable).ok_or(NoLedgerFile)?;
    Ok(directory.join(FILE))
}

/// A name that still is one of a ConfigMap with a dash and a number behind it, and that a label can have as its value.
fn name(text: &str) -> Result<String, String> {
    let refused = || format!("`{text}` cannot name ConfigMaps: up to 59 of a-z, 0-9 and `-` are expected");
    namespace(text).ok().filter(|_| text.len() <= LONGEST_NAME).ok_or_else(refused)
}

fn shards(count: i64) -> Result<NonZeroU32, String> {
    let range = || format!("{count} is out of range: 1 to {MOST_SHARDS} ConfigMaps");
    u32::try_from(count).ok().filter(|_| count <= MOST_SHARDS).and_then(NonZeroU32::new).ok_or_else(range)
}

fn context(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Err("the name is empty: a context is expected".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err(EMPTY_PATH.to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn cooling(seconds: i64) -> Result<u64, String> {
    let range = || format!("{seconds} is out of range: seconds from 0 to {LONGEST_COOLING}");
    u64::try_from(seconds).ok().filter(|_| seconds <= LONGEST_COOLING).ok_or_else(range)
}

/// The ranges when none are written.
pub(super) fn default_ranges() -> Vec<Cidr> {
    RANGES.into_iter().filter_map(|text| Cidr::parse(text).ok()).collect()
}

/// Ranges of either family, each with at least one address besides that of the prefix itself, which is not given.
pub(super) fn ranges(field: Field<'_>) -> Option<Vec<Cidr>> {
    if field.is_empty_list() {
        return field.problem("the list is empty: at least one range is expected");
    }
    let mut found: Vec<Cidr> = Vec::new();
    for item in field.items()? {
        let (report, place) = (item.report, item.place.clone());
        let parse = |text: &str| Cidr::parse(text).map_err(|error| error.to_string());
        let Some(range) = item.parsed("a range of addresses", parse) else { continue };
        if range.network() == range.last() {
            report.add(&place, &format!("{range} has no address to give: the prefix's own is never given"));
        } else if let Some(other) = found.iter().find(|other| other.overlaps(&range)) {
            report.add(&place, &format!("{range} overlaps {other}"));
        } else {
            found.push(range);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::AutomaticAddresses;
    use crate::config::{Overrides, Settings};

    fn read(entries: &str, flag: Option<&str>) -> Result<Settings, String> {
        let text = format!("zones: [cluster.local]\nserviceEntries: {entries}");
        let overrides = Overrides { ledger_file: flag.map(PathBuf::from), ..Overrides::default() };
        Settings::read("meshdns.yaml", &text, &overrides).map_err(|problems| problems.to_string())
    }

    fn used(entries: &str, flag: Option<&str>) -> (AutomaticAddresses, Option<LedgerSettings>) {
        let entries = read(entries, flag).unwrap().service_entries;
        (entries.addresses, entries.ledger)
    }

    #[test]
    fn a_ledger_is_used_when_something_is_said_about_it() {
        use AutomaticAddresses::{Ledger, Off, Status};
        let at = |file: &str| {
            Some(LedgerSettings { place: LedgerPlace::File(Some(file.into())), cooling: 86_400 })
        };
        let somewhere = Some(LedgerSettings::default());
        assert_eq!(used("{}", None), (Status, None));
        assert_eq!(used("{ledger: {}}", None), (Ledger, somewhere.clone()));
        assert_eq!(used("{addresses: ledger}", None), (Ledger, somewhere));
        assert_eq!(used("{ledger: {file: a}}", None), (Ledger, at("a")));
        assert_eq!(used("{ledger: {file: a}}", Some("b")), (Ledger, at("b")), "flags win");
        assert_eq!(used("{}", Some("b")), (Ledger, at("b")));
        assert_eq!(used("{addresses: status, ledger: {file: a}}", None), (Status, at("a")), "to record");
        assert_eq!(used("{addresses: off}", Some("b")), (Off, None));
        let hour = used("{ledger: {cooling: 3600}}", None).1.unwrap();
        assert_eq!(hour.cooling, 3600);
    }

    #[test]
    fn the_file_is_in_the_state_directory_unless_said() {
        let file = |variables: &[(&str, &str)]| {
            let found = ledger_file_or_default(None, |name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            found.map(|path| path.display().to_string())
        };
        assert_eq!(file(&[("STATE_DIRECTORY", "/a:/b"), ("HOME", "/h")]), Ok("/a/ledger.redb".into()));
        assert_eq!(file(&[("XDG_STATE_HOME", "/x"), ("HOME", "/h")]), Ok("/x/meshdns/ledger.redb".into()));
        assert_eq!(
            file(&[("STATE_DIRECTORY", ""), ("HOME", "/h")]),
            Ok("/h/.local/state/meshdns/ledger.redb".into())
        );
        assert!(file(&[]).unwrap_err().to_string().contains("serviceEntries.ledger.file is missing"));
    }

    #[test]
    fn ranges_are_checked() {
        let ranges = |text: &str| -> Vec<String> {
            read(text, None).unwrap().service_entries.ranges.iter().map(ToString::to_string).collect()
        };
        assert_eq!(ranges("{}"), ["240.240.0.0/16", "2001:2::/48"]);
        assert_eq!(ranges("{ranges: [10.0.0.0/8, 'fd00::/8', 192.0.2.0/31]}").len(), 3);
        let refused = [
            ("{ranges: []}", "serviceEntries.ranges: the list is empty"),
            (
                "{ranges: [10.0.0.0/8, 10.1.0.0/16]}",
                "serviceEntries.ranges[1]: 10.1.0.0/16 overlaps 10.0.0.0/8",
            ),
            ("{ranges: [10.0.0.0/8, 10.0.0.0/8]}", "ranges[1]: 10.0.0.0/8 overlaps 10.0.0.0/8"),
            ("{ranges: [192.0.2.1/32]}", "ranges[0]: 192.0.2.1/32 has no address to give"),
            ("{ranges: [240.240.0.1/16]}", "has bits set outside its prefix; the range is 240.240.0.0/16"),
            ("{ranges: [240.240.0.0]}", "is not a range of addresses"),
            ("{ledger: {cooling: -1}}", "serviceEntries.ledger.cooling: -1 is out of range"),
            ("{ledger: {cooling: 31536001}}", "seconds from 0 to 31536000"),
            ("{ledger: {file: ''}}", "serviceEntries.ledger.file: the path is empty"),
            ("{ledger: {files: a}}", "did you mean `file`?"),
            ("{ledger: here}", "serviceEntries.ledger: `here` is text: a mapping is expected"),
            (
                "{ledger: {file: a, kubernetes: {namespace: mesh}}}",
                "serviceEntries.ledger.file: a ledger is kept in a file or in Kubernetes, not in both",
            ),
            (
                "{ledger: {kubernetes: {namespace: Mesh}}}",
                "kubernetes.namespace: `Mesh` cannot name a namespace",
            ),
            ("{ledger: {kubernetes: {name: -a}}}", "kubernetes.name: `-a` cannot name ConfigMaps"),
            ("{ledger: {kubernetes: {name: a.b}}}", "kubernetes.name: `a.b` cannot name ConfigMaps"),
            (
                "{ledger: {kubernetes: {shards: 0}}}",
                "kubernetes.shards: 0 is out of range: 1 to 256 ConfigMaps",
            ),
            ("{ledger: {kubernetes: {shards: 257}}}", "1 to 256 ConfigMaps"),
            ("{ledger: {kubernetes: {kubeconfig: ''}}}", "kubernetes.kubeconfig: the path is empty"),
            ("{ledger: {kubernetes: {context: ''}}}", "kubernetes.context: the name is empty"),
            ("{ledger: {kubernetes: {shard: 3}}}", "did you mean `shards`?"),
            ("{ledger: {kubernetes: here}}", "kubernetes: `here` is text: a mapping is expected"),
            ("{addresses: off, ledger: {file: a}}", "serviceEntries.ledger: there is nothing to remember"),
        ];
        for (text, expected) in refused {
            let told = read(text, None).unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
        }
        assert!(read("{}", Some("")).unwrap_err().contains("--ledger-file: the path is empty"));
        let both = read("{ledger: {kubernetes: {namespace: mesh}}}", Some("f")).unwrap_err();
        assert!(both.contains("--ledger-file: serviceEntries.ledger.kubernetes says"), "{both}");
    }

    #[test]
    fn replicas_share_a_ledger_in_kubernetes() {
        let shared = |text: &str| match used(text, None) {
            (
                AutomaticAddresses::Ledger,
                Some(LedgerSettings { place: LedgerPlace::Kubernetes(shared), .. }),
            ) => shared,
            other => panic!("{other:?}"),
        };
        let least = shared("{ledger: {kubernetes: {}}}");
        assert_eq!(
            (least.name.as_str(), least.shards.get(), &least.namespace),
            ("meshdns-ledger", 64, &None)
        );
        assert_eq!(least.namespace_or_own(|_| Some("mesh\n".into())), Ok("mesh".into()), "that of the pod");
        let missing = least.namespace_or_own(|_| None).unwrap_err().to_string();
        assert!(missing.contains("serviceEntries.ledger.kubernetes.namespace is missing"), "{missing}");
        let all = shared(
            "{ledger: {kubernetes: {namespace: mesh, name: addresses, shards: 8, kubeconfig: k, context: c}}}",
        );
        let api = ApiServerSettings { kubeconfig: Some("k".into()), context: Some("c".into()) };
        let (name, shards) = ("addresses".to_owned(), NonZeroU32::new(8).unwrap());
        assert_eq!(all, SharedLedger { namespace: Some("mesh".into()), name, shards, api });
        assert_eq!(all.namespace_or_own(|_| None), Ok("mesh".into()));
    }
}
