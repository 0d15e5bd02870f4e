//! `sources.kubernetes`: which API server is watched, and for what.
//!
//! Rules: the section turns the source on, also when nothing stands in it. Kinds are watched when something is made of
//! them: slices for endpoints, Pods for `pods: verified` and for answers with the endpoints of selected workloads,
//! ServiceImports for zones of cluster sets. Where only some namespaces are watched there are no labels of namespaces to
//! select by.

use std::path::PathBuf;
use std::time::Duration;

use super::field::Field;
use super::kubernetes::namespace;
use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;
use super::sources::path;
use super::{KubernetesSettings, NamespaceFilter, ServiceEntrySettings, SnapshotSettings};
use crate::apiserver::ApiServerSettings;
use crate::catalog::PodMode;
use crate::model::{AnswerMode, ZoneKind, Zones};
use crate::source::kubernetes::{KubernetesSource, Limits, Resource};

/// A watch that is given up earlier than this is opened more often than it tells anything.
const SHORTEST_SILENCE: i64 = 5;
/// An hour.
const LONGEST_SILENCE: i64 = 3600;

/// Whether Pods are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pods {
    Auto,
    Always,
    Never,
}

/// What was written, before other sections have their say.
pub(super) struct Written {
    source: KubernetesSource,
    pods: Pods,
    istio: bool,
    pub(super) snapshot: Option<SnapshotSettings>,
}

/// Reads the section `sources.kubernetes`, if there is one.
pub(super) fn read(report: &Report, sources: &mut Section<'_>, overrides: &Overrides) -> Option<Written> {
    let is_given = sources.has("kubernetes");
    let mut source = KubernetesSource {
        api: ApiServerSettings::default(),
        namespaces: Vec::new(),
        resources: Vec::new(),
        limits: Limits::default(),
    };
    let (mut pods, mut istio) = (Pods::Auto, true);
    let snapshot = sources.section("kubernetes", |section| {
        source.api.kubeconfig = section.take("kubeconfig").and_then(|field| field.parsed("a path", path));
        source.api.context =
            section.take("context").and_then(|field| field.parsed("the name of a context", context));
        section.set("namespaces", &mut source.namespaces, |field| {
            field.distinct("the name of a namespace", namespace)
        });
        let words =
            [("auto", Some(Pods::Auto)), ("always", Some(Pods::Always)), ("never", Some(Pods::Never))];
        section.set("pods", &mut pods, |field| field.choice(&words));
        section.set("istio", &mut istio, Field::boolean);
        section.set("watchSilence", &mut source.limits.silence, |field| field.integer("seconds", silence));
        SnapshotSettings::read(section)
    });
    if let Some(file) = &overrides.kubeconfig {
        if file.as_os_str().is_empty() {
            report.add_flag("--kubeconfig", "the path is empty: a file is expected");
        }
        source.api.kubeconfig = Some(PathBuf::from(file));
    }
    let turned_on = overrides.kubernetes || overrides.kubeconfig.is_some();
    (is_given || turned_on).then_some(Written { source, pods, istio, snapshot })
}

/// Fills in what other sections say.
pub(super) fn complete(
    report: &Report,
    written: Written,
    zones: &Zones,
    kubernetes: &KubernetesSettings,
    entries: &ServiceEntrySettings,
) -> KubernetesSource {
    let Written { mut source, pods, istio, snapshot: _ } = written;
    let verified = kubernetes.pods == PodMode::Verified;
    let endpoints = istio && entries.answer == AnswerMode::Endpoints;
    if pods == Pods::Never && verified {
        report.add_missing(
            "sources.kubernetes.pods",
            "`pods: verified` needs the Pods: `never` cannot stand here",
        );
    }
    if !source.namespaces.is_empty() && matches!(kubernetes.namespaces, NamespaceFilter::Selected(_)) {
        report.add_missing(
            "sources.kubernetes.namespaces",
            "with `kubernetes.namespaceSelector` all namespaces have to be watched: their labels decide",
        );
    }
    let wanted = [
        (Resource::Namespaces, true),
        (Resource::Services, true),
        (Resource::EndpointSlices, kubernetes.endpoints),
        (Resource::Pods, pods == Pods::Always || (pods == Pods::Auto && (verified || endpoints))),
        (Resource::ServiceImports, zones.iter().any(|zone| zone.kind == ZoneKind::ClusterSet)),
        (Resource::ServiceEntries, istio),
        (Resource::WorkloadEntries, istio),
    ];
    source.resources =
        wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(resource, _)| resource).collect();
    source
}

fn context(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("the name is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn silence(seconds: i64) -> Result<Duration, String> {
    let within =
        u64::try_from(seconds).ok().filter(|_| (SHORTEST_SILENCE..=LONGEST_SILENCE).contains(&seconds));
    within.map(Duration::from_secs).ok_or_else(|| {
        format!("{seconds} is out of range: seconds from {SHORTEST_SILENCE} to {LONGEST_SILENCE}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn read(text: &str, overrides: &Overrides) -> Result<Option<KubernetesSource>, String> {
        let text = format!("zones: [cluster.local]\n{text}");
        let settings =
            Settings::read("meshdns.yaml", &text, overrides).map_err(|problems| problems.to_string());
        settings.map(|settings| settings.sources.kubernetes)
    }

    fn used(text: &str) -> KubernetesSource {
        read(text, &Overrides::default()).unwrap().unwrap()
    }

    #[test]
    fn the_section_or_a_flag_turns_it_on() {
        assert_eq!(read("", &Overrides::default()), Ok(None));
        assert_eq!(read("sources: {kubernetes: }", &Overrides::default()), Ok(None));
        assert!(used("sources: {kubernetes: {}}").namespaces.is_empty());
        let on = Overrides { kubernetes: true, ..Overrides::default() };
        assert!(read("", &on).unwrap().is_some());
        let file = Overrides { kubeconfig: Some("b".into()), ..Overrides::default() };
        let source = read("sources: {kubernetes: {kubeconfig: a, context: c}}", &file).unwrap().unwrap();
        assert_eq!(source.api, ApiServerSettings { kubeconfig: Some("b".into()), context: Some("c".into()) });
    }

    #[test]
    fn kinds_are_watched_that_are_needed() {
        let kinds =
            |text: &str| -> Vec<&str> { used(text).resources.into_iter().map(Resource::plural).collect() };
        let mesh = ["serviceentries", "workloadentries"];
        let plain = ["namespaces", "services", "endpointslices"];
        assert_eq!(kinds("sources: {kubernetes: {}}"), [&plain[..], &mesh].concat());
        assert_eq!(kinds("sources: {kubernetes: {istio: false}}"), plain);
        assert_eq!(
            kinds("sources: {kubernetes: {istio: false, pods: always}}"),
            [&plain[..], &["pods"]].concat()
        );
        let verified = "sources: {kubernetes: {istio: false}}\nkubernetes: {pods: verified}";
        assert_eq!(kinds(verified), [&plain[..], &["pods"]].concat());
        let endpoints = "sources: {kubernetes: {}}\nserviceEntries: {answer: endpoints}";
        assert_eq!(kinds(endpoints), [&plain[..], &["pods"], &mesh].concat());
        let without = "sources: {kubernetes: {istio: false}}\nkubernetes: {endpoints: false}";
        assert_eq!(kinds(without), ["namespaces", "services"]);
        let sets = "sources: {kubernetes: {istio: false}}\nkubernetes: {clusterSetZones: [clusterset.local]}";
        assert_eq!(kinds(sets), [&plain[..], &["serviceimports"]].concat());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = [
            (
                "sources: {kubernetes: {watchSilence: 4}}",
                "sources.kubernetes.watchSilence: 4 is out of range",
            ),
            ("sources: {kubernetes: {kubeconfig: ''}}", "sources.kubernetes.kubeconfig: the path is empty"),
            ("sources: {kubernetes: {context: ''}}", "sources.kubernetes.context: the name is empty"),
            ("sources: {kubernetes: {namespaces: [Shop]}}", "`Shop` cannot name a namespace"),
            ("sources: {kubernetes: {pods: maybe}}", "auto, always or never is expected"),
            ("sources: {kubernetes: {kubconfig: a}}", "did you mean `kubeconfig`?"),
            (
                "sources: {kubernetes: {pods: never}}\nkubernetes: {pods: verified}",
                "sources.kubernetes.pods: ",
            ),
            (
                "sources: {kubernetes: {namespaces: [shop]}}\nkubernetes: {namespaceSelector: a=b}",
                "sources.kubernetes.namespaces: with `kubernetes.namespaceSelector`",
            ),
        ];
        for (text, expected) in refused {
            let told = read(text, &Overrides::default()).unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
        }
        let empty = Overrides { kubeconfig: Some(PathBuf::new()), ..Overrides::default() };
        assert!(read("", &empty).unwrap_err().contains("--kubeconfig: the path is empty"));
    }
}
