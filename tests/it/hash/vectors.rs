//! The cases of `vectors.json`, from manifests to answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use meshdns::source::manifests;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::mesh::Mesh;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    #[serde(default)]
    note: String,
    entries: Vec<Entry>,
    addresses: BTreeMap<String, Option<[IpAddr; 2]>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    namespace: String,
    name: String,
    hosts: Vec<String>,
    resolution: String,
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    export_to: Vec<String>,
    #[serde(default)]
    labels: Map<String, Value>,
    created: Option<String>,
}

impl Entry {
    fn manifest(&self, export_to: &[&str]) -> String {
        let mut metadata = json!({"name": self.name, "namespace": self.namespace, "labels": self.labels});
        if let Some(created) = &self.created {
            metadata["creationTimestamp"] = json!(created);
        }
        let manifest = json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": "ServiceEntry",
            "metadata": metadata,
            "spec": {
                "hosts": self.hosts,
                "addresses": self.addresses,
                "resolution": self.resolution,
                "exportTo": export_to,
                "ports": [{"name": "https", "number": 443, "protocol": "TLS"}],
            },
        });
        manifest.to_string()
    }
}

/// What each host of a namespace is answered with: the addresses of all its spellings.
fn expected(case: &Case, namespace: &str) -> BTreeMap<String, BTreeSet<IpAddr>> {
    let mut expected: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
    for (key, addresses) in &case.addresses {
        let host = match key.split_once('/') {
            Some((of, host)) if of == namespace => host,
            Some(_) => continue,
            None => key,
        };
        let declares = |entry: &&Entry| entry.namespace == namespace && entry.hosts.iter().any(|h| h == host);
        if case.entries.iter().any(|entry| declares(&entry)) {
            expected.entry(host.to_ascii_lowercase()).or_default().extend(addresses.iter().flatten());
        }
    }
    expected
}

/// Of a host in several namespaces only one namespace's entries are answered. So each case is asked once for each of
/// its namespaces, while all entries of the others are exported to nobody else, which does not change any address.
#[test]
fn every_case_is_answered_as_istiod_computes_it() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let (mut asked, mut wrong) = (0, Vec::new());
    for case in &cases {
        let namespaces: BTreeSet<&str> = case.entries.iter().map(|entry| &*entry.namespace).collect();
        for asker in namespaces {
            let export = |entry: &Entry| if entry.namespace == asker { ["*"] } else { ["."] };
            let manifests: Vec<String> =
                case.entries.iter().map(|entry| entry.manifest(&export(entry))).collect();
            let loaded = manifests::load_text(&case.case, &manifests.join("\n---\n"));
            assert!(loaded.report.defects.is_empty(), "{}: {:?}", case.case, loaded.report.defects);
            let mesh = Mesh::of(loaded.objects);
            for (host, expected) in expected(case, asker) {
                let mut answered = mesh.addresses(&host.replace('*', "any"));
                // Literal ones are not computed.
                answered.retain(|address| match address {
                    IpAddr::V4(v4) => v4.octets()[..2] == [240, 240],
                    IpAddr::V6(_) => true,
                });
                asked += 1;
                if answered != expected {
                    let Case { case, note, .. } = case;
                    wrong.push(format!("{case} ({note}): {asker}/{host}: {answered:?}, not {expected:?}"));
                }
            }
        }
    }
    assert_eq!(cases.len(), 175);
    assert!(asked > 700, "{asked} hosts only");
    assert!(wrong.is_empty(), "{} of {asked} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The same cases with the visibility as written: an entry that nobody sees is not answered, though it has a slot.
#[test]
fn hidden_entries_have_slots_and_no_answers() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let case = cases.iter().find(|case| case.case == "label-and-export-do-not-matter").unwrap();
    let manifests: Vec<String> = case
        .entries
        .iter()
        .map(|entry| entry.manifest(&entry.export_to.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    let mesh = Mesh::of(manifests::load_text("", &manifests.join("\n---\n")).objects);
    assert_eq!(mesh.addresses("catalog-lbl.example.com").len(), 2);
    assert_eq!(mesh.addresses("catalog-exp.example.com").len(), 0);
    assert_eq!(mesh.addresses("catalog-hid.example.com").len(), 0);
}
